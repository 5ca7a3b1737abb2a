/** Updates with the runtime's permissions that the service is installed with. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { readOptions } from "../../../scripts/service/options.ts";
import { planInstall } from "../../../scripts/service/plan.ts";
import { EXIT } from "../../../manager/cli/exit_codes.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { currentVersion } from "../../../manager/update/install_folder.ts";
import type { UpdateReport } from "../../../manager/update/unattended.ts";
import { assert, assertEquals } from "../../assert.ts";
import { withTenant } from "./tenant.ts";

const UNIT = "postern.service";

/** The files that an installation writes, each by the end of its path. */
async function planned(...args: readonly string[]): Promise<(end: string) => string> {
  const units = { [UNIT]: await Deno.readTextFile(join(PROJECT_ROOT, "manager/service/systemd", UNIT)) };
  const graph = { files: [], packages: [] };
  const sources = { runtime: "/bin/deno", projectRoot: "/project", graph, compilerOptions: {}, imports: {}, units };
  const steps = planInstall(readOptions(args), sources);
  return (end) =>
    steps.flatMap((one) => one.kind === "write" && one.path.endsWith(`/${end}`) ? [one.content] : [])[0] ?? "";
}

/** The runtime's flags that a file starts the program with. */
function flagsOf(text: string): string[] {
  return / run (.*) \S+main\.ts /.exec(text)?.[1]?.split(" ") ?? [];
}

/** A turn of unattended updates with these flags, of the data folder that they name; what it reported. */
async function turn(flags: readonly string[], folder: string) {
  const args = ["run", "--quiet", "--no-check", "--config", join(PROJECT_ROOT, "deno.json"), ...flags];
  const entry = join(PROJECT_ROOT, "test/manager/update/turner.ts");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args.map((flag) => flag.replace("/var/lib/postern", folder)), entry, folder],
    env: { NO_COLOR: "1" },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const [report] = JSON.parse(new TextDecoder().decode(stdout)) as UpdateReport[];
  assert(report !== undefined);
  return report;
}

Deno.test("the service that --self-update installs updates unattended; the other says what it was not permitted, and goes on", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install, health: ["bin/run"], auto: "apply", restarts: true });
    await publisher.release("1.0.0");
    const narrow = flagsOf((await planned())(UNIT));
    assert(narrow.includes("--allow-run=systemd-notify"), narrow.join(" "));
    const refused = await turn(narrow, tenant.folder);
    assert(refused.text.includes("start the program with this permission"), refused.text);
    assertEquals([refused.code, (await openAlarms(tenant.db))[0]?.code], ["configuration", "configuration"]);
    assertEquals(await currentVersion(install), undefined);
    // The next one is due at once, in the service that the owner installed instead.
    await tenant.db.execute({ sql: "DELETE FROM update_checks", params: [] });
    const done = await turn(flagsOf((await planned("--self-update"))("postern-service")), tenant.folder);
    assertEquals([done.text, done.restarts], ["switched from nothing to 1.0.0", true]);
    assertEquals(await currentVersion(install), "1.0.0");
  }));

Deno.test("what --self-update installs starts the release that was switched to, and the installed program before", async () => {
  const folder = await Deno.makeTempDir({ prefix: "postern-installed-" });
  try {
    const user = new TextDecoder().decode((await new Deno.Command("id", { args: ["-un"] }).output()).stdout).trim();
    const textOf = await planned("--self-update", "--prefix", folder);
    const say = async (path: string, text: string) => {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, `#!/bin/sh\necho ${text} "$*"\n`, { mode: 0o755 });
    };
    await say(join(folder, "bin/deno"), "installed");
    const start = async (file: string) => {
      const text = textOf(file).replace("as_user=postern", `as_user=${user}`);
      return await new Deno.Command("sh", { args: ["-c", text, file, "status"] }).output();
    };
    const started = async (file: string) => new TextDecoder().decode((await start(file)).stdout).trim();
    for (const file of ["postern-service", "local/bin/postern"]) {
      const before = await started(file);
      assert(before.startsWith("installed run") && before.endsWith("main.ts status"), before);
    }
    await say(join(folder, "releases/1.1.0/bin/postern"), "released");
    await Deno.symlink("1.1.0", join(folder, "releases/current"));
    for (const file of ["postern-service", "local/bin/postern"]) assertEquals(await started(file), "released status");
    // One that switches to the next and ends, for which systemd starts the service once more.
    await say(join(folder, "releases/1.2.0/bin/postern"), "next");
    const switching = `#!/bin/sh\nln -sfn 1.2.0 ${folder}/releases/current\nexit ${EXIT.restart}\n`;
    await Deno.writeTextFile(join(folder, "releases/1.1.0/bin/postern"), switching);
    assertEquals((await start("postern-service")).code, EXIT.restart);
    const [, final = ""] = /^RestartPreventExitStatus=(.*)$/m.exec(textOf(UNIT)) ?? [];
    assert(textOf(UNIT).includes("\nRestart=on-failure\n") && !final.split(" ").includes(String(EXIT.restart)), final);
    assertEquals(await started("postern-service"), "next status");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
