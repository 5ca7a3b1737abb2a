/** The command line as a real process: what only a process shows. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

const CONFIG = join(PROJECT_ROOT, "deno.json");
const MAIN = join(PROJECT_ROOT, "manager/cli/main.ts");

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a shell line in which `postern` is the command, with the world's data folder. */
async function shell(world: CliWorld, line: string): Promise<Ended> {
  const command = `"${Deno.execPath()}" run --allow-all --quiet --config "${CONFIG}" "${MAIN}"`;
  const script = `postern() { ${command} "$@"; }; postern_here() { exec ${command} "$@"; }\n${line}`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", script],
    cwd: world.folder,
    env: { POSTERN_DATA: world.manager, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("postern shows its help on standard output, and everywhere an example", async () => {
  await using world = await CliWorld.empty();
  const { code, out, err } = await shell(world, "postern; postern --help >/dev/null && postern device add --help");
  assertEquals([code, err], [0, ""]);
  assert(out.includes("Exit codes:") && out.includes("Examples:"));
  const wrong = await shell(world, "postern devise list --json");
  assertEquals(wrong.code, 2);
  assertEquals(JSON.parse(wrong.out).error.code, "usage");
});

Deno.test("postern reads a passphrase from a pipe, and tells a wrong one from a right one", async () => {
  await using world = await CliWorld.ready();
  await world.write("pass", "six quiet words on a page\n");
  await world.json("kek", "change", "--to-passphrase-file", "pass");
  const right = await shell(world, "postern status --passphrase-fd 3 3< <(cat pass)");
  assertEquals(right.code, 0, right.err);
  const wrong = await shell(world, "postern status --passphrase-file <(echo wrong) --json");
  assertEquals(wrong.code, 77);
  assertEquals(JSON.parse(wrong.out).error.code, "wrong_key");
  assert(!/\n\s+at /.test(wrong.err));
  assertEquals((await shell(world, "postern status")).code, 2);
});

Deno.test("postern says that the disk is full, and loses nothing", async () => {
  await using world = await CliWorld.ready();
  // A limit of this process's files stands in for a full disk: it fails writes in the same places.
  const blocks = Math.ceil((await Deno.stat(join(world.manager, "manager.db"))).size / 1_024) + 40;
  const full = await shell(world, `trap '' XFSZ; ulimit -f ${blocks}; postern cert import --runtime --trust`);
  assertEquals(full.code, 74, full.err);
  assert(/disk/.test(full.err) && !/\n\s+at /.test(full.err), full.err);
  const after = await shell(
    world,
    "postern cert import --runtime --trust --json && postern doctor --offline >/dev/null",
  );
  assertEquals(after.code, 0, after.err);
  const { certificates } = await world.json("status") as { certificates: { usable: number } };
  assert(certificates.usable > 100);
});

Deno.test("postern run ends cleanly on SIGTERM while its edge is away", async () => {
  await using world = await CliWorld.empty();
  await world.json("init", ...world.edgeArgs, "--key-file", "kek.key", "--recovery-file", "r.txt");
  const { publicKey } = await world.json("edge", "keygen") as { publicKey: string };
  await world.json("edge", "url", "http://127.0.0.1:9", "--edge-key", publicKey);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", "--config", CONFIG, MAIN, "run", "--json"],
    env: { POSTERN_DATA: world.manager },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let out = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    out += text;
    if (out.includes("\n")) child.kill("SIGTERM");
  }
  const { code } = await child.status;
  assertEquals(code, 0, await errors);
  const report = JSON.parse(out.split("\n")[0] ?? "") as { ok: boolean; error: { code: string } };
  assertEquals([report.ok, report.error.code], [false, "network"]);
  assert((await errors).endsWith("Stopped\n"));
});

Deno.test("postern edge serve runs the edge of keygen's settings as a process of its own", async () => {
  await using world = await CliWorld.empty();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const { publicKey } = await world.json("edge", "keygen", "--url", url, "--env-file", "edge.env") as {
    publicKey: string;
  };
  // By the clock of this machine, as everything in this test.
  const init = `postern init --edge-url ${url} --edge-key ${publicKey} --key-file kek.key --recovery-file r.txt --json`;
  const made = await shell(world, init);
  assertEquals(made.code, 0, made.err);
  const { owner } = JSON.parse(made.out) as { owner: string };
  await Deno.writeTextFile(world.path("edge.env"), `POSTERN_OWNERS=${owner}\n`, { append: true });
  const line = `postern_here edge serve --env-file edge.env >&2 & serve=$!
    for i in $(seq 50); do postern doctor >/dev/null && break; sleep 0.1; done
    postern cert import --runtime --trust >/dev/null && postern sync --json && postern verify --json; code=$?
    kill -TERM $serve; wait $serve; echo "served $?" >&2; exit $code`;
  const { code, out, err } = await shell(world, line);
  assertEquals(code, 0, err);
  const [synced, verified] = out.trimEnd().split("\n").map((text) => JSON.parse(text));
  assertEquals([synced.generation, verified.verified], [1, true]);
  assert(err.includes("served 0"), err);
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    return listener.addr.port;
  } finally {
    listener.close();
  }
}
