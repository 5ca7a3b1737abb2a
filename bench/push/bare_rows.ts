/**
 * The crypto of a full re-encryption and nothing else: each row is decrypted, encrypted under another key, and MACed, with
 * WebCrypto in batches and native hashes, which is the fastest way known here.
 */
import { hash } from "node:crypto";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";

/** What it took. */
export interface BareResult {
  readonly rows: number;
  readonly seconds: number;
}

/** Measured: smaller batches are slower, larger ones not faster. */
const BATCH = 128;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BLOCK_BYTES = 64;

type Row = { readonly nonce: Bytes; readonly ciphertext: Bytes };

async function prepare(rows: number, bytes: number) {
  const [oldKey, newKey] = [await makeKey(), await makeKey()];
  const sealed: Row[] = [];
  for (let at = 0; at < rows; at += BATCH) {
    const count = Math.min(BATCH, rows - at);
    sealed.push(...await Promise.all(Array.from({ length: count }, () => seal(oldKey, webCryptoRandom(bytes)))));
  }
  return { sealed, oldKey, newKey };
}

async function makeKey(): Promise<CryptoKey> {
  return await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function seal(key: CryptoKey, plaintext: Bytes): Promise<Row> {
  const nonce = webCryptoRandom(NONCE_BYTES);
  return {
    nonce,
    ciphertext: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, plaintext)),
  };
}

/** HMAC as its two hashes: measured, twice as fast as `createHmac`. */
function macWith(key: Bytes, bytes: number): (message: Bytes) => Uint8Array {
  const inner = new Uint8Array(BLOCK_BYTES + bytes);
  const outer = new Uint8Array(BLOCK_BYTES + 32);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    inner[i] = (key[i] ?? 0) ^ 0x36;
    outer[i] = (key[i] ?? 0) ^ 0x5c;
  }
  return (message) => {
    inner.set(message, BLOCK_BYTES);
    outer.set(hash("sha256", inner, "buffer"), BLOCK_BYTES);
    return hash("sha256", outer, "buffer");
  };
}

/** Re-encrypts that many rows of so many bytes each. */
export async function reencrypt(rows: number, bytes: number): Promise<BareResult> {
  const { sealed, oldKey, newKey } = await prepare(rows, bytes);
  const mac = macWith(webCryptoRandom(32), bytes + TAG_BYTES);
  const started = performance.now();
  for (let at = 0; at < rows; at += BATCH) {
    const batch = sealed.slice(at, at + BATCH);
    const opened = await Promise.all(
      batch.map(({ nonce, ciphertext }) => crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, oldKey, ciphertext)),
    );
    const again = await Promise.all(opened.map((plaintext) => seal(newKey, new Uint8Array(plaintext))));
    for (const { ciphertext } of again) mac(ciphertext);
  }
  return { rows, seconds: (performance.now() - started) / 1000 };
}
