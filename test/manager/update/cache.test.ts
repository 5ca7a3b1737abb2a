/** What is taken into the cache, kept there, and believed of it. */
import { join } from "node:path";
import { cachedPath, isCached, locate, partPath, pruneCache, publishPart } from "../../../manager/update/cache.ts";
import { copyContent, hasContent, readContent } from "../../../manager/update/hashed_file.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { contentOf, namesIn, withFolder } from "./scratch.ts";

const [one, two] = [contentOf("one"), contentOf("two")];

async function cacheIn(folder: string) {
  const cache = { folder: join(folder, "cache"), parts: join(folder, "parts") };
  for (const path of [cache.folder, cache.parts]) await Deno.mkdir(path, { recursive: true });
  return cache;
}

Deno.test("pruneCache() takes out what is not kept, and nothing that is no file of a release; of a shared cache, parts alone", () =>
  withFolder(async (folder) => {
    for (const isShared of [false, true]) {
      const cache = await cacheIn(join(folder, String(isShared)));
      for (const path of [cache.folder, cache.parts]) {
        for (const name of [one.sha256, two.sha256, "README"]) await Deno.writeTextFile(join(path, name), name);
        await Deno.mkdir(join(path, "0".repeat(64)));
      }
      await pruneCache(cache, [one], isShared);
      const left = ["0".repeat(64), one.sha256, "README"].sort();
      assertEquals(namesIn(cache.parts), left);
      assertEquals(namesIn(cache.folder), isShared ? [...left, two.sha256].sort() : left);
    }
    await assertRejects(() => pruneCache({ folder: join(folder, "nowhere"), parts: folder }, [], false), "not_found");
  }));

Deno.test("publishPart() puts a part into the cache, also one of another file system", async () => {
  for (const dir of [undefined, "/dev/shm", "/var/tmp"]) {
    if (dir !== undefined && !await Deno.stat(dir).then(() => true, () => false)) continue;
    await withFolder((folder) =>
      withFolder(async (elsewhere) => {
        const cache = { ...await cacheIn(folder), parts: elsewhere };
        await Deno.writeTextFile(partPath(cache, one), "one");
        await publishPart(cache, one);
        assertEquals([await isCached(cache, one), namesIn(elsewhere)], [true, []]);
        assertEquals(await locate(cache, one), cachedPath(cache, one));
        assertEquals(((await Deno.stat(cachedPath(cache, one))).mode ?? 0) & 0o777, 0o644);
        // With something in the way it stays where it is, and nothing unfinished is left.
        await Deno.mkdir(join(cachedPath(cache, two), "x"), { recursive: true });
        await Deno.writeTextFile(partPath(cache, two), "two");
        await publishPart(cache, two);
        assertEquals(await locate(cache, two), partPath(cache, two));
        assertEquals(namesIn(cache.folder), [one.sha256, two.sha256].sort());
        // What is not there, or another, is not put anywhere.
        await Deno.remove(partPath(cache, two));
        await assertRejects(() => publishPart(cache, two), "not_found");
      }, dir)
    );
  }
});

Deno.test("a file is believed for its hash alone: one that is another, missing, no file or out of reach is told apart", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    await assertRejects(() => readContent(path, one), "not_found");
    assertEquals(await hasContent(path, one), false);
    await Deno.writeTextFile(path, "two");
    await assertRejects(() => readContent(path, one), "tampered");
    assertEquals([await hasContent(path, one), await hasContent(path, two)], [false, true]);
    await assertRejects(() => readContent(folder, one), "tampered");
    await assertRejects(() => readContent(join(path, "below"), one), "storage");
    await assertRejects(() => hasContent(join(path, "below"), one), "storage");
    await Deno.writeTextFile(join(folder, "taken"), "");
    await assertRejects(() => copyContent(path, join(folder, "taken"), two, 0o600), "conflict");
    await copyContent(path, join(folder, "copy"), two, 0o755);
    assertEquals(((await Deno.stat(join(folder, "copy"))).mode ?? 0) & 0o777, 0o755);
  }));

Deno.test("a file that is replaced between the look at it and its opening is not read, whatever it holds, and not waited for", () =>
  withFolder(async (folder) => {
    const [path, other] = [join(folder, "file"), join(folder, "other")];
    const { lstat } = Deno;
    const looked: typeof lstat = async (place) => {
      const found = await lstat(place);
      await Deno.rename(other, path);
      return found;
    };
    const others = [
      () => Deno.writeTextFile(other, "one"),
      () => Deno.symlink("elsewhere", other),
      // Nobody writes to it.
      () => new Deno.Command("mkfifo", { args: [other] }).output(),
    ];
    await Deno.writeTextFile(join(folder, "elsewhere"), "one");
    for (const make of others) {
      await Deno.remove(path).catch(() => {});
      await Deno.writeTextFile(path, "one");
      await make();
      Reflect.set(Deno, "lstat", looked);
      try {
        await assertRejects(() => readContent(path, one), "tampered");
      } finally {
        Reflect.set(Deno, "lstat", lstat);
      }
    }
    await Deno.remove(path);
    await Deno.writeTextFile(path, "one");
    await readContent(path, one);
  }));
