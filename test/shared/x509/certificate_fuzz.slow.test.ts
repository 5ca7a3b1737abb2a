/** Damaged certificates: a typed error or a certificate, never anything else. */
import { rootCertificates } from "node:tls";
import fc from "fast-check";
import { assert, assertEquals } from "../../assert.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { octetBits, sequence } from "../../../shared/der/write.ts";
import { writeName } from "../../../shared/x509/dn.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { build, keyIds } from "./builder.ts";

const corpus = [
  ...rootCertificates.flatMap((text) => readPem(text)).map(({ bytes }) => bytes),
  await build({ subject: "CN=a+O=b,DC=\u00e9", extensions: keyIds("subject", "authority") }),
];

/** Reads or refuses; true if it was read, and then it is made of what was read from it, to the byte. */
function reads(der: Uint8Array<ArrayBuffer>): boolean {
  let certificate;
  try {
    certificate = readCertificate(der);
  } catch (error) {
    assert(isPosternError(error), String(error));
    assert(["malformed", "unsupported", "too_large"].includes(error.code), error.code);
    return false;
  }
  const { tbs, signatureAlgorithm, signature, issuerName, subjectName, fingerprint } = certificate;
  assertEquals(toHex(fingerprint), toHex(sha256(der)));
  assertEquals(toHex(sequence(tbs, signatureAlgorithm.der, octetBits(signature))), toHex(der));
  for (const name of [issuerName, subjectName]) assert(toHex(tbs).includes(toHex(writeName(name))));
  return true;
}

const certificate = fc.nat(corpus.length - 1);
const bytesOf = (index: number) => corpus[index] ?? new Uint8Array(0);
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });

Deno.test("readCertificate() reads or refuses certificates with changed bytes", () => {
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(certificate, edits, (index, changes) => {
      const der = bytesOf(index).slice();
      for (const [at, byte] of changes) der[at % der.length] = byte;
      if (reads(der)) read++;
      else refused++;
    }),
    { numRuns: 3000 },
  );
  assert(read > 100 && refused > 100, `${read} read, ${refused} refused`);
});

Deno.test("readCertificate() refuses a certificate cut off anywhere", () => {
  fc.assert(
    fc.property(certificate, fc.nat(), (index, length) => {
      const original = bytesOf(index);
      assert(!reads(original.slice(0, length % original.length)));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("readCertificate() reads or refuses certificates with bytes put in or taken out", () => {
  const cut = fc.tuple(fc.nat(), fc.nat(40), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(certificate, cut, (index, [at, count, bytes]) => {
      const original = bytesOf(index);
      const start = at % original.length;
      reads(new Uint8Array([...original.slice(0, start), ...bytes, ...original.slice(start + count)]));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readCertificate() refuses any other bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      assert(!reads(new Uint8Array(bytes)));
    }),
    { numRuns: 1000 },
  );
});
