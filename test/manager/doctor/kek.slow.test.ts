import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "../cli/harness.ts";

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly found: string;
  readonly remedy: string | null;
}

Deno.test("doctor says that pkcs11js cannot be loaded, where it cannot", async () => {
  const script = new URL("examine_alone.ts", import.meta.url).pathname;
  // Native code may not be loaded, which is as if it had not been compiled.
  const rights = ["--allow-read", "--allow-env", "--allow-sys", "--no-prompt"];
  const uri = "pkcs11:token=postern;object=kek?module-path=/nowhere.so";
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...rights, script, uri, "/"],
    ...{ stdout: "piped", stderr: "piped" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(text.startsWith("["), new TextDecoder().decode(stderr));
  const findings = JSON.parse(text) as Finding[];
  assertEquals(findings.map(({ check, level }) => [check, level]), [["KEK", "fault"], ["library", "fault"]]);
  assert(findings[0]?.found.includes("pkcs11:build"), text);
});

Deno.test("postern doctor looks at the library that the settings name", async () => {
  await using world = await CliWorld.ready();
  const library = `${world.manager}/token.so`;
  await Deno.writeTextFile(library, "");
  await Deno.chmod(library, 0o666);
  const path = `${world.manager}/settings.json`;
  const settings = JSON.parse(await Deno.readTextFile(path));
  const pkcs11 = `pkcs11:token=postern;object=kek?module-path=${library}`;
  await Deno.writeTextFile(path, JSON.stringify({ ...settings, kek: { pkcs11 } }));
  const { code, out } = await world.run(["doctor", "--offline", "--json"]);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  assertEquals(code, 3);
  const said = findings.filter(({ check }) => check === "library").map(({ level, remedy }) => [level, remedy]);
  assertEquals(said.map(([level]) => level), ["warning", "fault"]);
  assertEquals(said[1]?.[1], `chmod go-w ${library}`);
});
