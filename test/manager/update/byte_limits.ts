/** Downloads, stages and notes a switch, with files that may not grow beyond each of their bytes. Prints how many tries failed. */
import { join } from "node:path";
import { partPath } from "../../../manager/update/cache.ts";
import { downloadRelease } from "../../../manager/update/download.ts";
import {
  prepareFolder,
  readJournal,
  requireStaged,
  stageRelease,
  writeJournal,
} from "../../../manager/update/install_folder.ts";
import type { ReleaseSource } from "../../../manager/update/source.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { limitFiles } from "../../tools/file_limit.ts";
import { contentOf, namesIn, withFolder } from "./scratch.ts";

const TEXT = "0123456789abcdef".repeat(12);
const content = contentOf(TEXT);
const manifest: ReleaseManifest = {
  ...{ product: "postern", version: "1.0.0", tagName: "v1.0.0", isCritical: false, created: 0, expires: 1 },
  files: [{ path: "file", mode: "0644", ...content }],
};
/** In parts that end elsewhere than the limit. */
const source: ReleaseSource = {
  open: (_place, from) =>
    Promise.resolve({ body: ReadableStream.from((TEXT.slice(from).match(/.{1,50}/g) ?? []).map(utf8)), from }),
};
let failed = 0;

/** Fails within the limit. */
async function meets(bytes: number, run: () => Promise<unknown>): Promise<void> {
  limitFiles(bytes);
  try {
    await assertRejects(run, "storage");
    failed++;
  } finally {
    limitFiles(null);
  }
}

await withFolder(async (folder) => {
  const cache = { folder: join(folder, "cache"), parts: join(folder, "parts") };
  const install = join(folder, "app");
  await Deno.mkdir(cache.parts);
  await Deno.mkdir(install);
  await prepareFolder(install);
  const download = () => downloadRelease(manifest, { source, cache, wait: () => Promise.resolve() });
  for (let bytes = 0; bytes < TEXT.length; bytes++) {
    await Deno.mkdir(cache.folder);
    await meets(bytes, download);
    assertEquals(await Deno.readTextFile(partPath(cache, content)), TEXT.slice(0, bytes));
    assertEquals(await download(), { fetched: TEXT.length - bytes, reused: bytes });
    const stage = () => stageRelease(install, manifest, () => Promise.resolve(join(cache.folder, content.sha256)));
    await meets(bytes, stage);
    assertEquals(namesIn(install, "releases"), []);
    await stage();
    await requireStaged(install, manifest);
    await Deno.remove(join(install, "releases", "1.0.0"), { recursive: true });
    await Deno.remove(cache.folder, { recursive: true });
  }
  const before = { product: "postern", from: null, to: "1.1.0", step: "switching" } as const;
  const after = { ...before, from: "1.0.0" } as const;
  await writeJournal(install, before);
  const { size } = await Deno.stat(join(install, "update.json"));
  for (let bytes = 0; bytes < size; bytes++) {
    await meets(bytes, () => writeJournal(install, after));
    assertEquals([await readJournal(install), namesIn(install)], [before, ["releases", "update.json"]]);
  }
  await writeJournal(install, after);
  assertEquals(await readJournal(install), after);
});
console.log(failed);
Deno.exit(0);
