import fc from "fast-check";
import { assertEquals } from "../../assert.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { fromBase64, toBase64 } from "../../../shared/bytes/encoding.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { hmacSha256, sha256 } from "../../../shared/crypto/hash.ts";
import {
  type AnswerParts,
  contentDigest,
  digestBytes,
  readRequestStamp,
  type RequestParts,
  signAnswer,
  signatureValue,
  signRequest,
  verifyAnswer,
  verifyRequest,
} from "../../../shared/protocol/http_signature.ts";
import { filled } from "./epoch.ts";

const key = secretKey<"SessionMacKey">(filled(32, 1));
const other = secretKey<"SessionMacKey">(filled(32, 2));
const body = utf8("body");
const request: RequestParts = {
  ...{ method: "GET", path: "/base/v1/00/head", query: "?generation=1", digest: contentDigest(body), session: "token" },
};
const stamp = { created: 1_893_456_000, number: 7 };
const signed = signRequest(key, request, stamp);
const requestMac = signatureValue(signed.signature);
if (requestMac === null) throw new Error("a signature of another form");
const answer: AnswerParts = { status: 200, digest: contentDigest(body), request: requestMac };

Deno.test("digestBytes() gives the hash that contentDigest() names", () => {
  assertEquals(digestBytes(contentDigest(body)), sha256(body));
});

Deno.test("signRequest() and signAnswer() build the bases that RFC 9421 and the page say, SESS-09", () => {
  assertEquals(contentDigest(body), `sha-256=:${toBase64(sha256(body))}:`);
  const parameters = '("@method" "@path" "@query" "content-digest" "postern-session")' +
    ';created=1893456000;nonce="C-7";alg="hmac-sha256"';
  const base = [
    '"@method": GET',
    '"@path": /base/v1/00/head',
    '"@query": ?generation=1',
    `"content-digest": ${request.digest}`,
    '"postern-session": token',
    `"@signature-params": ${parameters}`,
  ].join("\n");
  assertEquals(signed.input, `postern=${parameters}`);
  assertEquals(signed.signature, `postern=:${toBase64(hmacSha256(key, utf8(base)))}:`);
  const answered = signAnswer(key, answer, stamp);
  const answerParameters = '("@status" "content-digest" "signature";req;key="postern")' +
    ';created=1893456000;nonce="S-7";alg="hmac-sha256"';
  const answerBase = [
    '"@status": 200',
    `"content-digest": ${answer.digest}`,
    `"signature";req;key="postern": ${requestMac}`,
    `"@signature-params": ${answerParameters}`,
  ].join("\n");
  assertEquals(answered.input, `postern=${answerParameters}`);
  assertEquals(answered.signature, `postern=:${toBase64(hmacSha256(key, utf8(answerBase)))}:`);
  const login = signAnswer(key, { ...answer, request: null }, { created: 1, number: 0 });
  assertEquals(login.input, 'postern=("@status" "content-digest");created=1;nonce="S-0";alg="hmac-sha256"');
});

Deno.test("verifyRequest() takes the signed parts and no others, SESS-09", () => {
  assertEquals(verifyRequest(key, request, signed), stamp);
  assertEquals(verifyRequest(other, request, signed), null);
  const changes: Partial<RequestParts>[] = [
    { method: "POST" },
    { path: "/base/v1/00/heads" },
    { query: "?generation=2" },
    { query: "?" },
    { digest: contentDigest(utf8("Body")) },
    { session: "Token" },
  ];
  for (const change of changes) {
    assertEquals(verifyRequest(key, { ...request, ...change }, signed), null, JSON.stringify(change));
  }
});

Deno.test("verifyAnswer() takes the answer to this request and to no other, SESS-13", () => {
  const headers = signAnswer(key, answer, stamp);
  assertEquals(verifyAnswer(key, answer, headers), stamp);
  const changes: Partial<AnswerParts>[] = [
    { status: 404 },
    { digest: contentDigest(utf8("Body")) },
    { request: `:${toBase64(filled(32, 9))}:` },
    { request: null },
  ];
  for (const change of changes) {
    assertEquals(verifyAnswer(key, { ...answer, ...change }, headers), null, JSON.stringify(change));
  }
  assertEquals(verifyAnswer(other, answer, headers), null);
  // A request's own signature is no answer to anything, though the keys were the same.
  assertEquals(verifyAnswer(key, answer, signed), null);
});

Deno.test("every character of the signature headers counts, SESS-09", () => {
  const replacement = fc.record({ at: fc.nat(), with: fc.string({ maxLength: 2 }) });
  const change = (text: string, { at, with: by }: { at: number; with: string }) => {
    const index = at % text.length;
    return text.slice(0, index) + by + text.slice(index + 1);
  };
  fc.assert(
    fc.property(fc.boolean(), replacement, (isInput, how) => {
      const headers = isInput
        ? { ...signed, input: change(signed.input, how) }
        : { ...signed, signature: change(signed.signature, how) };
      const isSame = headers.input === signed.input && headers.signature === signed.signature;
      assertEquals(verifyRequest(key, request, headers), isSame ? stamp : null);
    }),
    { numRuns: 500 },
  );
});

Deno.test("readRequestStamp() takes exactly one form, SESS-09", () => {
  const { input } = signed;
  assertEquals(readRequestStamp(input), stamp);
  const others = [
    input.replace("postern=", "sig1="),
    input.replace("hmac-sha256", "hmac-sha512"),
    input.replace('"C-7"', '"S-7"'),
    input.replace('"C-7"', '"C-07"'),
    input.replace('"C-7"', '"C--7"'),
    input.replace("created=1", "created=01"),
    input.replace("created=1893456000", "created=1893456000.0"),
    input.replace('"@method" ', ""),
    input.replace(";created", "; created"),
    `${input};keyid="x"`,
    `${input}, ${input}`,
    ` ${input}`,
    "",
  ];
  for (const one of others) assertEquals(readRequestStamp(one), null, one);
});

Deno.test("signatureValue() takes 32 bytes of base64 between colons and nothing else", () => {
  assertEquals(requestMac.length, 46);
  assertEquals(fromBase64(requestMac.slice(1, -1)).length, 32);
  for (const one of ["", "postern=::", "postern=:AAAA:", `sig1=${requestMac}`, `postern=${requestMac}:`]) {
    assertEquals(signatureValue(one), null, one);
  }
});
