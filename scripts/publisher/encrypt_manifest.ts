/** `encrypt_manifest`: makes of a manifest what may lie in public (shared/spec/manifest.md, "The envelope"). */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { fromBase64, toHex } from "../../shared/bytes/encoding.ts";
import { SYMMETRIC_KEY_BYTES } from "../../shared/crypto/brand.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import {
  encryptForRecipients,
  type Encryption,
  encryptSchema1,
  encryptToCover,
  type Recipient,
} from "../../shared/manifest/encrypt.ts";
import { parseEnvelope, type Wrap } from "../../shared/manifest/envelope.ts";
import { parseManifest } from "../../shared/manifest/manifest.ts";
import { writeFileDurably } from "../../manager/files/durable.ts";
import { requirePrivateFile } from "../../manager/files/permissions.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { openRecipients, type RecipientSource } from "./recipients.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** Up to so many instances, a wrapped key for each is small; above, the cover is the smaller one. */
export const MOST_BY_ONES = 32;
/** Files that everybody may read. */
const PUBLIC_MODE = 0o644;
const DEFAULT_REGISTRY = "registry";
const MAX_KEY_FILE_BYTES = 1_024;

interface EncryptOptions {
  readonly input: string;
  readonly output: string;
  readonly keyId: string;
  readonly schema?: "1" | "2" | "3";
  readonly key?: string;
  readonly keyFile?: string;
  readonly keyVersion?: number;
  readonly registry?: string;
  readonly classical?: boolean;
}

/** An envelope, and for how many instances it is; null where that is not the point. */
interface Encrypted {
  readonly bytes: Bytes;
  readonly recipients: number | null;
}

const HELP = `
Without --schema, a registry decides: schema 2 (one wrapped key an instance, quantum-safe) for up to ${MOST_BY_ONES} instances,
schema 3 (a cover of everybody but the revoked) above. Schema 1 has one symmetric key for all and commits to nothing;
instances take it only where they are configured to.
The registry is --registry, or POSTERN_REGISTRY, or the folder ./registry. Sign the result before it is published.`;

/** The options of `encrypt_manifest`. */
export function describeEncryptManifest(program: Command, bind: BindAction): void {
  program.description("Encrypts a manifest for the instances of a registry, or with one symmetric key.")
    .requiredOption("--input <file>", "the manifest, as generate_manifest makes it")
    .requiredOption("--output <file>", "the encrypted manifest")
    .requiredOption("--key-id <id>", "name of the manifest key")
    .addOption(new Option("--schema <number>", "what to make").choices(["1", "2", "3"]))
    .option("--key <base64>", "schema 1: the key, 32 bytes; others on this machine can see it here")
    .option("--key-file <file>", "schema 1: a file with the key in base64")
    .option("--key-version <n>", "version of the manifest key (that of the registry, or 1)", readKeyVersion)
    .option("--registry <dir>", "schemas 2 and 3: the registry of instances")
    .option("--classical", "schema 2: X25519, which is smaller and not quantum-safe")
    .addHelpText("after", HELP).action(bind(encryptManifest));
}

async function encryptManifest(options: EncryptOptions, s: ScriptSurroundings): Promise<Done> {
  const [input, output] = [resolve(s.cwd, options.input), resolve(s.cwd, options.output)];
  const manifest = parseManifest(await readBounded(input, LIMITS.maxManifestBytes));
  const key = await readKey(options, s);
  requireFitting(options, key);
  const source = options.schema === "1" ? null : await openRegistry(options, s);
  if (source !== null && source.product !== manifest.product) {
    throw new PosternError("mixed_up", `the registry is of ${source.product}, the manifest of ${manifest.product}`);
  }
  const keyVersion = options.keyVersion ?? source?.keyVersion ?? 1;
  const encryption: Encryption = { manifest, keyId: options.keyId, keyVersion, random: s.random };
  const { bytes, recipients } = source === null
    ? { bytes: await encryptSchema1(encryption, key ?? new Uint8Array(0)), recipients: null }
    : await encryptFor(source, encryption, options);
  const { schema } = parseEnvelope(bytes);
  await writeFileDurably(output, bytes, PUBLIC_MODE);
  const json = {
    ...{ output, schema, keyId: options.keyId, keyVersion, product: manifest.product, version: manifest.version },
    ...{ recipients, revoked: schema === 3 ? source?.revoked.length ?? null : null },
    ...{ bytes: bytes.length, sha256: toHex(sha256(bytes)) },
  };
  return { json, text: `Encrypted ${input} by schema ${schema}: ${output}, ${bytes.length} bytes` };
}

