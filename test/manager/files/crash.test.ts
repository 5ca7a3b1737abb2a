/** Writers that die, or run out of room, at any moment: the file holds the old content or the new, never a part of either. */
import { join } from "node:path";
import { sweepTemporaryFiles, writeFileDurably } from "../../../manager/files/durable.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { denoArgs, killNow, run, startScript, withFolder } from "./children.ts";

const SIZE = 2_000_000;

/** The one letter that fills the whole file. */
async function onlyLetter(path: string, size: number): Promise<string> {
  const text = await Deno.readTextFile(path);
  assertEquals(text.length, size);
  const letter = text.charAt(0);
  assert(text === letter.repeat(size), "the file mixes two contents");
  return letter;
}

Deno.test("writeFileDurably() leaves old or new content when its process is killed in the middle of writing", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    let leftBehind = 0;
    for (let round = 0; round < 6; round++) {
      const { child } = await startScript("write_in_loop.ts", path, String(SIZE));
      await new Promise((resolve) => setTimeout(resolve, 3 + round * 7));
      await killNow(child);
      await onlyLetter(path, SIZE);
      leftBehind += await sweepTemporaryFiles(folder);
      assertEquals([...Deno.readDirSync(folder)].length, 1);
    }
    assert(leftBehind > 0, "no round was killed in the middle of a write: the test proved nothing");
  }));

needs("strace").test(
  "writeFileDurably() and createExclusive() leave all or nothing when killed at each of their system calls",
  async () => {
    const steps = ["chmod:1", "rename:1", "rename:2", "fsync:1", "fsync:2", "fsync:3", "fsync:4"];
    for (const step of [...steps, "linkat:1", "unlink:1"]) {
      await withFolder(async (folder) => {
        const path = join(folder, "file");
        const how = step.startsWith("link") || step.startsWith("unlink") ? "create" : "replace";
        if (how === "replace") await writeFileDurably(path, utf8("o".repeat(1000)));
        const [call, when] = step.split(":");
        const script = denoArgs("write_in_loop.ts", path, "1000", how === "create" ? "1" : "40", how);
        // strace counts each thread's calls; 40 writes let every count be reached.
        const strace = [
          "-f",
          "-qq",
          "-o",
          "/dev/null",
          "-e",
          `trace=${call}`,
          "-e",
          `inject=${call}:signal=SIGKILL:when=${when}`,
        ];
        const result = await run("strace", ...strace, Deno.execPath(), ...script);
        assertEquals(result.signal, "SIGKILL", `not killed at ${step}: ${result.out}`);
        if (step !== "linkat:1") await onlyLetter(path, 1000);
        await sweepTemporaryFiles(folder);
        assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), step === "linkat:1" ? [] : ["file"]);
      });
    }
  },
);

needs("strace").test("writeFileDurably() syncs the content before the rename, and the folder after it", async () => {
  await withFolder(async (folder) => {
    const log = join(folder, "log");
    await Deno.mkdir(join(folder, "data"));
    const script = denoArgs("write_in_loop.ts", join(folder, "data", "file"), "1000", "1");
    const trace = "trace=write,fsync,rename,openat";
    await run("strace", "-f", "-y", "-e", trace, "-o", log, Deno.execPath(), ...script);
    const order = (await Deno.readTextFile(log)).split("\n").filter((line) => line.includes(`${folder}/data`)).flatMap((
      line,
    ) =>
      /(write|fsync|rename)\(/.exec(line)?.slice(1).map((call) =>
        `${call} ${line.includes(".tmp") ? "file" : "folder"}`
      ) ?? []
    );
    assertEquals(order, ["write file", "fsync file", "rename file", "fsync folder"]);
  });
});

needs("mount").test("writeFileDurably() throws storage and keeps the old content when the disk is full", async () => {
  await withFolder(async (folder) => {
    assertEquals((await run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder)).code, 0);
    try {
      const path = join(folder, "file");
      await writeFileDurably(path, utf8("o".repeat(1000)));
      const error = await assertRejects(() => writeFileDurably(path, new Uint8Array(1_000_000)), "storage");
      assert(error.message.includes("free some space"), error.message);
      assertEquals(await onlyLetter(path, 1000), "o");
      assertEquals([...Deno.readDirSync(folder)].length, 1);
      await writeFileDurably(path, utf8("n".repeat(1000)));
      assertEquals(await onlyLetter(path, 1000), "n");
    } finally {
      await run("umount", folder);
    }
  });
});

Deno.test("writeFileDurably() throws storage, or dies, and keeps the old content when it passes a file size limit", async () => {
  for (const signal of ["trap '' XFSZ", "true"]) {
    await withFolder(async (folder) => {
      const path = join(folder, "file");
      await writeFileDurably(path, utf8("o".repeat(1000)));
      const script = denoArgs("write_in_loop.ts", path, "24000000", "1");
      // Blocks of 1024 bytes; room enough for what the runtime itself writes. Deno dies of SIGXFSZ unless it is ignored.
      const limited = `${signal}; ulimit -f 16384; exec "$@"`;
      const result = await run("bash", "-c", limited, "bash", Deno.execPath(), ...script);
      if (signal === "true") assertEquals(result.signal, "SIGXFSZ", result.out);
      else assertEquals(result.out.trim(), "storage");
      assertEquals(await onlyLetter(path, 1000), "o");
      await sweepTemporaryFiles(folder);
      assertEquals([...Deno.readDirSync(folder)].length, 1);
    });
  }
});
