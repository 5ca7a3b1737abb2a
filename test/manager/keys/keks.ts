/** Cheap KEKs for tests. */
import { join } from "node:path";
import { createKeyFile, openKeyFile } from "../../../manager/keys/key_file.ts";
import { type Argon2Cost, passphraseKek, passphraseOf } from "../../../manager/keys/passphrase.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";

export const CONTEXT: Bytes = utf8("database of owner 1");

/** The least that is accepted. */
export const CHEAP: Argon2Cost = { memoryKib: 8_192, passes: 1, lanes: 1 };

export function cheapPassphraseKek(passphrase: string): KekProvider {
  return passphraseKek(passphraseOf(passphrase), webCryptoRandom, CHEAP);
}

/** A KEK from a new key file of this name. */
export async function newKeyFileKek(folder: string, name: string): Promise<KekProvider> {
  await createKeyFile(join(folder, name), webCryptoRandom);
  return await openKeyFile(join(folder, name), Deno.uid(), webCryptoRandom);
}

export function newKey(): Redacted<Bytes> {
  return new Redacted(webCryptoRandom(32));
}
