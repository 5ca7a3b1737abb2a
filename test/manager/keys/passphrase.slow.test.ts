import { createDecipheriv, hkdfSync } from "node:crypto";
import { DEFAULT_ARGON2_COST, passphraseKek, passphraseOf } from "../../../manager/keys/passphrase.ts";
import { decodeWrappedKey, encodeWrappedKey, type KekParameters } from "../../../manager/keys/wrapped_key.ts";
import { concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { cheapPassphraseKek, CONTEXT, newKey } from "./keks.ts";

Deno.test("passphraseKek() unwraps by the same passphrase and says wrong_key, with advice, by any other", async () => {
  const key = newKey();
  const wrapped = decodeWrappedKey(encodeWrappedKey(await cheapPassphraseKek("correct horse").wrap(key, CONTEXT)));
  assertEquals(reveal(await cheapPassphraseKek("correct horse").unwrap(wrapped, CONTEXT)), reveal(key));
  for (const wrong of ["correct hors", "Correct horse", " correct horse", "x"]) {
    const error = await assertRejects(() => cheapPassphraseKek(wrong).unwrap(wrapped, CONTEXT), "wrong_key");
    assert(error.message.includes("capitals") && !error.message.includes("horse"), error.message);
  }
});

Deno.test("passphraseKek() wraps with the second recommended option of RFC 9106 unless told otherwise", async () => {
  assertEquals(DEFAULT_ARGON2_COST, { memoryKib: 64 * 1024, passes: 3, lanes: 4 });
  const kek = passphraseKek(passphraseOf("x"), webCryptoRandom);
  const key = newKey();
  const wrapped = await kek.wrap(key, CONTEXT);
  const { salt, ...cost } = wrapped.parameters;
  assertEquals(cost, { ...DEFAULT_ARGON2_COST });
  assert(salt instanceof Uint8Array && salt.length === 16);
  assertEquals(reveal(await kek.unwrap(wrapped, CONTEXT)), reveal(key));
  assertEquals(kek.describe(), "passphrase (Argon2id, 64 MiB, 3 passes, 4 lanes)");
});

Deno.test("passphraseKek() writes what PHP's Argon2id, node's HKDF and AES-GCM, and CBOR by hand open", async () => {
  // php -r 'echo password_hash("Paßwort", PASSWORD_ARGON2ID, ["memory_cost"=>8192,"time_cost"=>2,"threads"=>4]);'
  const secret = Uint8Array.fromBase64("AnOXutNxJ9O9+l9jZkIUzdNhOOHI+fvov4DWEIOVS9k");
  const salt = Uint8Array.fromBase64("L0lRYk5WNmlGZFU1cTJHVw");
  const kek = passphraseKek(passphraseOf("Paßwort"), (length) => salt.slice(0, length), {
    memoryKib: 8_192,
    passes: 2,
    lanes: 4,
  });
  const key = newKey();
  const { check, nonce, sealed } = await kek.wrap(key, CONTEXT);
  const label = concat(Uint8Array.of(0x6d), utf8("postern/1/kek"));
  const parameters = concat(
    ...[
      Uint8Array.of(0xa4, 0x64),
      utf8("salt"),
      Uint8Array.of(0x50),
      salt,
      Uint8Array.of(0x65),
      utf8("lanes"),
      Uint8Array.of(4),
    ],
    ...[
      Uint8Array.of(0x66),
      utf8("passes"),
      Uint8Array.of(2),
      Uint8Array.of(0x69),
      utf8("memoryKib"),
      Uint8Array.of(0x19, 0x20, 0),
    ],
  );
  const hkdfSalt = sha256(concat(Uint8Array.of(0x83), label, Uint8Array.of(0x6a), utf8("passphrase"), parameters));
  const derive = (purpose: string) => {
    const info = concat(Uint8Array.of(0x82), label, Uint8Array.of(0x60 + purpose.length), utf8(purpose));
    return new Uint8Array(hkdfSync("sha256", secret, hkdfSalt, info, 32));
  };
  assertEquals(check, derive("check"));
  const decipher = createDecipheriv("aes-256-gcm", derive("encryption"), nonce);
  const name = concat(Uint8Array.of(0x75), utf8("postern/1/wrapped-key"), Uint8Array.of(0x6a), utf8("passphrase"));
  const context = concat(Uint8Array.of(0x40 + CONTEXT.length), CONTEXT);
  decipher.setAAD(concat(Uint8Array.of(0x85), name, parameters, Uint8Array.of(0x58, 32), check, context));
  decipher.setAuthTag(sealed.slice(32));
  const opened = concat(decipher.update(sealed.slice(0, 32)), decipher.final());
  assertEquals(opened, reveal(key));
});

Deno.test("passphraseKek() computes nothing when a record demands more than the limits", async () => {
  const kek = cheapPassphraseKek("x");
  const wrapped = await kek.wrap(newKey(), CONTEXT);
  const changes: Record<string, KekParameters[string]>[] = [
    { memoryKib: 100 * 1024 * 1024 },
    { memoryKib: 262_145 },
    { memoryKib: 8_191 },
    { memoryKib: 0 },
    { passes: 17 },
    { passes: 0 },
    { lanes: 17 },
    { lanes: 0 },
    { lanes: "4" },
    { salt: new Uint8Array(15) },
    { salt: "0123456789abcdef" },
    { secret: new Uint8Array(16) },
  ];
  for (const change of changes) {
    const hostile = { ...wrapped, parameters: { ...wrapped.parameters, ...change } };
    const error = await assertRejects(() => kek.unwrap(hostile, CONTEXT), "unsupported");
    assert(error.message.includes(Object.keys(change)[0] ?? "?"), error.message);
  }
  const { lanes: _, ...fewer } = wrapped.parameters;
  await assertRejects(() => kek.unwrap({ ...wrapped, parameters: fewer }, CONTEXT), "unsupported");
});

Deno.test("passphraseKek() says wrong_key for changed parameters, tampered for the sealed key, another nonce or context", async () => {
  const kek = cheapPassphraseKek("x");
  const wrapped = await kek.wrap(newKey(), CONTEXT);
  const flipped = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(bytes, (byte, i) => i === 3 ? byte ^ 1 : byte);
  const { salt } = wrapped.parameters;
  assert(salt instanceof Uint8Array);
  const parameters = [{ ...wrapped.parameters, salt: flipped(salt) }, { ...wrapped.parameters, passes: 2 }];
  for (const changed of parameters) {
    await assertRejects(() => kek.unwrap({ ...wrapped, parameters: changed }, CONTEXT), "wrong_key");
  }
  await assertRejects(() => kek.unwrap({ ...wrapped, check: flipped(wrapped.check) }, CONTEXT), "wrong_key");
  await assertRejects(() => kek.unwrap({ ...wrapped, sealed: flipped(wrapped.sealed) }, CONTEXT), "tampered");
  await assertRejects(() => kek.unwrap({ ...wrapped, nonce: flipped(wrapped.nonce) }, CONTEXT), "tampered");
  await assertRejects(() => kek.unwrap(wrapped, utf8("database of owner 2")), "tampered");
  await assertRejects(() => kek.unwrap({ ...wrapped, kind: "key-file" }, CONTEXT), "configuration");
});

Deno.test("passphraseKek() wraps keys of 32 bytes only, and differently each time", async () => {
  const kek = cheapPassphraseKek("x");
  for (const length of [0, 16, 31, 33]) {
    await assertRejects(() => kek.wrap(new Redacted(new Uint8Array(length)), CONTEXT), "usage");
  }
  const key = newKey();
  const [one, two] = [await kek.wrap(key, CONTEXT), await kek.wrap(key, CONTEXT)];
  for (const field of ["check", "nonce", "sealed"] as const) assert(one[field].toHex() !== two[field].toHex(), field);
});

Deno.test("passphraseOf() takes one line end off, composes accents, and refuses what is no passphrase", () => {
  const text = (input: Parameters<typeof passphraseOf>[0]): string => reveal(passphraseOf(input));
  assertEquals(text("secret\n"), "secret");
  assertEquals(text("secret\r\n"), "secret");
  assertEquals(text("secret\n\n"), "secret\n");
  assertEquals(text(" secret "), " secret ");
  assertEquals(text("u\u0308"), "\u00fc");
  assertEquals(text(utf8("Paßwort\n")), "Paßwort");
  for (
    const input of ["", "\n", "\r\n", "\ud800", "x".repeat(1_025), new Uint8Array([0xff, 0xfe]), new Uint8Array(0)]
  ) {
    const error = assertThrows(() => passphraseOf(input), "usage");
    assert(!error.message.includes("xx"));
  }
});

Deno.test("passphraseKek() shows its passphrase nowhere when it is printed", async () => {
  const kek = cheapPassphraseKek("marked-passphrase");
  const wrapped = await kek.wrap(newKey(), CONTEXT);
  const error = await assertRejects(() => cheapPassphraseKek("marked-other").unwrap(wrapped, CONTEXT), "wrong_key");
  const options = { depth: 20, showHidden: true };
  for (
    const shown of [
      Deno.inspect(kek, options),
      kek.describe(),
      JSON.stringify(kek),
      Deno.inspect(error, options),
      Deno.inspect(wrapped),
    ]
  ) {
    assert(!shown.includes("marked"), shown);
  }
});
