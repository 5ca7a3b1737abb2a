import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { pemBlocks, readPem, writePem } from "../../../shared/x509/pem.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

const block = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

Deno.test("readPem() reads back what writePem() wrote, at every length of the last line", () => {
  for (const length of [0, 1, 2, 3, 47, 48, 49, 96, 97]) {
    const bytes = new Uint8Array(length).map((_, i) => i);
    const text = writePem("CERTIFICATE", bytes);
    assert(text.split("\n").every((row) => row.length <= 64), text);
    assertEquals(readPem(text), [{ label: "CERTIFICATE", line: 1, bytes }]);
  }
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (list) => {
    const read = readPem(list.map((bytes) => writePem("X", bytes)).join("explanation\n"));
    assertEquals(read.map(({ bytes }) => Array.from(bytes)), list.map((bytes) => Array.from(bytes)));
  }));
});

Deno.test("readPem() reads bundles with explanations, any line end and white space behind lines", () => {
  const text = `subject=CN\n${block("CERTIFICATE", "AAEC")}\n# next\n${block("X509 CRL", "AwQ=")}end`;
  for (
    const form of [text, text.replaceAll("\n", "\r\n"), text.replaceAll("\n", "\r"), text.replaceAll("\n", " \t\n")]
  ) {
    assertEquals(readPem(form).map(({ label, line, bytes }) => [label, line, [...bytes]]), [
      ["CERTIFICATE", 2, [0, 1, 2]],
      ["X509 CRL", 7, [3, 4]],
    ]);
  }
});

const BAD: readonly [why: string, code: ErrorCode, text: string][] = [
  ["no END", "malformed", "-----BEGIN A-----\nAAEC\n"],
  ["END of another", "malformed", "-----BEGIN A-----\nAAEC\n-----END B-----"],
  ["END alone", "malformed", "-----END A-----"],
  ["BEGIN twice", "malformed", "-----BEGIN A-----\n-----BEGIN A-----\n-----END A-----"],
  ["no base64", "malformed", block("A", "AAE*")],
  ["base64 without padding", "malformed", block("A", "AAE")],
  ["base64 with loose bits", "malformed", block("A", "AAF=")],
  ["spaces inside a line", "malformed", block("A", "AA EC")],
  ["data behind the padding", "malformed", block("A", "AA==\nAAEC")],
  ["headers", "unsupported", block("A", "Proc-Type: 4,ENCRYPTED\n\nAAEC")],
  ["an END with four dashes", "malformed", "-----BEGIN A-----\nAAEC\n-----END A----"],
];

for (const [why, code, text] of BAD) {
  Deno.test(`readPem() answers '${code}' to ${why}`, () => {
    assertThrows(() => readPem(text), code);
  });
}

Deno.test("pemBlocks() reports each bad block and reads the others", () => {
  const good = block("CERTIFICATE", "AAEC");
  for (const [why, code, text] of BAD) {
    const found = [...pemBlocks(`${good}${text.endsWith("\n") ? text : `${text}\n`}${good}`)];
    const errors = found.flatMap((item) => "error" in item ? [item.error.code] : []);
    assert(errors.includes(code), why);
    const read = found.flatMap((item) => "bytes" in item ? [item.line] : []);
    assertEquals(read[0], 1, why);
    // A block without its END takes the BEGIN behind it for its end, and that one is read.
    if (why !== "an END with four dashes") assert(read.length >= 2, why);
  }
});

Deno.test("pemBlocks() says what a bad block said it would be", () => {
  const labels = (text: string) => [...pemBlocks(text)].map(({ label, line }) => [label, line]);
  assertEquals(labels("x\n-----END CERTIFICATE-----\n"), [["CERTIFICATE", 2]]);
  assertEquals(labels("-----BEGIN A-----\n-----BEGIN B-----\n-----END C-----\n"), [["A", 1], ["B", 2]]);
});

Deno.test("pemBlocks() reads any text without throwing", () => {
  const pieces = fc.constantFrom(
    "-----BEGIN A-----",
    "-----END A-----",
    "-----BEGIN ",
    "-----",
    "\n",
    "AAEC",
    "=",
    ":",
    "\r",
    " ",
  );
  fc.assert(fc.property(fc.array(pieces, { maxLength: 30 }), (list) => {
    for (const item of pemBlocks(list.join(""))) assert("error" in item || item.label === "A");
  }));
});

Deno.test("writePem() refuses a label that would not be read again", () => {
  for (const label of ["A-----", " A", "A  B", "A\nB", "\u00fc"]) {
    assertThrows(() => writePem(label, utf8("x")), "malformed");
  }
});

withOpenssl.test("readPem() and writePem() agree with OpenSSL", async () => {
  await using folder = await OpensslFolder.make();
  await folder.run("genpkey", "-algorithm", "ED25519", "-out", "key.pem");
  await folder.run("pkey", "-in", "key.pem", "-outform", "DER", "-out", "key.der");
  const text = new TextDecoder().decode(await folder.read("key.pem"));
  const der = await folder.read("key.der");
  assertEquals(readPem(text), [{ label: "PRIVATE KEY", line: 1, bytes: der }]);
  assertEquals(writePem("PRIVATE KEY", der), text);
});
