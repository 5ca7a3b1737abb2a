/** A manager's folder in every bad shape: each a typed error with a remedy, and nothing lost. */
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { KEY_FILE_KIND, openKeyFile } from "../../../manager/keys/key_file.ts";
import { KekRegistry } from "../../../manager/keys/provider.ts";
import { folderPaths } from "../../../manager/store/folder.ts";
import { openManager } from "../../../manager/store/open.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

Deno.test("postern says that there is no manager when the folder is absent, empty or another's", async () => {
  await using world = await CliWorld.empty();
  for (const path of ["absent", "empty", "foreign"]) {
    if (path !== "absent") await Deno.mkdir(world.path(path));
    if (path === "foreign") await world.write("foreign/file", "x");
    const said = await world.fails(78, ["status", "--data", world.path(path)]);
    assert(said.includes("postern init"), said);
  }
  await world.write("file", "x");
  await world.fails(74, ["status", "--data", world.path("file")]);
});

Deno.test("postern refuses a database of a newer schema and leaves it alone", async () => {
  await using world = await CliWorld.ready();
  const kek = () => openKeyFile(world.path("kek.key"), Deno.uid(), webCryptoRandom);
  const registry = new KekRegistry().register(KEY_FILE_KIND, kek);
  const db = await openManager({ folder: world.manager, kek: () => Promise.resolve(registry) });
  await db.execute({ sql: "INSERT INTO postern_migrations VALUES (99, 'from the future')", params: [] });
  await db.close();
  const said = await world.fails(74, ["status"]);
  assert(said.includes("99") && said.includes("update the program"), said);
});

Deno.test("postern refuses a database that is gone, and does not make an empty one in its place", async () => {
  await using world = await CliWorld.ready();
  const { database } = folderPaths(world.manager);
  for (const end of ["", "-wal", "-shm"]) await Deno.remove(database + end).catch(() => undefined);
  assert((await world.fails(74, ["status"])).includes("backup"));
  assertEquals(await Deno.stat(database).then(() => true, () => false), false);
  await world.fails(73, ["init", ...world.edgeArgs, "--key-file", "kek.key", "--recovery-file", "again.txt"]);
});

Deno.test("postern refuses a database that was replaced by another, or damaged", async () => {
  await using world = await CliWorld.ready();
  const { database } = folderPaths(world.manager);
  for (const end of ["-wal", "-shm"]) await Deno.remove(database + end).catch(() => undefined);
  const whole = await Deno.readFile(database);
  const other = await openDatabase(`file:${world.path("other.db")}`);
  await other.execute({ sql: "CREATE TABLE t (a)", params: [] });
  await other.close();
  await Deno.copyFile(world.path("other.db"), database);
  await world.fails(77, ["status"]);
  const damaged = whole.slice();
  crypto.getRandomValues(damaged.subarray(4_096, 40_960));
  await Deno.writeFile(database, damaged);
  const { code, err } = await world.run(["status"]);
  assert(code === 74 || code === 77, `${code} ${err}`);
  await Deno.writeFile(database, whole);
  await world.json("status");
});

Deno.test("postern refuses a changed, cut or foreign database key", async () => {
  await using world = await CliWorld.ready();
  const { key } = folderPaths(world.manager);
  const whole = await Deno.readFile(key);
  const changed = whole.slice();
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  await Deno.writeFile(key, changed);
  await world.fails(76, ["status"]);
  await Deno.writeFile(key, whole.slice(0, 20));
  await world.fails(65, ["status"]);
  await Deno.remove(key);
  await world.fails(66, ["status"]);
  await Deno.writeFile(key, whole);
  await world.write("kek.key", `${"ab".repeat(31)}cd\n`);
  await world.fails(77, ["status"]);
});

Deno.test("postern refuses settings that it did not write", async () => {
  await using world = await CliWorld.ready();
  const { settings } = folderPaths(world.manager);
  for (const text of ["", "{", "[]", '{"version":2}', '{"version":1,"complete":true,"kek":{},"more":1}']) {
    await Deno.writeTextFile(settings, text);
    assert((await world.fails(78, ["status"])).includes("settings.json"));
  }
});
