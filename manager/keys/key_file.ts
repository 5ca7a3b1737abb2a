/**
 * The KEK from a file of 32 random bytes: on this disk or a USB stick, or handed to the service by systemd.
 *
 * A key file on the same disk protects against the loss of the database or of its backup alone, and not against whoever takes
 * the disk.
 */
import { join } from "node:path";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { createExclusive } from "../files/durable.ts";
import { requirePrivateFile } from "../files/permissions.ts";
import { readBounded } from "../files/read_bounded.ts";
import { type KekProvider, requireKind } from "./provider.ts";
import { KEK_SECRET_BYTES, openKey, sealKey } from "./seal.ts";

export const KEY_FILE_KIND = "key-file";
export const CREDENTIAL_KIND = "systemd-credential";

/** 64 digits and a line end. */
const MAX_FILE_BYTES = 2 * KEK_SECRET_BYTES + 2;

/**
 * Makes a key file of mode 0600, complete and durable when this returns; it never replaces one, which would lose what that
 * one protects.
 *
 * @param form `hex` (a line of text, as `openssl rand -hex 32` prints it) or `raw` (32 bytes)
 * @throws `conflict` if the file exists; `storage`, `not_found`
 */
export async function createKeyFile(path: string, random: RandomBytes, form: "hex" | "raw" = "hex"): Promise<void> {
  const secret = random(KEK_SECRET_BYTES);
  await createExclusive(path, form === "raw" ? secret : utf8(`${toHex(secret)}\n`));
  secret.fill(0);
}

/**
 * Opens a key file that nobody else may read.
 *
 * @param uid the user that the manager runs as, null where the system has none
 * @throws `configuration` for a file that others may read; `not_found`, `storage`; `malformed` for anything but a key
 */
export async function openKeyFile(path: string, uid: number | null, random: RandomBytes): Promise<KekProvider> {
  const secret = await readSecret(path, requirePrivateFile(path, uid));
  return fileKek(KEY_FILE_KIND, `key file ${path}`, secret, random);
}

/**
 * Opens a credential that systemd handed to the service (`LoadCredential=`, `LoadCredentialEncrypted=`). Its mode is systemd's
 * business: the folder belongs to the service alone, and the files are readable by nobody else whatever their bits say.
 *
 * @param folder the value of `$CREDENTIALS_DIRECTORY`, undefined if it is not set
 * @throws `configuration` when there is no such folder or credential; `malformed` for anything but a key
 */
export async function openCredential(
  folder: string | undefined,
  name: string,
  random: RandomBytes,
): Promise<KekProvider> {
  if (folder === undefined || folder === "") {
    const advice =
      `run as a systemd service with LoadCredentialEncrypted=${name}:FILE in its unit, or choose another KEK`;
    throw new PosternError("configuration", `CREDENTIALS_DIRECTORY is not set: ${advice}`);
  }
  // systemd.exec(5): a credential's name is a valid file name.
  if (!/^[^/\0]{1,255}$/.test(name) || name === "." || name === "..") {
    throw new PosternError("configuration", "the name of a systemd credential is a file name, without '/'");
  }
  try {
    const secret = await readSecret(join(folder, name));
    return fileKek(CREDENTIAL_KIND, `systemd credential ${name}`, secret, random);
  } catch (error) {
    if (!isPosternError(error, "not_found")) throw error;
    const advice = `put LoadCredential=${name}:FILE, or LoadCredentialEncrypted=, into the unit`;
    throw new PosternError("configuration", `systemd handed no credential '${name}' to this service: ${advice}`, {
      cause: error,
    });
  }
}

function fileKek(kind: string, description: string, secret: Redacted<Bytes>, random: RandomBytes): KekProvider {
  const kek = { kind, parameters: {}, secret };
  const provider: KekProvider = {
    kind,
    describe: () => description,
    wrap: (key, context) => sealKey(kek, key, context, random),
    async unwrap(wrapped, context) {
      requireKind(provider, wrapped);
      if (Object.keys(wrapped.parameters).length > 0) {
        throw new PosternError("unsupported", `a key wrapped by a ${kind} has no parameters, and this one has`);
      }
      return await openKey(kek, wrapped, context, "name the one from when it was wrapped, or restore it from a backup");
    },
  };
  return provider;
}

async function readSecret(path: string, inspect?: (info: Deno.FileInfo) => void): Promise<Redacted<Bytes>> {
  const content = await readBounded(path, MAX_FILE_BYTES, inspect);
  const secret = content.length === KEK_SECRET_BYTES ? content : fromHexLine(path, content);
  // What a broken disk or a failed copy leaves behind must not become the key to everything.
  if (secret.every((byte) => byte === secret[0])) {
    throw new PosternError("malformed", `${path} holds the same byte ${KEK_SECRET_BYTES} times: that is no random key`);
  }
  return new Redacted(secret);
}

function fromHexLine(path: string, content: Bytes): Bytes {
  const text = new TextDecoder("latin1").decode(content).replace(/\r?\n$/, "");
  try {
    if (text.length === 2 * KEK_SECRET_BYTES) return fromHex(text);
  } catch (error) {
    if (!isPosternError(error, "malformed")) throw error;
  }
  const forms = `${KEK_SECRET_BYTES} bytes, or ${2 * KEK_SECRET_BYTES} lower-case hexadecimal digits`;
  throw new PosternError("malformed", `${path} is no key file: it must hold ${forms}, and has ${content.length} bytes`);
}
