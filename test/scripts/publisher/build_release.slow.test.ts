import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { Workshop } from "./workshop.ts";

/** Runs in a place where nothing is cached and no network is reached. */
async function runAlone(workshop: Workshop, ...args: string[]): Promise<string> {
  const cache = await Deno.makeTempDir({ dir: workshop.path });
  const proxy = "http://127.0.0.1:9";
  const { success, stdout, stderr } = await new Deno.Command(`${workshop.path}/build/bin/postern`, {
    args,
    cwd: workshop.path,
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", HOME: cache, DENO_DIR: cache, HTTPS_PROXY: proxy, HTTP_PROXY: proxy },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("build_release makes a folder that runs by itself, and is described as a release", async () => {
  await using workshop = await Workshop.make();
  assertEquals(await workshop.code("build_release --output build --version 99.0.0"), "conflict");
  assertEquals(await workshop.code("build_release --output build --commit v99.0.0"), "usage");
  assertEquals([...Deno.readDirSync(workshop.path)], [], "what failed has left nothing");
  const unverified = `--packages ${PROJECT_ROOT}/node_modules --runtime ${Deno.execPath()}`;
  const { json, err } = await workshop.ok(`build_release --output build ${unverified}`);
  assertEquals([json["isVerified"], err.includes("do not publish it")], [false, true]);
  assertEquals(await workshop.code("build_release --output build"), "conflict");
  assertEquals((await runAlone(workshop, "--version")).trim(), json["version"]);
  assert((await runAlone(workshop, "--help")).includes("Usage: postern"));
  // With libSQL's native part.
  const { publicKey } = JSON.parse(await runAlone(workshop, "edge", "keygen", "--json"));
  const edge = ["--edge-url", "https://edge.example.com", "--edge-key", publicKey];
  await runAlone(workshop, "init", "--data", "data", ...edge, "--key-file", "kek", "--recovery-file", "recovery");
  for (const unneeded of ["test", "bench", "node_modules/wrangler", "node_modules/playwright-core", ".github"]) {
    assertEquals(await Deno.lstat(`${workshop.path}/build/${unneeded}`).then(() => true, () => false), false, unneeded);
  }
  // No link, no path that an instance would refuse, and nothing that running it has added.
  workshop.now = Date.now();
  const described =
    (await workshop.ok("generate_manifest --version 1.0.0 --release-dir build --output manifest.json")).json;
  assertEquals(described["files"], json["files"]);
  assert(Number(json["files"]) < 990, "GitHub takes a thousand files a release, envelope and signatures included");
});
