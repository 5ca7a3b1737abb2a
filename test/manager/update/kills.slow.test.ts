/** Killed or out of room anywhere: what ran still runs, or the new version does, and the next start ends well. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { currentVersion, readJournal, requireStaged, writeJournal } from "../../../manager/update/install_folder.ts";
import { releaseRecords, requireRelease } from "../../../manager/update/releases.ts";
import { updateTurn } from "../../../manager/update/unattended.ts";
import { applyUpdate } from "../../../manager/update/updater.ts";
import { assert, assertEquals } from "../../assert.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { needs } from "../../tools/needs.ts";
import { PRODUCT } from "./publisher.ts";
import { NOW, type Tenant, withTenant } from "./tenant.ts";

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
  "update apply on a disk that fills up anywhere leaves what runs, and goes on when there is room",
  () =>
    withTenant(async (publisher, tenant) => {
      const disk = join(tenant.folder, "update");
      const install = join(disk, "app");
      await Deno.mkdir(disk);
      await run("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", disk);
      try {
        await tenant.configure({ ...await tenant.config(), install, keep: 2 });
        await publisher.release("1.0.0");
        await applyUpdate(await tenant.environment());
        let failed = 0;
        for (const [at, room] of [0, 4_096, 16_384, 65_536, 262_144, 300_000, 327_680, 450_000, 610_304].entries()) {
          const before = await currentVersion(install) ?? "";
          const version = `1.${at + 1}.0`;
          await publisher.release(version, {
            files: { large: crypto.getRandomValues(new Uint8Array(60_000)), "a/b": "c" },
          });
          const filler = join(disk, "filler");
          const available = (await run("df", "--output=avail", "-B1", disk)).split("\n")[1] ?? "";
          await run("fallocate", "-l", String(Math.max(4_096, Number(available) - room)), filler);
          try {
            await applyUpdate(await tenant.environment());
          } catch (error) {
            if (!isPosternError(error, "storage")) throw error;
            failed++;
          }
          await requireRuns(tenant, install, [before, version]);
          await Deno.remove(filler);
          await applyUpdate(await tenant.environment());
          await requireRuns(tenant, install, [version]);
          await requireTidy(install);
        }
        assert(failed >= 3, `only ${failed} met the full disk`);
      } finally {
        await run("umount", "--lazy", disk);
      }
    }),
);

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  assertEquals(code, 0, `${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
