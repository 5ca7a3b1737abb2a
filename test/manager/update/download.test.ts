/** How often a source is asked for a file, and for how much of it. */
import { join } from "node:path";
import { downloadRelease } from "../../../manager/update/download.ts";
import type { ReleaseSource } from "../../../manager/update/source.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { contentOf, namesIn, withFolder } from "./scratch.ts";

const TEXT = "the content of the file";
const content = contentOf(TEXT);
const manifest: ReleaseManifest = {
  ...{ product: "postern", version: "1.0.0", tagName: "v1.0.0", isCritical: false, created: 0, expires: 1 },
  files: [{ path: "file", mode: "0644", ...content }],
};

interface Scene {
  /** What the source gives from a byte on; null breaks off. */
  readonly answer: (from: number) => Bytes | null;
  /** Here from an earlier try. */
  readonly part?: string;
}

/** Downloads, and says from which bytes on the source was asked, and how long was waited in between, Millis. */
async function download({ answer, part }: Scene) {
  const [asked, waited]: [number[], number[]] = [[], []];
  const source: ReleaseSource = {
    open(_place, from) {
      asked.push(from);
      const bytes = answer(from);
      if (bytes === null) return Promise.reject(new PosternError("network", "broken off"));
      return Promise.resolve({ body: new Blob([bytes]).stream(), from });
    },
  };
  const wait = (millis: number) => Promise.resolve(void waited.push(millis));
  let code = "";
  let left: string[] = [];
  await withFolder(async (folder) => {
    const cache = { folder: join(folder, "cache"), parts: join(folder, "parts") };
    for (const path of [cache.folder, cache.parts]) await Deno.mkdir(path);
    if (part !== undefined) await Deno.writeTextFile(join(cache.parts, content.sha256), part);
    try {
      await downloadRelease(manifest, { source, cache, wait });
    } catch (error) {
      if (!(error instanceof PosternError)) throw error;
      code = error.code;
    }
    left = namesIn(cache.folder);
  });
  return { asked, waited, code, isThere: left.includes(content.sha256) };
}

const whole = (from: number) => utf8(TEXT).subarray(from);

Deno.test("a part that is whole already is not asked for again, and one that is too long is begun anew", async () => {
  const done = { waited: [], code: "", isThere: true };
  assertEquals(await download({ answer: whole }), { ...done, asked: [0] });
  assertEquals(await download({ answer: whole, part: TEXT }), { ...done, asked: [] });
  assertEquals(await download({ answer: whole, part: TEXT.slice(0, 7) }), { ...done, asked: [7] });
  assertEquals(await download({ answer: whole, part: `${TEXT}.` }), { ...done, asked: [0] });
});

Deno.test("a file that is another is asked for once, or twice when the fault may be this disk's", async () => {
  const answer = (from: number) => utf8("x".repeat(TEXT.length - from));
  const refused = { waited: [], code: "tampered", isThere: false };
  assertEquals(await download({ answer }), { ...refused, asked: [0] });
  assertEquals(await download({ answer, part: "the" }), { ...refused, asked: [3, 0] });
});

Deno.test("a source that breaks off is asked four times, after longer and longer", async () => {
  const found = await download({ answer: () => null });
  assertEquals(found, { asked: [0, 0, 0, 0], waited: [1_000, 4_000, 16_000], code: "network", isThere: false });
});

Deno.test("parts that cannot be written are told of as the disk's fault", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const cache = { folder, parts: join(folder, "file") };
    const source: ReleaseSource = { open: () => Promise.resolve(null) };
    await assertRejects(() => downloadRelease(manifest, { source, cache, wait: () => Promise.resolve() }), "storage");
  }));
