import { join } from "node:path";
import { readBounded } from "../../../manager/files/read_bounded.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { run, withFolder } from "./children.ts";

Deno.test("readBounded() reads up to its limit and not one byte more", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    for (const size of [0, 1, 99, 100]) {
      const content = new Uint8Array(size).fill(7);
      await Deno.writeFile(path, content);
      assertEquals(await readBounded(path, 100), content);
    }
    for (const size of [101, 5_000]) {
      await Deno.writeFile(path, new Uint8Array(size));
      await assertRejects(() => readBounded(path, 100), "too_large");
    }
  }));

needs("proc").test("readBounded() reads, or refuses by its true length, a file that claims to be empty", async () => {
  const path = "/proc/self/status";
  assertEquals((await Deno.stat(path)).size, 0);
  const whole = await readBounded(path, 100_000);
  assert(new TextDecoder().decode(whole).includes("Pid:"));
  assert(whole.length > 600);
  await assertRejects(() => readBounded(path, 600), "too_large");
});

Deno.test("readBounded() throws typed errors for what is no regular file", () =>
  withFolder(async (folder) => {
    await assertRejects(() => readBounded(join(folder, "missing"), 100), "not_found");
    await assertRejects(() => readBounded(folder, 100), "unsupported");
    await assertRejects(() => readBounded("/dev/zero", 100), "unsupported");
    await Deno.symlink("loop", join(folder, "loop"));
    await assertRejects(() => readBounded(join(folder, "loop"), 100), "storage");
    await run("mkfifo", join(folder, "pipe"));
    await assertRejects(() => readBounded(join(folder, "pipe"), 100), "unsupported");
  }));

Deno.test("readBounded() hands the opened file's state to inspect, and reads nothing when that throws", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "four", { mode: 0o640 });
    await Deno.chmod(path, 0o640);
    const refuse = (info: Deno.FileInfo) => {
      throw new PosternError("configuration", `${info.size} ${((info.mode ?? 0) & 0o777).toString(8)}`);
    };
    assertEquals((await assertRejects(() => readBounded(path, 100, refuse), "configuration")).message, "4 640");
  }));
