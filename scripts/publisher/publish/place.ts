/** Where releases are published to: a folder for each release, and one for what lies beside them (shared/manifest/places.ts). */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";

/** A file to be published. */
export interface Upload {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Its content from the start; each try asks anew. @throws `conflict` while it is read, if it is not what it should be */
  open(): ReadableStream<Bytes>;
}

/** Whether a file had to be sent. */
export type Sent = "sent" | "there";

/** What lies together: the files of a release, or what lies beside the releases. */
export interface PublishFolder {
  /** Puts a file, whatever was there under its name; nothing is sent if it is there already. A reader sees it complete or not at all. */
  put(upload: Upload): Promise<Sent>;
  /** The content of a file, or null if there is none. @throws `too_large` */
  read(name: string, maxBytes: number): Promise<Bytes | null>;
  /** The content of a file as it was when the folder was opened, and of those that runs which were cut off had for its place. @throws `too_large` */
  versions(name: string, maxBytes: number): Promise<Bytes[]>;
  /**
   * Puts files that belong together in the place of those that `versions` showed, one after the other.
   *
   * @throws `conflict` if another publisher replaced the first one meanwhile
   */
  replace(files: readonly Upload[]): Promise<void>;
  /** Passes files that are as they were put. @throws `conflict` */
  requireKept(uploads: readonly Upload[]): Promise<void>;
}

export interface PublishPlace {
  /** For people. */
  readonly name: string;
  /** The most bytes that a file may have there. */
  readonly maxFileBytes: number;
  /** Makes it if need be. @param tagName of a release; null for what lies beside them */
  folder(tagName: string | null): Promise<PublishFolder>;
  /** Where a lock keeps other publishers out once the folder beside the releases is made; null where none can. */
  readonly lockedBy: { readonly folder: string; readonly name: string } | null;
}

/** A file that is in memory. */
export function uploadOf(name: string, bytes: Bytes): Upload {
  return { name, size: bytes.length, sha256: toHex(sha256(bytes)), open: () => ReadableStream.from([bytes]) };
}
