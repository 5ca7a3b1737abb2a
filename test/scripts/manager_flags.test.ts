import { PROJECT_ROOT } from "../../scripts/files.ts";
import { MANAGER_ENV, MANAGER_V8_FLAGS } from "../../scripts/manager_flags.ts";
import { assert } from "../assert.ts";

Deno.test("whatever starts a manager starts it with the flags and the environment that it was measured with", async () => {
  const read = (path: string) => Deno.readTextFile(`${PROJECT_ROOT}/${path}`);
  const { tasks } = JSON.parse(await read("deno.json")) as { tasks: Record<string, { command: string }> };
  const starts = [
    ...["start", "postern"].map((task) => [task, tasks[task]?.command ?? ""] as const),
    ...await Promise.all(
      ["postern.service", "postern-sync.service"].map(async (unit) =>
        [
          unit,
          (await read(`manager/service/systemd/${unit}`)).replaceAll(/\n(?!ExecStart|Environment).*/g, ""),
        ] as const
      ),
    ),
  ];
  const env = Object.entries(MANAGER_ENV).map(([name, value]) => `${name}=${value}`);
  for (const [name, command] of starts) {
    assert(command.includes(` ${MANAGER_V8_FLAGS} `), `${name}: ${command}`);
    assert(env.every((setting) => command.includes(setting)), `${name}: ${command}`);
  }
});
