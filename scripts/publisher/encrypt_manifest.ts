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
import type { RecipientSource } from "./recipients.ts";
import { isNamed, openRegistry, type RegistryOptions, registryOptions } from "./registry/folder.ts";
import type { Registry } from "./registry/registry.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** Up to so many instances, a wrapped key for each is small; above, the cover is the smaller one. */
const MOST_BY_ONES = 32;
/** Files that everybody may read. */
const PUBLIC_MODE = 0o644;
const MAX_KEY_FILE_BYTES = 1_024;

interface EncryptOptions extends RegistryOptions {
  readonly input: string;
  readonly output: string;
  readonly keyId: string;
  readonly schema?: "1" | "2" | "3";
  readonly key?: string;
  readonly keyFile?: string;
  readonly keyVersion?: number;
  readonly classical?: boolean;
}

/** An envelope, for how many instances it is, and how many it leaves out; null where that is not the point. */
interface Encrypted {
  readonly bytes: Bytes;
  readonly keyVersion: number;
  readonly recipients: number | null;
  readonly revoked: number | null;
}

const HELP = `
Without --schema, a registry decides: schema 2 (one wrapped key an instance, quantum-safe) for up to ${MOST_BY_ONES} instances,
schema 3 (a cover of everybody but the revoked) above. Schema 1 has one symmetric key for all and commits to nothing;
instances take it only where they are configured to.
The registry is --registry, or POSTERN_REGISTRY, or the folder ./registry. Sign the result before it is published.`;

/** The options of `encrypt_manifest`. */
export function describeEncryptManifest(program: Command, bind: BindAction): void {
  registryOptions(program).description(
    "Encrypts a manifest for the instances of a registry, or with one symmetric key.",
  )
    .requiredOption("--input <file>", "the manifest, as generate_manifest makes it")
    .requiredOption("--output <file>", "the encrypted manifest")
    .requiredOption("--key-id <id>", "name of the manifest key")
    .addOption(new Option("--schema <number>", "what to make").choices(["1", "2", "3"]))
    .option("--key <base64>", "schema 1: the key, 32 bytes; others on this machine can see it here")
    .option("--key-file <file>", "schema 1: a file with the key in base64")
    .option("--key-version <n>", "version of the manifest key (that of the registry, or 1)", readKeyVersion)
    .option("--classical", "schema 2: X25519, which is smaller and not quantum-safe")
    .addHelpText("after", HELP).action(bind(encryptManifest));
}

async function encryptManifest(options: EncryptOptions, s: ScriptSurroundings): Promise<Done> {
  const [input, output] = [resolve(s.cwd, options.input), resolve(s.cwd, options.output)];
  const manifest = parseManifest(await readBounded(input, LIMITS.maxManifestBytes));
  const key = await readKey(options, s);
  requireFitting(options, key);
  const encryption = { manifest, keyId: options.keyId, random: s.random };
  const { bytes, keyVersion, recipients, revoked } = options.schema === "1" &&
      key !== null
    ? await encryptAlike({ ...encryption, keyVersion: options.keyVersion ?? 1 }, key)
    : await withRegistry(options, s, async (registry) => {
      const source = await registry.recipients();
      if (source.product !== manifest.product) {
        throw new PosternError("mixed_up", `the registry is of ${source.product}, the manifest of ${manifest.product}`);
      }
      if (options.schema === "1") return await encryptByShared(registry, encryption, options);
      const keyVersion = options.keyVersion ?? source.keyVersion;
      return encryptFor(source, { ...encryption, keyVersion }, options);
    });
  const { schema } = parseEnvelope(bytes);
  await writeFileDurably(output, bytes, PUBLIC_MODE);
  const json = {
    ...{ output, schema, keyId: options.keyId, keyVersion, product: manifest.product, version: manifest.version },
    ...{ recipients, revoked },
    ...{ bytes: bytes.length, sha256: toHex(sha256(bytes)) },
  };
  return { json, text: `Encrypted ${input} by schema ${schema}: ${output}, ${bytes.length} bytes` };
}

async function encryptAlike(encryption: Encryption, key: Bytes): Promise<Encrypted> {
  const bytes = await encryptSchema1(encryption, key);
  return { bytes, keyVersion: encryption.keyVersion, recipients: null, revoked: null };
}

/** By the key that `instance.ts register --schema1` hands out. @throws `usage` for another name or version than the registry's */
async function encryptByShared(
  { secret }: Registry,
  encryption: Omit<Encryption, "keyVersion">,
  options: EncryptOptions,
): Promise<Encrypted> {
  const { keyId, keyVersion } = secret.generation;
  if (encryption.keyId !== keyId || (options.keyVersion ?? keyVersion) !== keyVersion) {
    throw new PosternError("usage", `the registry has the manifest key ${keyId}, version ${keyVersion}, and no other`);
  }
  return await encryptAlike({ ...encryption, keyVersion }, reveal(secret.sharedKey()));
}

/** Reads instances only as far as the schema asks for them. */
async function encryptFor(
  source: RecipientSource,
  encryption: Encryption,
  options: EncryptOptions,
): Promise<Encrypted> {
  const { keyVersion } = encryption;
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
    const bytes = await encryptToCover(encryption, source.secret, source.revoked);
    return { bytes, keyVersion, recipients: null, revoked: source.revoked.length };
  }
  if (isBeyond) throw new PosternError("too_large", `schema 2 is for at most ${most} instances; take schema 3`);
  if (recipients.length === 0) throw new PosternError("not_found", "the registry has no instance to encrypt for");
  const bytes = await encryptForRecipients(encryption, wrap, recipients);
  return { bytes, keyVersion, recipients: recipients.length, revoked: null };
}

async function withRegistry<T>(
  options: EncryptOptions,
  s: ScriptSurroundings,
  use: (registry: Registry) => Promise<T>,
): Promise<T> {
  let registry: Registry;
  try {
    registry = await openRegistry(options, s);
  } catch (cause) {
    if (isNamed(options, s) || !isPosternError(cause, "not_found")) throw cause;
    throw new PosternError("usage", "for whom? Give --registry, or --schema 1 with --key-file", { cause });
  }
  await using opened = registry;
  return await use(opened);
}

/** @throws `usage` for options that do not go together */
function requireFitting({ schema, classical, registry }: EncryptOptions, key: Bytes | null): void {
  if (schema === "1") {
    if (key !== null && registry !== undefined) throw new PosternError("usage", "name a key or a registry, not both");
    if (classical === true) throw new PosternError("usage", "--classical is not for schema 1");
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
