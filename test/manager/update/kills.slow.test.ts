/** Killed or out of room anywhere: what ran still runs, or the new version does, and the next start ends well. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { isPosternError, type PosternError } from "../../../shared/errors.ts";
import { currentVersion, readJournal, requireStaged, writeJournal } from "../../../manager/update/install_folder.ts";
import { releaseRecords, requireRelease } from "../../../manager/update/releases.ts";
import { updateTurn } from "../../../manager/update/unattended.ts";
import { applyUpdate } from "../../../manager/update/updater.ts";
import { assert, assertEquals } from "../../assert.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { needs } from "../../tools/needs.ts";
import { SmallDisk } from "../../tools/small_disk.ts";
import { PRODUCT, TestPublisher } from "./publisher.ts";
import { withFolder } from "./scratch.ts";
import { NOW, Tenant, withTenant } from "./tenant.ts";

/** Starts the applier. */
function applier(folder: string, fault: string, writes: number): Deno.ChildProcess {
  const preload = join(PROJECT_ROOT, "test/faults/kill_at_write.ts");
  const args = ["run", "--allow-all", "--quiet", "--no-check", "--config", join(PROJECT_ROOT, "deno.json")];
  const entry = join(PROJECT_ROOT, "test/manager/update/applier.ts");
  return new Deno.Command(Deno.execPath(), {
    args: [...args, "--preload", preload, entry, folder, String(writes)],
    env: { FAULT_AT_WRITE: fault, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** What runs is one of these, whole. */
async function requireRuns(tenant: Tenant, install: string, versions: readonly string[]): Promise<void> {
  const current = await currentVersion(install) ?? "";
  assert(versions.includes(current), `${current} runs`);
  await requireStaged(install, (await requireRelease(tenant.db, PRODUCT, current)).manifest);
}

async function requireTidy(install: string): Promise<void> {
  assertEquals(await readJournal(install), null);
  for (const folder of [install, join(install, "releases")]) {
    for await (const { name } of Deno.readDir(folder)) assert(!name.startsWith("."), name);
  }
}

Deno.test("update apply survives SIGKILL after each of its writes", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install, keep: 2, health: ["bin/run"] });
    for (const version of ["0.1.0", "0.2.0"]) {
      await publisher.release(version);
      await applyUpdate(await tenant.environment());
    }
    let killed = 0;
    // A write is counted before and after it: every second place is another state.
    for (let writes = 2, before = "0.2.0";; writes += 2) {
      const version = `1.${writes}.0`;
      await publisher.release(version);
      const { signal, code } = await applier(tenant.folder, join(folder, "fault"), writes).status;
      if (signal === null) {
        assertEquals(code, 0);
        break;
      }
      assertEquals(signal, "SIGKILL");
      killed++;
      await requireRuns(tenant, install, [before, version]);
      const finished = await applyUpdate(await tenant.environment());
      assert(finished === null || (finished.to === version && finished.returned === null));
      assertEquals(await applyUpdate(await tenant.environment()), null);
      await requireRuns(tenant, install, [version]);
      await requireTidy(install);
      assert((await releaseRecords(tenant.db, PRODUCT))[0]?.applied !== null, "it is known to be applied");
      before = version;
    }
    assert(killed >= 6, `killed only ${killed} times`);
  }));

Deno.test("update apply that is killed during the health check, or on its way back, is finished by the next one", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    const config = { ...await tenant.config(), install };
    await tenant.configure(config);
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0");
    await tenant.configure({ ...config, health: ["sleep", "30"] });
    const child = applier(tenant.folder, join(folder, "fault"), 1_000);
    for (let tries = 0; await currentVersion(install) !== "1.1.0"; tries++) {
      assert(tries < 600, "it never switched");
      await new Promise((resume) => setTimeout(resume, 50));
    }
    child.kill("SIGKILL");
    await child.status;
    // The version has to prove itself now, to a service that updates nothing by itself and is told to start anew.
    await tenant.configure({ ...config, health: ["bin/nothing"], auto: "off", restarts: true });
    const network = surroundingsOf({ clock: new TestClock(NOW), fetch });
    const stop = new AbortController().signal;
    const service = { db: tenant.db, dataFolder: tenant.folder, network, pid: Deno.pid, stop };
    const [report] = await updateTurn(service);
    assert(report?.text.startsWith("went back from 1.1.0 to 1.0.0") && report.restarts, JSON.stringify(report));
    assertEquals(await currentVersion(install), "1.0.0");
    assertEquals(await updateTurn(service), []);
    await tenant.configure(config);
    await applyUpdate(await tenant.environment());
    assertEquals(await currentVersion(install), "1.1.0");
    await writeJournal(install, { product: PRODUCT, from: "1.0.0", to: "1.1.0", step: "returning" });
    assertEquals((await applyUpdate(await tenant.environment()))?.to, "1.1.0");
    assertEquals(await currentVersion(install), "1.0.0");
    await requireTidy(install);
  }));

needs("mount").test(
  "update apply on a disk that fills up at any page and at any name leaves what runs, and goes on when there is room",
  () =>
    withFolder(async (folder) => {
      using disk = SmallDisk.mount(4_096, 200);
      const publisher = await TestPublisher.create(join(folder, "public"), NOW);
      // Its database, the cache and what is installed.
      await using tenant = await Tenant.create(join(disk.folder, "tenant"));
      const install = join(disk.folder, "app");
      await tenant.follow(publisher, { install, keep: 2 });
      await publisher.release("1.0.0");
      await applyUpdate(await tenant.environment());
      const failed = { pages: 0, names: 0 };
      let releases = 0;
      for (const [scarce, step] of [["pages", 2], ["names", 1]] as const) {
        for (let room = 0, wasEnough = 0; wasEnough < 2; room += step) {
          const before = await currentVersion(install) ?? "";
          const version = `1.${++releases}.0`;
          await publisher.release(version, {
            files: { large: crypto.getRandomValues(new Uint8Array(9_000)), "a/b": "c" },
          });
          const environment = await tenant.environment();
          await disk.leave(scarce, room);
          const outcome = await tried(() => applyUpdate(environment));
          await disk.empty();
          if (outcome === null) wasEnough++;
          else {
            [wasEnough, failed[scarce]] = [0, failed[scarce] + 1];
            assertEquals(outcome.code, "storage");
            assert(/free some space/i.test(outcome.message), outcome.message);
          }
          await requireRuns(tenant, install, [before, version]);
          await applyUpdate(await tenant.environment());
          await requireRuns(tenant, install, [version]);
          await requireTidy(install);
          const records = await releaseRecords(tenant.db, PRODUCT);
          for (const { version } of records) await requireRelease(tenant.db, PRODUCT, version);
          assertEquals([records.length, records.every(({ applied }) => applied !== null)], [releases + 1, true]);
        }
      }
      assert(failed.pages >= 5 && failed.names >= 5, JSON.stringify(failed));
    }),
);

/** @returns the error; null for none */
async function tried(run: () => Promise<unknown>): Promise<PosternError | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (isPosternError(error)) return error;
    throw error;
  }
}

Deno.test("a download, a staging and a journal that may not grow beyond any of their bytes are whole afterwards", async () => {
  // In a process of its own, which the limit is of.
  const entry = join(PROJECT_ROOT, "test/manager/update/byte_limits.ts");
  const args = ["run", "--allow-all", "--quiet", "--no-check", "--config", join(PROJECT_ROOT, "deno.json"), entry];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assert(Number(new TextDecoder().decode(stdout)) > 400);
});
