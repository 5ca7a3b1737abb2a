/** What an update needs before it begins, what it notes, and what it leaves behind. */
import { join } from "node:path";
import { makePrivateFolder } from "../../../manager/files/durable.ts";
import { lockDataFolder } from "../../../manager/files/lock.ts";
import { currentVersion, stagedVersions } from "../../../manager/update/install_folder.ts";
import { releaseRecords } from "../../../manager/update/releases.ts";
import { applyUpdate, checkUpdate, downloadUpdate, rollBack } from "../../../manager/update/updater.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { PRODUCT } from "./publisher.ts";
import { namesIn } from "./scratch.ts";
import { NOW, withTenant } from "./tenant.ts";

Deno.test("an update needs folders that it can use, and has them alone", () =>
  withTenant(async (publisher, tenant, folder) => {
    await publisher.release("1.0.0");
    const config = await tenant.config();
    const apply = async () => applyUpdate(await tenant.environment());
    await assertRejects(apply, "configuration");
    await Deno.writeTextFile(join(folder, "file"), "");
    await tenant.configure({ ...config, install: join(folder, "file", "app") });
    const { message } = await assertRejects(apply, "storage");
    assert(message.startsWith(`cannot make ${join(folder, "file", "app")} (`), message);
    // A cache that several share is made by whoever lets them; until then files are used from where they grew.
    await tenant.configure({ ...config, cache: join(folder, "nowhere") });
    assertEquals(((await downloadUpdate(await tenant.environment()))?.fetched ?? 0) > 0, true);
    assertEquals(namesIn(folder).includes("nowhere"), false);
    await tenant.configure({ ...config, install: join(folder, "app") });
    const own = join(tenant.folder, "update");
    await makePrivateFolder(own);
    {
      await using _lock = await lockDataFolder(own, { pid: Deno.pid, sinceMillis: NOW });
      await assertRejects(async () => checkUpdate(await tenant.environment()), "conflict");
    }
    await Deno.remove(join(own, "lock"));
    await Deno.mkdir(join(own, "lock"));
    await assertRejects(async () => checkUpdate(await tenant.environment()), "storage");
  }));

Deno.test("a download is noted when something came, and only then", () =>
  withTenant(async (publisher, tenant) => {
    const [file] = (await publisher.release("1.0.0")).files;
    const download = async () => (await downloadUpdate(await tenant.environment()))?.fetched ?? -1;
    const noted = async () => (await tenant.events("update.downloaded")).length;
    assertEquals([await download() > 0, await noted()], [true, 1]);
    assertEquals((await releaseRecords(tenant.db, PRODUCT))[0]?.downloaded, NOW);
    assertEquals([await download(), await noted()], [0, 1]);
    await Deno.remove(join(tenant.folder, "update/cache", file?.sha256 ?? ""));
    assertEquals([await download(), await noted()], [file?.size ?? 0, 2]);
  }));

Deno.test("what is no longer needed goes once a version has proved itself, and the one before never", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install, health: ["bin/run"], keep: 2 });
    const apply = async () => (await applyUpdate(await tenant.environment()))?.returned === null;
    await publisher.release("1.0.0");
    await apply();
    const { files } = await publisher.release("1.1.0");
    assertEquals([await apply(), await stagedVersions(install)], [true, ["1.1.0", "1.0.0"]]);
    const cached = files.map(({ sha256 }) => sha256).sort();
    assertEquals(namesIn(tenant.folder, "update/cache"), cached);
    await publisher.release("1.2.0", { files: { "bin/run": "#!/bin/sh\nexit 1\n" } });
    assertEquals([await apply(), await currentVersion(install)], [false, "1.1.0"]);
    assertEquals(await stagedVersions(install), ["1.2.0", "1.1.0", "1.0.0"]);
    assertEquals(namesIn(tenant.folder, "update/cache").length, cached.length + 1);
    // The one before is the one that ran, however old.
    await rollBack(await tenant.environment(), "1.0.0");
    await publisher.release("1.3.0");
    assertEquals([await apply(), await stagedVersions(install)], [true, ["1.3.0", "1.2.0", "1.0.0"]]);
  }));
