import { join } from "node:path";
import {
  createExclusive,
  makePrivateFolder,
  removeDurably,
  sweepTemporaryFiles,
  writeFileDurably,
} from "../../../manager/files/durable.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { withFolder } from "./children.ts";

const modeOf = async (path: string): Promise<number> => ((await Deno.stat(path)).mode ?? 0) & 0o777;
const names = (folder: string): string[] => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();

Deno.test("writeFileDurably() makes and replaces a file, and leaves nothing else behind", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    for (const size of [0, 1, 65_536, 3_000_000]) {
      const content = new Uint8Array(size).fill(size % 251);
      await writeFileDurably(path, content);
      assertEquals(new Uint8Array(await Deno.readFile(path)), content);
    }
    assertEquals(names(folder), ["file"]);
  }));

Deno.test("writeFileDurably() sets exactly the mode asked for when the umask would take bits away", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    const before = Deno.umask(0o077);
    try {
      await writeFileDurably(path, utf8("x"));
      assertEquals(await modeOf(path), 0o600);
      await writeFileDurably(path, utf8("x"), 0o644);
      assertEquals(await modeOf(path), 0o644);
      await writeFileDurably(path, utf8("x"));
      assertEquals(await modeOf(path), 0o600);
    } finally {
      Deno.umask(before);
    }
  }));

Deno.test("writeFileDurably() replaces a symbolic link when there is one, and leaves its target alone", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "target"), "untouched");
    await Deno.symlink(join(folder, "target"), join(folder, "link"));
    await writeFileDurably(join(folder, "link"), utf8("new"));
    assertEquals(await Deno.readTextFile(join(folder, "target")), "untouched");
    assert((await Deno.lstat(join(folder, "link"))).isFile);
  }));

Deno.test("writeFileDurably() throws typed errors when there is no folder, or a folder of that name", () =>
  withFolder(async (folder) => {
    await assertRejects(() => writeFileDurably(join(folder, "missing", "file"), utf8("x")), "not_found");
    await Deno.mkdir(join(folder, "sub"));
    await assertRejects(() => writeFileDurably(join(folder, "sub"), utf8("x")), "storage");
    await Deno.writeTextFile(join(folder, "plain"), "x");
    await assertRejects(() => writeFileDurably(join(folder, "plain", "file"), utf8("x")), "storage");
    await assertRejects(() => writeFileDurably("/", utf8("x")), "usage");
    assertEquals(names(folder), ["plain", "sub"]);
  }));

Deno.test("createExclusive() makes a file once and refuses when anything has that name", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    await createExclusive(path, utf8("first"));
    assertEquals(await modeOf(path), 0o600);
    await assertRejects(() => createExclusive(path, utf8("second")), "conflict");
    assertEquals(await Deno.readTextFile(path), "first");
    await Deno.symlink(join(folder, "nowhere"), join(folder, "dangling"));
    await assertRejects(() => createExclusive(join(folder, "dangling"), utf8("x")), "conflict");
    assertEquals(names(folder), ["dangling", "key"]);
  }));

Deno.test("createExclusive() lets exactly one win when several try at once", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    const tries = Array.from({ length: 8 }, (_, i) => createExclusive(path, utf8(`content ${i}`)));
    const results = await Promise.allSettled(tries);
    const winners = results.flatMap((result, i) => result.status === "fulfilled" ? [i] : []);
    assertEquals(winners.length, 1);
    assertEquals(await Deno.readTextFile(path), `content ${winners[0]}`);
    assertEquals(names(folder), ["key"]);
  }));

Deno.test("removeDurably() removes a file, and says not_found when there is none", () =>
  withFolder(async (folder) => {
    await writeFileDurably(join(folder, "file"), utf8("x"));
    await removeDurably(join(folder, "file"));
    assertEquals(names(folder), []);
    await assertRejects(() => removeDurably(join(folder, "file")), "not_found");
  }));

Deno.test("makePrivateFolder() makes a folder of mode 0700 and leaves an existing one as it is", () =>
  withFolder(async (folder) => {
    const path = join(folder, "data");
    await makePrivateFolder(path);
    assertEquals(await modeOf(path), 0o700);
    await Deno.chmod(path, 0o755);
    await makePrivateFolder(path);
    assertEquals(await modeOf(path), 0o755);
    await Deno.writeTextFile(join(folder, "plain"), "x");
    await assertRejects(() => makePrivateFolder(join(folder, "plain")), "conflict");
    await assertRejects(() => makePrivateFolder(join(folder, "missing", "data")), "not_found");
  }));

Deno.test("sweepTemporaryFiles() removes what a cut-off write left, and nothing that only looks like it", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, `.postern-${crypto.randomUUID()}.tmp`), "half");
    await Deno.writeTextFile(join(folder, `.postern-${crypto.randomUUID()}.tmp`), "half");
    await Deno.mkdir(join(folder, `.postern-${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}.tmp`));
    await Deno.writeTextFile(join(folder, ".postern-mine.tmp"), "kept");
    await Deno.writeTextFile(join(folder, "database"), "kept");
    assertEquals(await sweepTemporaryFiles(folder), 2);
    assertEquals(await sweepTemporaryFiles(folder), 0);
    assertEquals(names(folder).length, 3);
  }));
