/** A switch that was cut off, at each of its steps, and what the next process makes of it. */
import { join } from "node:path";
import {
  currentVersion,
  pointNowhere,
  pointTo,
  readJournal,
  writeJournal,
} from "../../../manager/update/install_folder.ts";
import { releaseRecords } from "../../../manager/update/releases.ts";
import { recoverSwitch } from "../../../manager/update/switch.ts";
import { applyUpdate, rollBack } from "../../../manager/update/updater.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { PRODUCT } from "./publisher.ts";
import { NOW, type Tenant, withTenant } from "./tenant.ts";

async function switchingIn(tenant: Tenant, install: string) {
  return { db: tenant.db, config: await tenant.config(), folder: install, now: NOW };
}

Deno.test("a switch that was cut off is finished, taken back, or had not begun", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install });
    for (const version of ["1.0.0", "1.1.0"]) {
      await publisher.release(version);
      await applyUpdate(await tenant.environment());
    }
    const switching = await switchingIn(tenant, install);
    assertEquals(await recoverSwitch(switching), null);
    const entry = { product: PRODUCT, from: "1.0.0", to: "1.1.0" } as const;
    const events = async () => (await tenant.events("update.returned")).length;
    // Not yet switched to.
    await pointTo(install, "1.0.0");
    await writeJournal(install, { ...entry, step: "switching" });
    assertEquals(await recoverSwitch(switching), null);
    assertEquals([await currentVersion(install), await readJournal(install), await events()], ["1.0.0", null, 0]);
    // Switched to, and not yet proven; whoever asks for an update is told of this one.
    await pointTo(install, "1.1.0");
    await writeJournal(install, { ...entry, step: "switching" });
    await publisher.release("1.2.0");
    assertEquals(await applyUpdate(await tenant.environment()), { from: "1.0.0", to: "1.1.0", returned: null });
    assertEquals([await currentVersion(install), await readJournal(install), await events()], ["1.1.0", null, 0]);
    // On its way back.
    await writeJournal(install, { ...entry, step: "returning" });
    const back = await recoverSwitch(switching);
    assert(back?.returned?.includes("cut off"), JSON.stringify(back));
    assertEquals([await currentVersion(install), await readJournal(install), await events()], ["1.0.0", null, 1]);
    const [record] = await releaseRecords(tenant.db, PRODUCT);
    assertEquals([record?.version ?? null, record?.returned ?? null], ["1.1.0", NOW]);
  }));

Deno.test("a switch whose version cannot be looked at is neither finished nor taken back, until it can", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install });
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    const switching = await switchingIn(tenant, install);
    const entry = { product: PRODUCT, from: null, to: "1.0.0", step: "switching" } as const;
    await writeJournal(install, entry);
    const [there, away] = [join(install, "releases/1.0.0"), join(folder, "away")];
    await Deno.rename(there, away);
    await Deno.writeTextFile(there, "no folder");
    await assertRejects(() => recoverSwitch(switching), "storage");
    assertEquals([await currentVersion(install), await readJournal(install)], ["1.0.0", entry]);
    await Deno.remove(there);
    await Deno.rename(away, there);
    assertEquals(await recoverSwitch(switching), { from: null, to: "1.0.0", returned: null });
    assertEquals(await readJournal(install), null);
  }));

Deno.test("going back to a version that no longer proves itself leaves the one that runs, and takes nothing from it", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install, health: ["bin/run"] });
    const bad = join(folder, "bad");
    await publisher.release("1.0.0", { files: { "bin/run": `#!/bin/sh\ntest ! -e ${bad}\n` } });
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0");
    await applyUpdate(await tenant.environment());
    await Deno.writeTextFile(bad, "");
    assert((await rollBack(await tenant.environment(), "1.0.0")).returned !== null);
    assertEquals(await currentVersion(install), "1.1.0");
    const returned = async () => (await releaseRecords(tenant.db, PRODUCT)).map((one) => one.returned !== null);
    assertEquals(await returned(), [false, true]);
    assertEquals((await tenant.events("update.returned")).length, 1);
    // Where nothing runs there is nothing to go back from.
    await Deno.remove(bad);
    await pointNowhere(install);
    await assertRejects(async () => rollBack(await tenant.environment(), undefined), "not_found");
    assertEquals((await rollBack(await tenant.environment(), "1.0.0")).returned, null);
    assertEquals((await tenant.events("update.returned")).length, 1);
  }));

Deno.test("applyUpdate() waits for this instance's turn, unless it is asked not to, and tells how far it is", () =>
  withTenant(async (publisher, tenant, folder) => {
    await tenant.configure({ ...await tenant.config(), install: join(folder, "app") });
    await publisher.release("1.0.0", { files: { a: "abc", b: "de" }, entry: { rollout: 0 } });
    assertEquals(await applyUpdate(await tenant.environment()), null);
    const told: (readonly [done: number, total: number])[] = [];
    const onProgress = (done: number, total: number) => told.push([done, total]);
    await applyUpdate(await tenant.environment({ ignoresRollout: true, onProgress }));
    assertEquals(told.every(([, total]) => total === 5), true);
    assertEquals([...new Set(told.map(([done]) => done))], [3, 5]);
    assertEquals(await currentVersion(join(folder, "app")), "1.0.0");
  }));
