import fc from "fast-check";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { signingKey } from "../../fixtures/owner.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { isPosternError } from "../../../shared/errors.ts";
import {
  checkCode,
  encodePairingGrant,
  makePairingRequest,
  pairingText,
  parsePairingText,
  readPairingGrant,
  readPairingRequest,
} from "../../../shared/protocol/pairing.ts";
import * as arbitrary from "./arbitraries.ts";
import { damage, damaged } from "./codec.ts";
import { filled } from "./epoch.ts";

const device = await signingKey();
const asked = {
  ...{
    publicKey: device.publicKey,
    suite: "xwing",
    kemPublicKey: filled(1_216, 3),
    name: "Phone",
    nonce: filled(16, 4),
  },
};

Deno.test("readPairingRequest() reads what makePairingRequest() made and verifies its sender, PAIR-01 WRAP-05", async () => {
  const request = await makePairingRequest(asked, device.sign);
  assertEquals(await readPairingRequest(request), asked);
  const stranger = await signingKey();
  const forged = await makePairingRequest(asked, stranger.sign);
  await assertRejects(() => readPairingRequest(forged), "tampered");
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      try {
        await readPairingRequest(damaged(request, change));
      } catch (error) {
        return (["tampered", "malformed", "unsupported"] as const).some((code) => isPosternError(error, code));
      }
      return false;
    }),
    { numRuns: 200 },
  );
});

Deno.test("a device's name has 1 to 64 characters, PAIR-01", async () => {
  for (const [name, fits] of [["", false], ["x", true], ["x".repeat(64), true], ["x".repeat(65), false]] as const) {
    const request = await makePairingRequest({ ...asked, name }, device.sign);
    if (fits) assertEquals((await readPairingRequest(request)).name, name);
    else await assertRejects(() => readPairingRequest(request), "malformed");
  }
});

Deno.test("readPairingGrant() takes only the answer to its own request, PAIR-02", () => {
  const [one, other] = [utf8("one request"), utf8("another")];
  const [grant] = fc.sample(arbitrary.grant, 1);
  assert(grant !== undefined);
  const bytes = encodePairingGrant({ ...grant, request: sha256(one) });
  assertEquals(readPairingGrant(bytes, one).owner, grant.owner);
  assertThrows(() => readPairingGrant(bytes, other), "tampered");
});

Deno.test("checkCode() shows 80 bits of both texts in base32, PAIR-03", () => {
  const [request, grant] = [utf8("request"), utf8("grant")];
  const hash = sha256(encodeCbor(["postern/1/check-code", request, grant]));
  const bits = [...hash.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const digits = Array.from({ length: 16 }, (_, i) => Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2));
  const expected = digits.map((digit) => "abcdefghijklmnopqrstuvwxyz234567"[digit]).join("");
  assertEquals(checkCode(request, grant).replaceAll("-", ""), expected);
  assert(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/.test(checkCode(request, grant)));
  assert(checkCode(request, grant) !== checkCode(request, utf8("Grant")));
  assert(checkCode(request, grant) !== checkCode(utf8("Request"), grant));
  // Where one text ends and the other begins is part of it.
  assert(checkCode(utf8("ab"), utf8("c")) !== checkCode(utf8("a"), utf8("bc")));
});

Deno.test("parsePairingText() reads what pairingText() wrote, and nothing else", () => {
  fc.assert(fc.property(arbitrary.bytesBetween(0, 200), (bytes) => {
    assertEquals(parsePairingText(pairingText(bytes)), bytes);
    assertEquals(parsePairingText(`\n  ${pairingText(bytes)}  \n`), bytes);
  }));
  for (
    const text of ["", "AAAA", "postern-pairing:A", "postern-pairing:AA==", "Postern-pairing:AAAA", "postern-device:AA"]
  ) {
    assertThrows(() => parsePairingText(text), "malformed");
  }
  const most = 1_048_576 - "postern-pairing:".length;
  assertEquals(parsePairingText(`postern-pairing:${"A".repeat(most)}`).length, most / 4 * 3);
  assertThrows(() => parsePairingText(`postern-pairing:${"A".repeat(most + 4)}`), "malformed");
});
