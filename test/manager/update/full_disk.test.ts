/** A disk that is full in the middle of a download: `storage`, what came is kept, and all is well once there is room. */
import { join } from "node:path";
import { cachedPath, partPath, publishPart } from "../../../manager/update/cache.ts";
import { downloadRelease } from "../../../manager/update/download.ts";
import type { ReleaseSource } from "../../../manager/update/source.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { contentOf, namesIn, withFolder } from "./scratch.ts";

const TEXT = "0123456789abcdef".repeat(20_000);
const content = contentOf(TEXT);
const manifest: ReleaseManifest = {
  ...{ product: "postern", version: "1.0.0", tagName: "v1.0.0", isCritical: false, created: 0, expires: 1 },
  files: [{ path: "file", mode: "0644", ...content }],
};

/** Runs with a disk that has less room than the file needs, and one that has enough. */
async function withDisk(run: (disk: string, folder: string, grow: () => Promise<void>) => Promise<void>) {
  await withFolder(async (folder) => {
    const disk = join(folder, "disk");
    await Deno.mkdir(disk);
    await command("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk);
    try {
      await run(disk, folder, () => command("mount", "-o", "remount,size=1m", disk));
    } finally {
      await command("umount", "--lazy", disk);
    }
  });
}

async function command(name: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

needs("mount").test(
  "a download that fills the disk ends with storage, and goes on where it was once there is room",
  () =>
    withDisk(async (disk, folder, grow) => {
      const asked: number[] = [];
      const source: ReleaseSource = {
        open(_place, from) {
          asked.push(from);
          // In parts that do not fit to what the disk writes at once.
          const parts = TEXT.slice(from).match(/.{1,50000}/g) ?? [];
          return Promise.resolve({ body: ReadableStream.from(parts.map(utf8)), from });
        },
      };
      const cache = { folder: join(folder, "cache"), parts: disk };
      await Deno.mkdir(cache.folder);
      const download = () => downloadRelease(manifest, { source, cache, wait: () => Promise.resolve() });
      const { message } = await assertRejects(download, "storage");
      assert(message.includes("free some space"), message);
      const kept = await Deno.readTextFile(partPath(cache, content));
      assertEquals([kept.length > 100_000, TEXT.startsWith(kept), namesIn(cache.folder)], [true, true, []]);
      await grow();
      assertEquals(await download(), { fetched: TEXT.length - kept.length, reused: kept.length });
      assertEquals(asked, [0, kept.length]);
      assertEquals(await Deno.readTextFile(cachedPath(cache, content)), TEXT);
    }),
);

needs("mount").test(
  "a cache that is full is told of, although the file is there, and nothing unfinished is left in it",
  () =>
    withDisk(async (disk, folder, grow) => {
      const cache = { folder: disk, parts: join(folder, "parts") };
      await Deno.mkdir(cache.parts);
      await Deno.writeTextFile(partPath(cache, content), TEXT);
      await assertRejects(() => publishPart(cache, content), "storage");
      assertEquals([namesIn(disk), namesIn(cache.parts)], [[], [content.sha256]]);
      await grow();
      await publishPart(cache, content);
      assertEquals([namesIn(disk), namesIn(cache.parts)], [[content.sha256], []]);
    }),
);
