/** Updates without anybody looking, when something else than a release comes between. */
import { lockDataFolder } from "../../../manager/files/lock.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { locate } from "../../../manager/update/cache.ts";
import { parseWindow } from "../../../manager/update/config.ts";
import {
  currentVersion,
  pointTo,
  readJournal,
  stagedVersions,
  stageRelease,
  writeJournal,
} from "../../../manager/update/install_folder.ts";
import { UpdateService } from "../../../manager/update/service.ts";
import { requireRelease } from "../../../manager/update/releases.ts";
import { type UpdateReport, updateTurn } from "../../../manager/update/unattended.ts";
import { applyUpdate, downloadUpdate } from "../../../manager/update/updater.ts";
import { assert, assertEquals } from "../../assert.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { DAY, PRODUCT } from "./publisher.ts";
import { NOW, withTenant } from "./tenant.ts";

Deno.test("updateTurn() takes up a switch that was cut off, whatever the hour and however far it may go by itself", () =>
  withTenant(async (publisher, tenant, folder) => {
    const clock = new TestClock(NOW);
    const network = surroundingsOf({ clock, fetch });
    const turn = async () => {
      const stop = new AbortController().signal;
      return await updateTurn({ db: tenant.db, dataFolder: tenant.folder, network, pid: Deno.pid, stop });
    };
    const install = `${folder}/app`;
    const config = { ...await tenant.config(), install, health: ["bin/run"], restarts: true };
    await tenant.configure(config);
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0", { files: { "bin/run": "#!/bin/sh\nexit 1\n" } });
    // A power cut after the link was moved, and before the new version was proven.
    const cut = async () => {
      await downloadUpdate(await tenant.environment());
      const { manifest } = await requireRelease(tenant.db, PRODUCT, "1.1.0");
      const cache = { folder: `${tenant.folder}/update/cache`, parts: `${tenant.folder}/update/parts` };
      if (!(await stagedVersions(install)).includes("1.1.0")) {
        await stageRelease(install, manifest, (file) => locate(cache, file));
      }
      await writeJournal(install, { product: PRODUCT, from: "1.0.0", to: "1.1.0", step: "switching" });
      await pointTo(install, "1.1.0");
    };
    await cut();
    for (const auto of ["off", "check", "apply"] as const) {
      await tenant.configure({ ...config, auto, window: parseWindow("02:00-04:00"), intervalMillis: 365 * DAY });
      const [report] = await turn();
      assert(report?.text.startsWith("went back from 1.1.0 to 1.0.0") && report.restarts, JSON.stringify(report));
      assertEquals([await currentVersion(install), await readJournal(install)], ["1.0.0", null]);
      await cut();
    }
    // Nobody is told of it by somebody who updates by hand at this moment.
    await using _lock = await lockDataFolder(`${tenant.folder}/update`, { pid: Deno.pid, sinceMillis: 0 });
    assertEquals((await turn()).filter(({ restarts }) => restarts), []);
  }));

Deno.test("updateTurn() reports and alarms what nobody foresaw, once an interval, and goes on", () =>
  withTenant(async (publisher, tenant, folder) => {
    const clock = new TestClock(NOW);
    const network = surroundingsOf({ clock, fetch });
    const stop = new AbortController().signal;
    // What a caller's bug makes of a folder's name.
    const dataFolder = undefined as unknown as string;
    const turn = async () => await updateTurn({ db: tenant.db, dataFolder, network, pid: Deno.pid, stop });
    await publisher.release("1.0.0");
    const config = await tenant.config();
    await tenant.configure({ ...config, auto: "apply", install: `${folder}/app` });
    const [report] = await turn();
    assert(report?.text.includes("did not foresee"), report?.text);
    assertEquals((await openAlarms(tenant.db)).length, 1);
    assertEquals(await turn(), []);
    clock.advance(config.intervalMillis);
    assertEquals((await turn()).length, 1);
  }));

Deno.test("the service goes on after a turn of updates that fails as a whole, and says so", () =>
  withTenant(async (publisher, tenant, folder) => {
    await publisher.release("1.0.0");
    await tenant.configure({ ...await tenant.config(), auto: "apply", install: `${folder}/app` });
    const config = "SELECT config FROM update_configs";
    const { rows: [kept] } = await tenant.db.execute<{ config: string }>({ sql: config, params: [] });
    const set = (text: string) => tenant.db.execute({ sql: "UPDATE update_configs SET config = ?", params: [text] });
    await set("{");
    const stopping = new AbortController();
    const reports: UpdateReport[] = [];
    const network = {
      ...surroundingsOf({ clock: new TestClock(NOW), fetch }),
      wait: async () => {
        if (reports.length > 1) stopping.abort();
        else await set(kept?.config ?? "");
      },
    };
    const updating = { db: tenant.db, dataFolder: tenant.folder, network, pid: Deno.pid };
    await using service = new UpdateService({ ...updating, report: (one) => reports.push(one) }, stopping.signal);
    await service.startIfWanted();
    assertEquals(await service.ended(), false);
    assertEquals(reports.map(({ product, code }) => [product, code === null]), [["all products", false], [
      PRODUCT,
      true,
    ]]);
    assertEquals((await openAlarms(tenant.db)).length, 1);
    assertEquals(await currentVersion(`${folder}/app`), "1.0.0");
  }));

Deno.test("a health check sees none of the manager's secrets, which may lie in the environment", () =>
  withTenant(async (publisher, tenant, folder) => {
    const seen = `${folder}/seen`;
    await publisher.release("1.0.0", { files: { "bin/run": `#!/bin/sh\nenv > ${seen}\n` } });
    await tenant.configure({ ...await tenant.config(), install: `${folder}/app`, health: ["bin/run"] });
    const secrets = ["AWS_SECRET_ACCESS_KEY", "POSTERN_TEST_HEALTH"];
    for (const name of secrets) Deno.env.set(name, "kept back");
    try {
      assertEquals((await applyUpdate(await tenant.environment()))?.returned, null);
    } finally {
      for (const name of secrets) Deno.env.delete(name);
    }
    const text = await Deno.readTextFile(seen);
    assert(text.includes("PATH=") && !text.includes("kept back"), text);
    const allowed = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"];
    const others = text.trim().split("\n").map((line) => line.split("=")[0] ?? "").filter((one) =>
      !allowed.includes(one)
    );
    assertEquals(others, []);
  }));
