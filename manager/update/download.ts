/** Brings the files of a release into the cache: streamed, hashed on the way, and going on where the last try was cut off. */
import { createHash } from "node:crypto";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import { PosternError } from "../../shared/errors.ts";
import type { ReleaseManifest } from "../../shared/manifest/manifest.ts";
import { filePlace } from "../../shared/manifest/places.ts";
import { fromOsError } from "../files/os_error.ts";
import { type Cache, isCached, partPath, publishPart } from "./cache.ts";
import { hashInto } from "../files/hash_into.ts";
import type { Content } from "./hashed_file.ts";
import { FILE_PACE, type Pace, paced } from "./pace.ts";
import type { ReleaseSource } from "./source.ts";

const TRIES = 4;
const FIRST_WAIT_MILLIS = 1_000;

export interface DownloadEnvironment {
  readonly source: ReleaseSource;
  readonly cache: Cache;
  readonly wait: Surroundings["wait"];
  readonly pace?: Pace | undefined;
  readonly stop?: AbortSignal | undefined;
  /** Bytes of the release that are here, and all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a download did, in bytes. */
export interface Downloaded {
  readonly fetched: number;
  /** Here already, whole or in part. */
  readonly reused: number;
}

/**
 * Completes a release in the cache.
 *
 * @throws `network` after several tries, `not_found` for a file that the source lacks, `tampered` for one that is another, `too_large` for
 * one that does not end; `storage`, with what came so far kept
 */
export async function downloadRelease(manifest: ReleaseManifest, env: DownloadEnvironment): Promise<Downloaded> {
  const contents = [...new Map(manifest.files.map((file) => [file.sha256, file])).values()];
  const total = contents.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let fetched = 0;
  for (const content of contents) {
    if (!await isCached(env.cache, content)) {
      const place = filePlace(manifest.tagName, content.sha256);
      const onBytes = (bytes: number) => env.onProgress?.(done + bytes, total);
      fetched += await fetchContent(place, content, { ...env, onBytes });
    }
    done += content.size;
    env.onProgress?.(done, total);
  }
  return { fetched, reused: total - fetched };
}

type FileEnvironment = DownloadEnvironment & { readonly onBytes: (bytes: number) => void };

/** @returns bytes that came over the wire */
async function fetchContent(place: string, content: Content, env: FileEnvironment): Promise<number> {
  let fetched = 0;
  const count = (bytes: number) => fetched += bytes;
  for (let tries = 1;; tries++) {
    try {
      await using part = await Part.open(partPath(env.cache, content), content);
      const wasBegun = part.size > 0;
      if (part.size < content.size) await growPart(part, place, env, count);
      if (await part.finish()) break;
      // What an earlier try left may have been damaged; without it there is nothing else to blame than the source.
      if (!wasBegun) throw new PosternError("tampered", `${place} is not the file that the manifest names`);
    } catch (cause) {
      const error = fromOsError(cause, `write ${partPath(env.cache, content)}`);
      if (error.code !== "network" || tries >= TRIES) throw error;
      await env.wait(FIRST_WAIT_MILLIS * 4 ** (tries - 1), env.stop);
    }
  }
  await publishPart(env.cache, content);
  return fetched;
}

async function growPart(
  part: Part,
  place: string,
  { source, pace = FILE_PACE, stop, onBytes }: FileEnvironment,
  count: (bytes: number) => void,
): Promise<void> {
  const from = part.size;
  for await (const piece of paced((signal) => source.open(place, from, signal), place, pace, stop)) {
    if (piece === null) throw new PosternError("not_found", `the source has no ${place}`);
    if ("from" in piece) {
      if (piece.from !== from) part.restart();
      continue;
    }
    part.append(piece);
    count(piece.length);
    onBytes(part.size);
  }
  if (!part.isComplete) throw new PosternError("network", `${place} broke off`);
}

/** A file that grows, and the hash of what it has. */
class Part implements AsyncDisposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #content: Content;
  #hash = createHash("sha256");
  #size = 0;

  private constructor(path: string, file: Deno.FsFile, content: Content) {
    [this.#path, this.#file, this.#content] = [path, file, content];
  }

  static async open(path: string, content: Content): Promise<Part> {
    try {
      const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
      const part = new Part(path, file, content);
      part.#size = await hashInto(part.#hash, file, content.size + 1);
      return part;
    } catch (error) {
      throw fromOsError(error, `write ${path}`);
    }
  }

  get size(): number {
    return this.#size;
  }

  get isComplete(): boolean {
    return this.#size === this.#content.size;
  }

  restart(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    this.#hash = createHash("sha256");
    this.#size = 0;
  }

  /** @throws `too_large` beyond the size that is named; `storage` */
  append(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#content.size) {
      this.restart();
      throw new PosternError("too_large", "the source sends more than the manifest names");
    }
    try {
      for (let at = 0; at < bytes.length;) {
        const written = this.#file.writeSync(bytes.subarray(at));
        this.#hash.update(bytes.subarray(at, at + written));
        this.#size += written;
        at += written;
      }
    } catch (error) {
      throw fromOsError(error, `write ${this.#path}`);
    }
  }

  /** Whether it is right, and then on the disk; otherwise it is emptied. */
  async finish(): Promise<boolean> {
    if (this.isComplete && this.#hash.digest("hex") === this.#content.sha256) {
      await this.#file.sync();
      return true;
    }
    this.restart();
    return false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}