/** Reads instances only as far as the schema asks for them. */
async function encryptFor(
  source: RecipientSource,
  encryption: Encryption,
  options: EncryptOptions,
): Promise<Encrypted> {
  const wrap: Wrap = options.classical === true ? "x25519" : "xwing";
  const most = options.schema === undefined ? MOST_BY_ONES : LIMITS.maxRecipients;
  const recipients: Recipient[] = [];
  if (options.schema !== "3") {
    for await (const instance of source.instances()) {
      const { entrySecret, mdkVersion } = instance;
      recipients.push({ entrySecret: reveal(entrySecret), mdkVersion, publicKey: instance[wrap] });
      if (recipients.length > most) break;
    }
  }
  const isBeyond = recipients.length > most;
  if (options.schema === "3" || (options.schema === undefined && isBeyond)) {
    return { bytes: await encryptToCover(encryption, source.secret, source.revoked), recipients: null };
  }
  if (isBeyond) throw new PosternError("too_large", `schema 2 is for at most ${most} instances; take schema 3`);
  if (recipients.length === 0) throw new PosternError("not_found", "the registry has no instance to encrypt for");
  return { bytes: await encryptForRecipients(encryption, wrap, recipients), recipients: recipients.length };
}

async function openRegistry({ registry }: EncryptOptions, s: ScriptSurroundings): Promise<RecipientSource> {
  const named = registry ?? s.env("POSTERN_REGISTRY");
  try {
    return await openRecipients(resolve(s.cwd, named ?? DEFAULT_REGISTRY));
  } catch (cause) {
    if (named !== undefined || !isPosternError(cause, "not_found")) throw cause;
    throw new PosternError("usage", "for whom? Give --registry, or --schema 1 with --key-file", { cause });
  }
}

/** @throws `usage` for options that do not go together */
function requireFitting({ schema, classical, registry }: EncryptOptions, key: Bytes | null): void {
  if (schema === "1") {
    if (key === null) throw new PosternError("usage", "schema 1 needs --key or --key-file");
    if (registry !== undefined || classical === true) {
      throw new PosternError("usage", "--registry and --classical are not for schema 1");
    }
  } else if (key !== null) {
    throw new PosternError("usage", "--key and --key-file are for schema 1, which --schema 1 asks for");
  } else if (schema === "3" && classical === true) {
    throw new PosternError("usage", "--classical is for schema 2; schema 3 is quantum-safe as it is");
  }
}

async function readKey({ key, keyFile }: EncryptOptions, s: ScriptSurroundings): Promise<Bytes | null> {
  if (key !== undefined && keyFile !== undefined) throw new PosternError("usage", "--key or --key-file, not both");
  const text = keyFile === undefined ? key : await readKeyFile(resolve(s.cwd, keyFile), s);
  if (text === undefined) return null;
  const bytes = fromBase64(text);
  if (bytes.length !== SYMMETRIC_KEY_BYTES) {
    throw new PosternError("malformed", `the key of schema 1 has ${SYMMETRIC_KEY_BYTES} bytes, not ${bytes.length}`);
  }
  return bytes;
}

/** @throws `configuration` if others may read it: the key opens every release */
async function readKeyFile(path: string, { uid }: ScriptSurroundings): Promise<string> {
  return new TextDecoder().decode(await readBounded(path, MAX_KEY_FILE_BYTES, requirePrivateFile(path, uid))).trim();
}

function readKeyVersion(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a number from 1.");
  return Number(text);
}
