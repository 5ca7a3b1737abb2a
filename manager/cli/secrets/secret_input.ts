/** Passphrases from files, descriptors and the terminal; never from arguments or variables, which other users can see. */
import { resolve } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { concat } from "../../../shared/bytes/bytes.ts";
import type { Redacted } from "../../../shared/crypto/redacted.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { fromOsError } from "../../files/os_error.ts";
import { requirePrivateFile } from "../../files/permissions.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { passphraseOf } from "../../keys/passphrase.ts";
import type { CliSurroundings } from "../surroundings.ts";

/** Where a passphrase is to be read from. */
export interface PassphraseSource {
  /** A file that nobody else may read, or a pipe. */
  readonly file?: string | undefined;
  /** An open descriptor; 0 is standard input. */
  readonly fd?: string | undefined;
}

/** What reading takes from the machine. */
export type SecretSurroundings = Pick<CliSurroundings, "cwd" | "uid" | "readInput">;

/** UTF-8 takes at most four bytes for a character. */
const MAX_PASSPHRASE_BYTES = 4 * LIMITS.maxPassphraseChars + 2;

/** Reads the passphrase from the source, or null when none is named. @throws `usage`, `configuration`, `not_found`, `storage` */
export async function passphraseFrom(
  source: PassphraseSource,
  s: SecretSurroundings,
): Promise<Redacted<string> | null> {
  if (source.fd !== undefined && source.file !== undefined) {
    throw new PosternError("usage", "Name a file or a descriptor for the passphrase, not both");
  }
  if (source.fd !== undefined) return passphraseOf(await readDescriptor(source.fd, s));
  if (source.file !== undefined) return passphraseOf(await readSecretFile(resolve(s.cwd, source.file), s));
  return null;
}

async function readDescriptor(text: string, s: SecretSurroundings): Promise<Bytes> {
  if (!/^\d{1,4}$/.test(text)) {
    throw new PosternError("usage", `A descriptor is a number, such as 3 for 3<FILE; found '${text}'`);
  }
  if (text === "0") return await s.readInput(MAX_PASSPHRASE_BYTES);
  // The runtime numbers its own resources; the system's are reached by this path.
  return await readPipe(`/dev/fd/${text}`);
}

async function readSecretFile(path: string, s: SecretSurroundings): Promise<Bytes> {
  let isFile: boolean;
  try {
    isFile = (await Deno.stat(path)).isFile;
  } catch (error) {
    throw fromOsError(error, `read the passphrase from ${path}`);
  }
  return isFile ? await readBounded(path, MAX_PASSPHRASE_BYTES, requirePrivateFile(path, s.uid)) : await readPipe(path);
}

async function readPipe(path: string): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    using file = await Deno.open(path, { read: true });
    for (;;) {
      const chunk = new Uint8Array(1_024);
      const count = await file.read(chunk);
      if (count === null) return concat(...chunks);
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > MAX_PASSPHRASE_BYTES) throw new PosternError("usage", "The passphrase is too long");
    }
  } catch (error) {
    throw fromOsError(error, `read the passphrase from ${path}`);
  }
}
