/** The main job as a user starts it: real processes, a real port, folders that begin empty. */
import { join } from "node:path";
import { runtimeRoots } from "../../manager/certificates/runtime_roots.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals } from "../assert.ts";

interface Summary {
  readonly ok: boolean;
  readonly owner: string;
  readonly generation: number;
  readonly epoch: number;
  readonly verified: boolean;
  readonly rows: { readonly devices: number; readonly certificates: number; readonly messages: number };
  readonly lookups: number;
  readonly submissions: { readonly sent: number; readonly taken: number };
}

const LETTER =
  "From: ann@example.org\r\nSubject: Side door\r\nDate: Tue, 1 Jan 2030 10:00:00 +0000\r\n\r\nCome in.\r\n";

function start(...args: string[]): Deno.Command {
  const script = join(PROJECT_ROOT, "scripts/start.ts");
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", "--config", join(PROJECT_ROOT, "deno.json"), script, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function once(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await start("--once", ...args).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

function summaryOf(out: string): Summary {
  assertEquals(out.trimEnd().split("\n").length, 1, "one line on standard output");
  return JSON.parse(out) as Summary;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-start-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("start does the whole job in an empty folder, and a second start continues it", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.writeTextFile(join(folder, "letter.eml"), LETTER);
    const first = await once("--json", "--data", data, "--mail", join(folder, "letter.eml"));
    assertEquals(first.code, 0, first.err);
    const made = summaryOf(first.out);
    assert(made.ok && made.verified && /^[0-9a-f]{64}$/.test(made.owner));
    assertEquals([made.rows.devices, made.submissions], [1, { sent: 2, taken: 2 }]);
    assert(made.rows.certificates > 200 && made.rows.messages >= 2 && made.lookups >= 2);
    assert(first.err.includes("Side door"), "the device read the mail");
    assert(/local copy of generation \d+, .*fetched whole/.test(first.err), "the device has a copy");
    assert(first.err.includes("0600"), "what the key file does not protect is said");
    for (const part of ["edge", "manager", "device"]) {
      assertEquals(((await Deno.stat(join(data, part))).mode ?? 0) & 0o777, 0o700, part);
    }
    assertEquals(((await Deno.stat(join(data, "manager/kek.key"))).mode ?? 0) & 0o777, 0o600);

    const second = await once("--json", "--data", data, "--interval", "3600");
    assertEquals(second.code, 0, second.err);
    const continued = summaryOf(second.out);
    assertEquals(continued.owner, made.owner);
    assert(continued.ok && continued.generation > made.generation && continued.rows.devices === 1);
    assert(!second.err.includes("check code"), "the device is known");
    assert(/local copy of generation \d+/.test(second.err), "its copy goes on");
    const { headTime, nextDue } = await statusOf(join(data, "manager"));
    assertEquals(Date.parse(nextDue) - Date.parse(headTime), 3 * 3_600_000);
    await holdsNothingReadable(join(data, "edge"));
  });
});

/** What the command line says of the same folder. */
async function statusOf(folder: string): Promise<{ headTime: string; nextDue: string }> {
  const script = join(PROJECT_ROOT, "manager/cli/main.ts");
  const args = ["run", "--allow-all", "--quiet", script, "status", "--json", "--data", folder];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: PROJECT_ROOT }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Nothing that the owner or the mail named stands in any file of the edge. */
async function holdsNothingReadable(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(join(folder, name)));
    for (const mark of ["Side door", "Come in.", "ann@example.org", "DigiCert", "Mozilla"]) {
      assert(!text.includes(mark), `${name} holds '${mark}'`);
    }
  }
}

Deno.test("start goes on as a service, turn by turn, and ends cleanly on SIGTERM", async () => {
  await withFolder(async (folder) => {
    const child = start("--json", "--data", folder, "--interval", "1").spawn();
    let log = "";
    let isTold = false;
    const reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        log += text;
        if (isTold || (log.match(/local copy of generation/g) ?? []).length < 4) continue;
        isTold = true;
        child.kill("SIGTERM");
      }
    })();
    const out = await new Response(child.stdout).text();
    const { code } = await child.status;
    await reading;
    assertEquals(code, 0, log);
    assert(summaryOf(out).ok);
    assert(log.includes("stopping"));
    // Whatever was under way, the next start goes on from there.
    assertEquals((await once("--data", folder)).code, 0);
  });
});

Deno.test("start that was killed at any moment is continued by the next one", async () => {
  for (const mark of ["Postern in", "new:", "paired", "imported", "read back", "handed in"]) {
    await withFolder(async (folder) => {
      await killedAt(mark, folder);
      const { code, out, err } = await once("--json", "--data", folder);
      assertEquals(code, 0, `after '${mark}': ${err}`);
      const { ok, verified, rows } = summaryOf(out);
      assertEquals([ok, verified, rows.devices], [true, true, 1], `after '${mark}'`);
      assert(rows.certificates >= 2 * [...runtimeRoots("bundled")].length, `after '${mark}': ${rows.certificates}`);
    });
  }
});

/** Starts in an empty folder, and kills as soon as it says so. */
async function killedAt(mark: string, folder: string): Promise<void> {
  const child = start("--once", "--data", folder).spawn();
  let log = "";
  let isKilled = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    log += text;
    if (isKilled || !log.includes(mark)) continue;
    isKilled = true;
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // On a busy machine it may have come to its end before its words were read.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  await child.stdout.cancel();
  await child.status;
  assert(isKilled, `it never said '${mark}': ${log}`);
}

Deno.test("start says what is wrong in a line, with an exit code, and no stack trace", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const cases: readonly (readonly [number, readonly string[], string])[] = [
      [2, ["--nonsense"], "--nonsense"],
      [2, ["--interval", "0"], "--interval"],
      [66, ["--data", join(folder, "data"), "--mail", join(folder, "nothing")], "does not exist"],
      [74, ["--data", join(folder, "file/data")], "a part of the path is a file"],
      [73, ["--data", join(folder, "file")], "exists already"],
      [66, ["--data", "/proc/nothing"], "/proc/nothing"],
      [74, ["--data", join(folder, "odd")], "a folder is where a file should be"],
    ];
    await Deno.mkdir(join(folder, "odd/edge/settings.json"), { recursive: true, mode: 0o700 });
    for (const [expected, args, said] of cases) {
      const { code, out, err } = await once(...args, "--json");
      assertEquals(code, expected, `${args.join(" ")}: ${err}`);
      const { ok, error } = JSON.parse(out) as { ok: boolean; error: { code: string; message: string } };
      assert(!ok && error.message.includes(said), out);
      assert(err.includes(said) && !/\n\s+at /.test(err), err);
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["file", "odd"]);
  });
});

Deno.test("start says who may have its port, and what to do, when something listens there", async () => {
  await withFolder(async (folder) => {
    assertEquals((await once("--data", folder)).code, 0);
    const { origin } = JSON.parse(await Deno.readTextFile(join(folder, "edge/settings.json"))) as { origin: string };
    using _taken = Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(origin).port) });
    const { code, err } = await once("--data", folder);
    assertEquals(code, 78, err);
    assert(err.includes(new URL(origin).host) && err.includes("--data"), err);
  });
});
