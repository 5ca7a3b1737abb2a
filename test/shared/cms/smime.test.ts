/** The S/MIME message of OpenSSL, letter by letter. */
import { type Bytes, concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { toBase64 } from "../../../shared/bytes/encoding.ts";
import { readSignatureFile } from "../../../shared/cms/signature_file.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { forge } from "./forge.ts";
import { certified, CONTENT, NOW, root } from "./publisher.ts";

const top = await root();
const signer = await certified("CN=release,O=Publisher", top);
const trust = { roots: [top.certificate], now: NOW };
const BOUNDARY = "0123456789ABCDEF0123456789ABCDEF";

interface Letter {
  readonly eol?: string;
  readonly prefix?: string;
  readonly micalg?: string;
  readonly copy?: Bytes;
}

/** What `openssl cms -sign` would write. */
function message(der: Bytes, { eol = "\n", prefix = "", micalg = "sha-512", copy = CONTENT }: Letter = {}): Bytes {
  const type = `application/${prefix}pkcs7-signature`;
  const lines = (...of: string[]) => of.map((line) => `${line}${eol}`).join("");
  const opening = lines(
    "MIME-Version: 1.0",
    `Content-Type: multipart/signed; protocol="${type}"; micalg="${micalg}"; boundary="----${BOUNDARY}"`,
    ...["", "This is an S/MIME signed message", "", `------${BOUNDARY}`],
  );
  const part = eol + lines(
    `------${BOUNDARY}`,
    `Content-Type: ${type}; name="smime.p7s"`,
    "Content-Transfer-Encoding: base64",
    'Content-Disposition: attachment; filename="smime.p7s"',
    "",
  );
  const body = toBase64(der).replace(/.{1,64}/g, "$&\n");
  return concat(utf8(opening), copy, utf8(part + body + eol + lines(`------${BOUNDARY}--`, "")));
}

Deno.test("verifyDetached() accepts the message with either line end and either type (CMS-02)", async () => {
  const der = await forge(signer);
  for (const letter of [{}, { eol: "\r\n" }, { prefix: "x-" }, { eol: "\r\n", prefix: "x-" }]) {
    const { form, mode } = await verifyDetached(CONTENT, message(der, letter), trust);
    assertEquals([form, mode], ["SMIME", "binary"]);
  }
});

Deno.test("verifyDetached() accepts a message over a long content, and one over the canonical text (CMS-02, CMS-12)", async () => {
  const long = utf8(`{"a":"${"x".repeat(200_000)}"}\n`);
  const chain = [signer, top].map(({ certificate }) => certificate.der);
  const over = await forge(signer, { content: long, certificates: chain });
  await verifyDetached(long, message(over, { copy: long }), trust);
  const canonical = concat(CONTENT.subarray(0, -1), utf8("\r\n"));
  const text = await forge(signer, { content: canonical });
  assertEquals((await verifyDetached(CONTENT, message(text, { copy: canonical }), trust)).mode, "text");
  // The copy is what was signed, not another spelling of it.
  await assertRejects(() => verifyDetached(CONTENT, message(text), trust), "signature");
});

Deno.test("verifyDetached() refuses a message that repeats another content, or names another digest (CMS-02)", async () => {
  const der = await forge(signer);
  const refused: readonly (readonly [ErrorCode, Letter])[] = [
    ["signature", { copy: utf8("{}\n") }],
    ["signature", { copy: new Uint8Array(0) }],
    ["signature", { copy: concat(CONTENT, utf8("\n")) }],
    ["signature", { micalg: "sha-256" }],
    ["signature", { micalg: "sha1" }],
    ["signature", { micalg: "md5" }],
    ["malformed", { micalg: 'sha-512"; x="' }],
    ["malformed", { prefix: "y-" }],
    ["malformed", { eol: "\r" }],
  ];
  for (const [code, letter] of refused) {
    await assertRejects(() => verifyDetached(CONTENT, message(der, letter), trust), code);
  }
  const weak = await assertRejects(() => verifyDetached(CONTENT, message(der, { micalg: "sha1" }), trust), "signature");
  assert(weak.message.includes("by sha1; accepted are"));
  const opaque =
    'MIME-Version: 1.0\nContent-Disposition: attachment; filename="smime.p7m"\nContent-Type: application/pkcs7-mime; ';
  await assertRejects(() => verifyDetached(CONTENT, utf8(opaque), trust), "signature");
});

Deno.test("verifyDetached() refuses a message that is not OpenSSL's to the letter (CMS-02)", async () => {
  const text = new TextDecoder().decode(message(await forge(signer)));
  const changes: readonly ((text: string) => string)[] = [
    (text) => ` ${text}`,
    (text) => `${text}\n`,
    (text) => text.slice(0, -1),
    (text) => text.replace("1.0\n", "1.0\r\n"),
    (text) => text.replace("smime.p7s", "smime.p7m"),
    (text) => text.replace("\nMI", "\nM\nI"),
    (text) => text.replace("\nMI", "\n MI"),
    (text) => text.replace("\nMI", "\n*I"),
    (text) => text.replace(`\n\n------${BOUNDARY}--`, `==\n\n------${BOUNDARY}--`),
    (text) => text.replace(`------${BOUNDARY}--`, `------${BOUNDARY}`),
    (text) => text.replaceAll(BOUNDARY, BOUNDARY.toLowerCase()),
    (text) => text.replaceAll(BOUNDARY, BOUNDARY.slice(1)),
    (text) => text.slice(0, text.indexOf("\nContent-Transfer")),
    (text) => text.replace("This is", "That is"),
  ];
  for (const [place, change] of changes.entries()) {
    const changed = change(text);
    assert(changed !== text, `change ${place} changes nothing`);
    const error = await assertRejects(() => verifyDetached(CONTENT, utf8(changed), trust), "malformed");
    if (changed.includes("p7m")) assert(error.message.includes("no second part"));
  }
});

Deno.test("verifyDetached() refuses every bit flipped around the base64 of a message (CMS-02)", async () => {
  const file = message(await forge(signer));
  const start = new TextDecoder().decode(file).indexOf("\n\nMI") + 2;
  const end = file.length - BOUNDARY.length - 14;
  for (let bit = 0; bit < file.length * 8; bit++) {
    if (bit >> 3 >= start && bit >> 3 < end && bit % 97 !== 0) continue;
    const changed = file.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      await verifyDetached(CONTENT, changed, trust);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      continue;
    }
    assert(false, `accepted with bit ${bit & 7} of byte ${bit >> 3} flipped`);
  }
});

Deno.test("readSignatureFile() allows each form its size, to the byte (CMS-03)", () => {
  const padded = (start: string, length: number) => {
    const file = new Uint8Array(length);
    file.set(utf8(start));
    return file;
  };
  // PEM: 131,072 bytes in base64, 64 characters a line with CR LF behind, and 1,024 for what is around it.
  const pem = 181_248;
  const sizes: readonly (readonly [string, number, number])[] = [
    ["0", LIMITS.maxCmsBytes, 500],
    ["-----BEGIN CMS-----\n", pem, 500],
    ["MIME-Version: 1.0\n", pem + 500 + 1_024, 500],
  ];
  for (const [start, most, contentBytes] of sizes) {
    assertThrows(() => readSignatureFile(padded(start, most), contentBytes), "malformed");
    assertThrows(() => readSignatureFile(padded(start, most + 1), contentBytes), "too_large");
  }
  const der = utf8("{}");
  assertThrows(() => readSignatureFile(der, LIMITS.maxSignedContentBytes), "malformed");
  assertThrows(() => readSignatureFile(der, LIMITS.maxSignedContentBytes + 1), "too_large");
  assert(assertThrows(() => readSignatureFile(der, 0), "malformed").message.includes("neither DER"));
});
