/** The units: what they allow, and that they name what is there. */
import { basename, join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { readOptions } from "../../../scripts/service/options.ts";
import { planInstall } from "../../../scripts/service/plan.ts";
import { assert, assertEquals } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";

const FOLDER = join(PROJECT_ROOT, "manager/service/systemd");
const SERVICES = ["postern.service", "postern-sync.service"];
/** `systemd-analyze security` goes from 0 (nothing exposed) to 10. */
const MAX_EXPOSURE = 2.0;

needs("systemd-analyze").test("the units are scored at most 2.0 by systemd-analyze security", async () => {
  const folder = await Deno.makeTempDir({ prefix: "postern-units-" });
  try {
    const updating = await updatingUnits();
    assertEquals(updating.length, SERVICES.length);
    for (const { name, content } of updating) await Deno.writeTextFile(join(folder, name), content);
    for (const path of [FOLDER, folder].flatMap((one) => SERVICES.map((name) => join(one, name)))) {
      const args = ["security", "--offline=yes", "--no-pager", path];
      const { stdout, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
      const text = new TextDecoder().decode(stdout);
      const [, score] = /Overall exposure level for [\w.-]+: ([\d.]+)/.exec(text) ?? [];
      assert(score !== undefined, new TextDecoder().decode(stderr) + text);
      assert(Number(score) <= MAX_EXPOSURE, `${path} is scored ${score}:\n${text}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** What `install_service.ts --self-update` makes of them. */
async function updatingUnits(): Promise<{ name: string; content: string }[]> {
  const texts = await Promise.all(SERVICES.map(async (name) => [name, await Deno.readTextFile(join(FOLDER, name))]));
  const steps = planInstall(readOptions(["--self-update"]), {
    ...{ runtime: "/bin/deno", projectRoot: PROJECT_ROOT, graph: { files: [], packages: [] } },
    ...{ compilerOptions: {}, imports: {}, units: Object.fromEntries(texts) },
  });
  return steps.flatMap((step) =>
    step.kind === "write" && step.path.endsWith(".service")
      ? [{ name: basename(step.path), content: step.content }]
      : []
  );
}

Deno.test("both services are hardened alike, and run the same program", async () => {
  const [one, two] = await Promise.all(SERVICES.map((name) => Deno.readTextFile(join(FOLDER, name))));
  const hardening = (text = "") => text.slice(text.indexOf("# Hardening"), text.indexOf("[Install]") >>> 0).trim();
  assert(hardening(one).includes("NoNewPrivileges=yes"));
  assertEquals(hardening(two), hardening(one));
  const program = (text = "") => /^ExecStart=(.*main\.ts) (\w+)$/m.exec(text);
  assertEquals([program(one)?.[2], program(two)?.[2]], ["run", "sync"]);
  assertEquals(
    program(one)?.[1],
    program(two)?.[1]?.replace("--allow-sys ", "--allow-sys --allow-run=systemd-notify "),
  );
});

Deno.test("the units give the program no more of the runtime's permissions than it needs", async () => {
  const text = await Deno.readTextFile(join(FOLDER, "postern.service"));
  const command = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? "";
  assert(!command.includes("--allow-all") && !/ -A( |$)/.test(command));
  assert(command.includes("--allow-write=/var/lib/postern ") && command.includes("--allow-run=systemd-notify "));
});
