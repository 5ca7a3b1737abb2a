/** Revocation lists: written, read again, and everything that is refused. */
import fc from "fast-check";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { contextConstructed, TAG } from "../../../shared/der/read.ts";
import { element, octetBits, sequence, time, unsigned } from "../../../shared/der/write.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { readCrl, readCrlFile } from "../../../shared/x509/crl.ts";
import { CRL_EXTENSION, REASONS, TAG_ENUMERATED } from "../../../shared/x509/crl_extensions.ts";
import { KEY_USAGE } from "../../../shared/x509/extensions.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { ALGORITHMS, cryptoKeySigner, extension } from "../../../shared/x509/write_certificate.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { certified, root } from "../cms/publisher.ts";
import { DAY, nameDer, NOW } from "./builder.ts";

const top = await root();
const signer = cryptoKeySigner(top.key.pair.privateKey);
const number = (value: number) => unsigned(Uint8Array.of(value));
const entry = (serial: number, ...more: Bytes[]) => sequence(number(serial), time(NOW), ...more);
const numbered = extension(CRL_EXTENSION.crlNumber, false, number(1));

/** A list that nobody has signed, for reading alone. */
function list({ version = [number(1)], next = [time(NOW + DAY)], entries = [], extensions = [numbered], inner }: {
  version?: Bytes[];
  next?: Bytes[];
  entries?: Bytes[] | null;
  extensions?: Bytes[] | null;
  inner?: Bytes;
}): Bytes {
  const { Ed25519 } = ALGORITHMS;
  const tbs = sequence(
    ...version,
    inner ?? Ed25519,
    nameDer("CN=root"),
    time(NOW),
    ...next,
    ...(entries === null ? [sequence()] : entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions === null ? [] : [element(contextConstructed(0), sequence(...extensions))]),
  );
  return sequence(tbs, Ed25519, octetBits(new Uint8Array(64)));
}

