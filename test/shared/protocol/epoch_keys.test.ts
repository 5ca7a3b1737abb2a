import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sealAead } from "../../../shared/crypto/aead.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { hmacSha256, sha256 } from "../../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../../shared/crypto/hkdf.ts";
import { deriveEpochKeys } from "../../../shared/protocol/epoch_keys.ts";
import { TABLE_NAMES, TABLES } from "../../../shared/protocol/tables.ts";
import { indexToken, LISTS } from "../../../shared/protocol/token.ts";
import { CONTEXT, epochKeys, filled } from "./epoch.ts";

const symKey = secretKey<"SymKey">(filled(32, 4));

/** The derivation as the page writes it, without the code under test. */
function derive(purpose: string, table: number) {
  const { owner, incarnation, epoch } = CONTEXT;
  const salt = sha256(encodeCbor(["postern/1/epoch", owner, incarnation, epoch]));
  return hkdfExpand(hkdfExtract(salt, symKey), encodeCbor(["postern/1/key", purpose, table]), 32);
}

Deno.test("deriveEpochKeys() derives every key as the page says, each another", async () => {
  const keys = await deriveEpochKeys(symKey, CONTEXT, null);
  const seen = new Set([toHex(derive("commitment", 0))]);
  assertEquals(keys.commitment, derive("commitment", 0));
  for (const name of TABLE_NAMES) {
    const table = TABLES[name];
    assertEquals<Uint8Array>(keys.tables[table].mac, derive("row-mac", table));
    assertEquals<Uint8Array>(keys.tables[table].token, derive("token", table));
    for (const purpose of ["row-mac", "token", "row-encryption"]) seen.add(toHex(derive(purpose, table)));
    await assertSeals(keys.tables[table].encryption, derive("row-encryption", table));
  }
  await assertSeals(keys.head, derive("head", 0));
  await assertSeals(keys.inboxCopy, derive("inbox-copy", 0));
  for (const purpose of ["head", "inbox-copy"]) seen.add(toHex(derive(purpose, 0)));
  assertEquals(seen.size, 3 * TABLE_NAMES.length + 3);
});

async function assertSeals(key: CryptoKey, raw: Uint8Array<ArrayBuffer>): Promise<void> {
  assert(!key.extractable);
  const expected = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const [nonce, plaintext, data] = [filled(12, 1), filled(5, 2), filled(3, 3)];
  assertEquals(await sealAead(key, nonce, plaintext, data), await sealAead(expected, nonce, plaintext, data));
}

Deno.test("deriveEpochKeys() derives nothing when the head commits to another key, KEY-03 WRAP-03", async () => {
  const { commitment } = await deriveEpochKeys(symKey, CONTEXT, null);
  await deriveEpochKeys(symKey, CONTEXT, commitment);
  for (let bit = 0; bit < 256; bit += 37) {
    const other = commitment.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await assertRejects(() => deriveEpochKeys(symKey, CONTEXT, other), "tampered");
  }
  await assertRejects(() => deriveEpochKeys(symKey, CONTEXT, commitment.slice(0, 31)), "tampered");
});

Deno.test("another owner, incarnation or epoch means other keys everywhere", async () => {
  const keys = await epochKeys();
  const others = [
    { ...CONTEXT, owner: filled(32, 9) },
    { ...CONTEXT, incarnation: filled(16, 9) },
    { ...CONTEXT, epoch: 4 },
  ];
  for (const context of others) {
    const other = await epochKeys(4, context);
    assert(!equalBytes(other.commitment, keys.commitment));
    for (const table of [1, 2, 3, 4] as const) assert(!equalBytes(other.tables[table].mac, keys.tables[table].mac));
  }
});

Deno.test("indexToken() is the labelled HMAC of kind and name under the table's token key, ROW-01", async () => {
  const keys = await epochKeys();
  const expected = (table: number, kind: string, name: string | Uint8Array) =>
    hmacSha256(derive("token", table), encodeCbor(["postern/1/token", kind, name]));
  const id = filled(16, 7);
  assertEquals(indexToken(keys, LISTS.device(id)), expected(1, "device", id));
  assertEquals(indexToken(keys, LISTS.fingerprint(filled(32, 8))), expected(2, "fingerprint", filled(32, 8)));
  assertEquals(indexToken(keys, LISTS.subject("2.5.4.3=x")), expected(2, "subject", "2.5.4.3=x"));
  assertEquals(indexToken(keys, LISTS.channels), expected(3, "channels", ""));
  assertEquals(indexToken(keys, LISTS.channel("mail")), expected(3, "channel", "mail"));
  assertEquals(indexToken(keys, LISTS.message(id)), expected(3, "message", id));
  assertEquals(indexToken(keys, { kind: "generations", name: "" }), expected(4, "generations", ""));
  // The kind is in it, so that a channel cannot be passed off as the list of channels.
  assert(!equalBytes(indexToken(keys, LISTS.channel("")), indexToken(keys, LISTS.channels)));
});
