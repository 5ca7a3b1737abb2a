/**
 * X-Wing (draft-connolly-cfrg-xwing-kem-10): ML-KEM-768 and X25519 in one, secure as long as either is.
 *
 * Since draft 05 neither the combiner (label at the end) nor the seed's expansion (SHAKE-256) has changed, and the library behind
 * the portable way implements draft 06. Where the runtime has ML-KEM itself, private keys lie in it and cannot be taken out.
 */
import { DecapError, EncapError, type RecipientContextParams, type SenderContextParams } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, utf8 } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import {
  hasNativeMlKem,
  importMlKemSeed,
  ML_KEM_CIPHERTEXT_BYTES,
  ML_KEM_PUBLIC_KEY_BYTES,
  ML_KEM_SEED_BYTES,
  mlKemDecapsulate,
  mlKemEncapsulate,
} from "./ml_kem.ts";
import { Redacted, reveal } from "./redacted.ts";
import { deriveX25519, generateX25519, importX25519, X25519_BYTES } from "./x25519.ts";

export const XWING_SEED_BYTES = 32;
export const XWING_PUBLIC_KEY_BYTES = ML_KEM_PUBLIC_KEY_BYTES + X25519_BYTES;
export const XWING_CIPHERTEXT_BYTES = ML_KEM_CIPHERTEXT_BYTES + X25519_BYTES;

/** Six characters that draw an X-wing, as the draft has them. */
const LABEL = utf8("\\.//^\\");

/** Private keys inside of the runtime. Structured clone keeps them, so a browser can store them in IndexedDB. */
export interface NativeXWingKey {
  readonly mlKem: CryptoKey;
  readonly x25519: CryptoKey;
  readonly publicKey: Bytes;
}

/** Without ML-KEM in the runtime the seed itself has to be at hand. */
export interface PortableXWingKey {
  readonly seed: Redacted<Bytes>;
  readonly publicKey: Bytes;
}

export type XWingKey = NativeXWingKey | PortableXWingKey;

/**
 * The private key of a 32-byte seed, inside of the runtime where it has ML-KEM.
 *
 * @throws `unsupported` for another length.
 */
export async function importXWingSeed(seed: Bytes): Promise<XWingKey> {
  if (seed.length !== XWING_SEED_BYTES) {
    throw new PosternError("unsupported", `expected an X-Wing seed of ${XWING_SEED_BYTES} bytes, found ${seed.length}`);
  }
  const { importSeed } = await runtimesWay();
  return await importSeed(seed);
}

/** Exported for the tests, which prove that both ways are the same function. */
export async function importNative(seed: Bytes): Promise<NativeXWingKey> {
  const { publicKey } = await importPortable(seed);
  const expanded = new Uint8Array(shake256(seed, { dkLen: ML_KEM_SEED_BYTES + X25519_BYTES }));
  const mlKem = await importMlKemSeed(expanded.slice(0, ML_KEM_SEED_BYTES));
  const { privateKey } = await importX25519(expanded.slice(ML_KEM_SEED_BYTES));
  expanded.fill(0);
  return { mlKem, x25519: privateKey, publicKey };
}

/** Exported for the tests. */
export async function importPortable(seed: Bytes): Promise<PortableXWingKey> {
  const xwing = new XWing();
  const own = seed.slice();
  const { publicKey } = await xwing.generateKeyPairDerand(own);
  return { seed: new Redacted(own), publicKey: new Uint8Array(await xwing.serializePublicKey(publicKey)) };
}

/** How seeds are imported and who seals. */
interface Way {
  readonly importSeed: (seed: Bytes) => Promise<XWingKey>;
  readonly sender: XWing;
}

let way: Promise<Way> | undefined;

/** In the runtime where it has ML-KEM, otherwise by the library; found out once. */
function runtimesWay(): Promise<Way> {
  return way ??= findWay();
}

async function findWay(): Promise<Way> {
  return await hasNativeMlKem()
    ? { importSeed: importNative, sender: new NativeSender() }
    : { importSeed: importPortable, sender: new XWing() };
}

/** The library's object costs as much as X25519 to make, so that of a recipient stays as long as its key. */
const recipients = new WeakMap<NativeXWingKey, NativeRecipient>();

/** The KEM for sealing to a public key: the same one for all, it holds nothing. */
export async function xwingSender(): Promise<XWing> {
  return (await runtimesWay()).sender;
}

/** The KEM for opening with one private key, and what to pass to it as the recipient's key. */
export async function xwingRecipient(key: XWingKey): Promise<{ kem: XWing; recipientKey: CryptoKey }> {
  if ("mlKem" in key) return { kem: nativeRecipient(key), recipientKey: key.mlKem };
  const kem = new XWing();
  return { kem, recipientKey: await kem.deserializePrivateKey(reveal(key.seed).slice().buffer) };
}

function nativeRecipient(key: NativeXWingKey): NativeRecipient {
  const kept = recipients.get(key) ?? new NativeRecipient(key);
  recipients.set(key, kept);
  return kept;
}

/** The library's KEM, encapsulating by the runtime. */
class NativeSender extends XWing {
  override async encap(parameters: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    const publicKey = new Uint8Array(await this.serializePublicKey(parameters.recipientPublicKey));
    const theirs = publicKey.slice(ML_KEM_PUBLIC_KEY_BYTES);
    try {
      const ephemeral = await generateX25519();
      const [{ shared, ciphertext }, sharedX] = await Promise.all([
        mlKemEncapsulate(publicKey.slice(0, ML_KEM_PUBLIC_KEY_BYTES)),
        deriveX25519(ephemeral.privateKey, theirs),
      ]);
      const sharedSecret = combine(shared, sharedX, ephemeral.publicKey, theirs).buffer;
      return { sharedSecret, enc: concat(ciphertext, ephemeral.publicKey).buffer };
    } catch (cause) {
      throw new EncapError(cause);
    }
  }
}

/**
 * The library's KEM, decapsulating by the runtime. A private key of X-Wing is two keys of the runtime, and the library's interface has
 * room for one; so this KEM belongs to one recipient.
 */
class NativeRecipient extends XWing {
  readonly #recipient: NativeXWingKey;

  constructor(recipient: NativeXWingKey) {
    super();
    this.#recipient = recipient;
  }

  override async decap(parameters: RecipientContextParams): Promise<ArrayBuffer> {
    const recipient = this.#recipient;
    const encapsulated = new Uint8Array(parameters.enc as ArrayBuffer);
    try {
      // Of another length than X-Wing's it leaves X25519 no public key of 32 bytes.
      const ephemeral = encapsulated.slice(ML_KEM_CIPHERTEXT_BYTES);
      const [shared, sharedX] = await Promise.all([
        mlKemDecapsulate(recipient.mlKem, encapsulated.slice(0, ML_KEM_CIPHERTEXT_BYTES)),
        deriveX25519(recipient.x25519, ephemeral),
      ]);
      return combine(shared, sharedX, ephemeral, recipient.publicKey.subarray(ML_KEM_PUBLIC_KEY_BYTES)).buffer;
    } catch (cause) {
      throw new DecapError(cause);
    }
  }
}

/** The combiner of section 5.3. ML-KEM's ciphertext is not in it: ML-KEM itself binds it to its secret. */
function combine(sharedM: Bytes, sharedX: Bytes, ephemeral: Bytes, theirs: Bytes): Bytes {
  return new Uint8Array(sha3_256(concat(sharedM, sharedX, ephemeral, theirs, LABEL)));
}
