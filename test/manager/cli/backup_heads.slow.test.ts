/** `postern backup restore --head`: what the owner's devices saw, against an edge that shows less. */
import { headText, parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { assert, assertEquals } from "../../assert.ts";
import { pairCli } from "./devices.ts";
import { CliWorld } from "./harness.ts";

interface Restored {
  readonly statement: number;
  readonly lost: {
    readonly edge: string;
    readonly notShown: number;
    readonly knowsDevices: boolean;
    readonly heads: readonly { readonly generation: number; readonly result: string }[];
  };
}

Deno.test("backup restore --head does not go on when a device saw more than the edge shows, until --accept-loss or --offline; then it names what is lost (BACKUP-19)", async () => {
  await using world = await CliWorld.ready();
  const [phone, laptop] = [await pairCli(world, "phone"), await pairCli(world, "laptop")];
  await world.json("sync");
  await world.json("backup", "create", "one.backup");
  await world.json("sync");
  await laptop.login();
  await world.edge.database.execute({ sql: "VACUUM INTO ?", params: [world.path("earlier.db")] });
  await world.json("device", "revoke", "laptop", "--yes");
  await world.json("sync");
  await phone.login();
  const [seen, older] = [await phone.headCode(), await laptop.headCode()];
  await Deno.remove(world.manager, { recursive: true });
  await world.replaceEdge("earlier.db");

  const opened = ["backup", "restore", "one.backup", "--recovery-file", "recovery.txt", "--key-file", "new.key"];
  const who = [...opened, "--devices", "phone"];
  const refused = await world.fails(76, [...who, "--head", older.text, "--head", seen.code]);
  for (const words of ["[withheld]", "generation 3", "generation 2", "--accept-loss", "--offline", "  -> "]) {
    assert(refused.includes(words), `${words} in ${refused}`);
  }
  await world.fails(65, [...who, "--head", "3"]);
  const parsed = parseOtherHead(seen.text);
  assert(parsed.kind === "text");
  await world.fails(2, [...who, "--head", headText({ ...parsed.head, owner: parsed.head.hash })]);
  await world.fails(76, [...who, "--head", headText({ ...parsed.head, generation: 2 })]);

  const offline = await world.json(
    ...who,
    "--data",
    world.path("offline"),
    "--offline",
    "--head",
    seen.text,
  ) as Restored;
  assertEquals([offline.lost.edge, offline.lost.notShown], ["none", 2]);
  const { lost } = await world.json(...who, "--head", older.text, "--head", seen.code, "--accept-loss") as Restored;
  assertEquals([lost.edge, lost.notShown, lost.knowsDevices], ["newer", 1, false]);
  assertEquals(lost.heads.map(({ generation, result }) => `${generation} ${result}`), ["2 agree", "3 beyond"]);
  const alarms = await world.text("alarm", "list");
  assert(alarms.includes("A device saw generation 3, and generation 2 is the newest that was shown"), alarms);
  const { generation } = await world.json("sync") as { generation: number };
  assert(generation > 3);
  assert((await world.text("backup", "restore", "--help")).includes("postern-head:"));
});
