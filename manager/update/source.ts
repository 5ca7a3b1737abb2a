/** Where releases come from. A source is not believed: it hands over bytes, and everything else is for whoever reads them. */
import { PosternError } from "../../shared/errors.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { concat } from "../../shared/bytes/bytes.ts";
import type { SourceConfig } from "./config.ts";
import { type Fetch, httpSource } from "./http_source.ts";
import { folderSource } from "./folder_source.ts";
import { FILE_PACE, type Pace, paced } from "./pace.ts";

/** A file that comes. */
export interface Opened {
  readonly body: ReadableStream<Uint8Array>;
  /** The byte that it begins with: the one asked for, or 0 from a source that cannot go on in the middle. */
  readonly from: number;
}

export interface ReleaseSource {
  /**
   * Opens a place of shared/manifest/places.ts.
   *
   * @param from the first byte that is wanted
   * @returns null if there is no such file
   * @throws `network`, `storage`
   */
  open(place: string, from: number, signal: AbortSignal): Promise<Opened | null>;
}

/** A source by its configuration. */
export function openSource(config: SourceConfig, fetch: Fetch): ReleaseSource {
  return config.kind === "folder" ? folderSource(config.path) : httpSource(config, fetch);
}

/** What reading is bounded by. */
export interface Reading {
  readonly maxBytes: number;
  readonly pace?: Pace | undefined;
  readonly stop?: AbortSignal | undefined;
}

/**
 * A whole small file.
 *
 * @returns null if there is none
 * @throws `too_large` at the first byte beyond the limit; `network` when it comes too slowly or breaks off
 */
// spec: IDX-06
export async function readPlace(source: ReleaseSource, place: string, reading: Reading): Promise<Bytes | null> {
  const { maxBytes, pace = FILE_PACE, stop } = reading;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of paced((signal) => source.open(place, 0, signal), place, pace, stop)) {
    if (part === null) return null;
    if ("from" in part) continue;
    size += part.length;
    if (size > maxBytes) throw new PosternError("too_large", `${place} has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return concat(...parts);
}

/** The same for what must be there. @throws `not_found` as well */
export async function requirePlace(source: ReleaseSource, place: string, reading: Reading): Promise<Bytes> {
  const bytes = await readPlace(source, place, reading);
  if (bytes === null) throw new PosternError("not_found", `the source has no ${place}`);
  return bytes;
}