Deno.test("issueCrl() writes what readCrl() reads, for any list (CMS-17)", async () => {
  const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).filter(([first = 0]) => first > 0).map(toHex);
  const seconds = fc.integer({ min: -600_000_000, max: 7_000_000_000 }).map((value) => value * 1000);
  const reason = fc.constantFrom(...Object.keys(REASONS) as (keyof typeof REASONS)[]);
  const revoked = fc.array(fc.tuple(serial, fc.record({ at: seconds, reason }, { noNullPrototype: true })), {
    maxLength: 8,
  });
  const bigint = fc.bigInt({ min: 0n, max: 2n ** 159n - 1n });
  await fc.assert(
    fc.asyncProperty(
      bigint,
      seconds,
      fc.integer({ min: 1, max: 9_999 }),
      revoked,
      async (crlNumber, at, days, given) => {
        const fields = { number: crlNumber, thisUpdate: at, nextUpdate: at + days * DAY, revoked: new Map(given) };
        const crl = await issueCrl(top.certificate, signer, fields);
        const { number, thisUpdate, nextUpdate } = crl;
        assertEquals({ number, thisUpdate, nextUpdate, revoked: crl.revoked }, fields);
        assertEquals(crl.authorityKeyId, top.certificate.subjectKeyId);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("readCrl() refuses every bit flipped, or reads a list that is another (CMS-17)", async () => {
  const fields = { number: 3n, thisUpdate: NOW, nextUpdate: NOW + DAY, revoked: new Map() };
  const { der, fingerprint } = await issueCrl(top.certificate, signer, fields);
  for (let bit = 0; bit < der.length * 8; bit++) {
    const changed = der.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      assert(toHex(readCrl(changed).fingerprint) !== toHex(fingerprint));
    } catch (error) {
      if (!isPosternError(error)) throw error;
    }
  }
});

Deno.test("readCrl() refuses lists that are parts or changes, that never end, or that it does not understand (CMS-18)", () => {
  const critical = (dotted: string) => extension(dotted, true, sequence());
  const reason = (code: number) => {
    const value = element(TAG_ENUMERATED, Uint8Array.of(code));
    return sequence(extension(CRL_EXTENSION.reasonCode, false, value));
  };
  const cases: readonly (readonly [string, ErrorCode, Parameters<typeof list>[0]])[] = [
    ["a change", "unsupported", { extensions: [numbered, critical(CRL_EXTENSION.deltaCrlIndicator)] }],
    ["a change, not critical", "unsupported", {
      extensions: [numbered, extension(CRL_EXTENSION.deltaCrlIndicator, false, number(1))],
    }],
    ["a part", "unsupported", { extensions: [numbered, critical(CRL_EXTENSION.issuingDistributionPoint)] }],
    ["unknown and critical", "unsupported", { extensions: [numbered, critical("1.2.3.4")] }],
    ["another issuer's", "unsupported", {
      entries: [entry(1, sequence(extension(CRL_EXTENSION.certificateIssuer, true, sequence())))],
    }],
    ["no next update", "unsupported", { next: [] }],
    ["version 3", "unsupported", { version: [number(2)] }],
    ["a long number", "unsupported", {
      extensions: [extension(CRL_EXTENSION.crlNumber, false, unsigned(new Uint8Array(21).fill(1)))],
    }],
    ["a negative number", "malformed", {
      extensions: [extension(CRL_EXTENSION.crlNumber, false, element(TAG.integer, Uint8Array.of(0x80)))],
    }],
    ["two numbers", "malformed", { extensions: [numbered, numbered] }],
    ["no extensions in their list", "malformed", { extensions: [] }],
    ["extensions in version 1", "malformed", { version: [] }],
    ["entry's extensions in version 1", "malformed", { version: [], extensions: null, entries: [entry(1, reason(1))] }],
    ["an empty list", "malformed", { entries: null }],
    ["a number twice", "malformed", { entries: [entry(1), entry(1)] }],
    ["removed from the list", "malformed", { entries: [entry(1, reason(8))] }],
    ["no known reason", "malformed", { entries: [entry(1, reason(7))] }],
    ["ends before it begins", "malformed", { next: [time(NOW)] }],
    ["another algorithm inside", "malformed", { inner: ALGORITHMS.ES256 }],
  ];
  for (const [what, code, options] of cases) {
    assertEquals(assertThrows(() => readCrl(list(options)), code).code, code, what);
  }
  const dated = sequence(extension(CRL_EXTENSION.invalidityDate, false, time(NOW)));
  assertEquals(readCrl(list({ entries: [entry(7, dated)] })).revoked.get("07")?.reason, "unspecified");
  readCrl(list({ extensions: [numbered, extension("1.2.3.4", false, sequence())] }));
  assertEquals(readCrl(list({ version: [], extensions: null, entries: [entry(7)] })).number, undefined);
  assertThrows(() => readCrl(new Uint8Array(4_194_304)), "malformed");
  assertThrows(() => readCrl(new Uint8Array(4_194_305)), "too_large");
});

Deno.test("readCrlFile() reads DER and PEM, and nothing else (CMS-17)", () => {
  const der = list({});
  const pem = writePem("X509 CRL", der);
  assertEquals([readCrlFile(der).length, readCrlFile(utf8(pem)).length, readCrlFile(utf8(pem + pem)).length], [
    1,
    1,
    2,
  ]);
  assertEquals(readCrlFile(utf8(pem.repeat(64))).length, 64);
  assertThrows(() => readCrlFile(utf8(pem.repeat(65))), "too_large");
  assert(assertThrows(() => readCrlFile(utf8("")), "malformed").message.endsWith("found none"));
  assertThrows(() => readCrlFile(utf8(writePem("CERTIFICATE", top.certificate.der))), "malformed");
});

Deno.test("issueCrl() refuses an issuer that may not, and a list that ends before it begins", async () => {
  const fields = { number: 1n, thisUpdate: NOW, nextUpdate: NOW + DAY, revoked: new Map() };
  const silent = await certified("CN=silent", top, { isCa: true, keyUsage: KEY_USAGE.keyCertSign });
  const key = cryptoKeySigner(silent.key.pair.privateKey);
  await assertRejects(() => issueCrl(silent.certificate, key, fields), "usage");
  await assertRejects(() => issueCrl(top.certificate, signer, { ...fields, nextUpdate: NOW }), "usage");
  await assertRejects(() => issueCrl(top.certificate, signer, { ...fields, number: -1n }), "usage");
  const odd = new Map([["-01", { at: NOW, reason: "unspecified" as const }]]);
  await assertRejects(() => issueCrl(top.certificate, signer, { ...fields, revoked: odd }), "usage");
});
