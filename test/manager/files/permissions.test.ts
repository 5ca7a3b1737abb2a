import { join } from "node:path";
import { checkPermissions, judgePermissions, requirePrivateFile } from "../../../manager/files/permissions.ts";
import { readBounded } from "../../../manager/files/read_bounded.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { run, withFolder } from "./children.ts";

const file = (mode: number, uid: number) => ({ isFile: true, isDirectory: false, mode: 0o100000 | mode, uid });
const folderOf = (mode: number, uid: number) => ({ isFile: false, isDirectory: true, mode: 0o40000 | mode, uid });

Deno.test("judgePermissions() finds exactly the modes and owners that let others read", () => {
  const problems = (kind: "file" | "folder", state: ReturnType<typeof file> | null, required = true) =>
    judgePermissions({ path: "/d", kind, required }, state, 1000).map((finding) => finding.problem);
  for (const mode of [0o600, 0o400, 0o000]) assertEquals(problems("file", file(mode, 1000)), []);
  for (const mode of [0o700, 0o640, 0o604, 0o602, 0o601, 0o777]) {
    assertEquals(problems("file", file(mode, 1000)), ["mode"]);
  }
  for (const mode of [0o700, 0o500]) assertEquals(problems("folder", folderOf(mode, 1000)), []);
  for (const mode of [0o750, 0o701, 0o770]) assertEquals(problems("folder", folderOf(mode, 1000)), ["mode"]);
  assertEquals(problems("file", file(0o600, 0)), []);
  assertEquals(problems("file", file(0o600, 1001)), ["owner"]);
  assertEquals(problems("file", file(0o644, 1001)), ["mode", "owner"]);
  assertEquals(problems("file", folderOf(0o700, 1000)), ["kind"]);
  assertEquals(problems("folder", file(0o600, 1000)), ["kind"]);
  assertEquals(problems("file", null), ["missing"]);
  assertEquals(problems("file", null, false), []);
});

Deno.test("judgePermissions() judges presence and kind alone when the system has no user numbers", () => {
  assertEquals(judgePermissions({ path: "C:\\d", kind: "file" }, file(0o666, 1), null), []);
  assertEquals(judgePermissions({ path: "C:\\d", kind: "folder" }, file(0o666, 1), null).length, 1);
});

Deno.test("checkPermissions() gives a remedy that mends what it found when it is run", () =>
  withFolder(async (folder) => {
    const uid = Deno.uid();
    const sub = join(folder, "it's a folder");
    const path = join(sub, "key file");
    await Deno.mkdir(sub);
    await Deno.chmod(sub, 0o755);
    await Deno.writeTextFile(path, "secret");
    await Deno.chmod(path, 0o664);
    const targets = [{ path: sub, kind: "folder" as const }, { path, kind: "file" as const }];
    const findings = await checkPermissions(targets, uid);
    assertEquals(findings.map(({ problem, found, expected }) => [problem, found, expected]), [
      ["mode", "0755", "0700"],
      ["mode", "0664", "0600"],
    ]);
    for (const finding of findings) assertEquals((await run("sh", "-c", finding.remedy)).code, 0);
    assertEquals(await checkPermissions(targets, uid), []);
    const missing = join(folder, "missing");
    assertEquals((await checkPermissions([{ path: missing, kind: "file" }], uid)).map((f) => f.problem), ["missing"]);
    const through = await checkPermissions([{ path: join(path, "below"), kind: "file" }], uid);
    assertEquals(through.map((f) => f.problem), ["unreadable"]);
  }));

Deno.test("requirePrivateFile() refuses a readable key file with the command that mends it, and accepts it afterwards", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    await Deno.writeTextFile(path, "secret");
    await Deno.chmod(path, 0o644);
    const read = () => readBounded(path, 100, requirePrivateFile(path, Deno.uid()));
    const error = await assertRejects(read, "configuration");
    assert(error.message.includes(`chmod 0600 ${path}`), error.message);
    assert(!error.message.includes("secret"));
    await Deno.chmod(path, 0o400);
    assertEquals((await read()).length, 6);
  }));
