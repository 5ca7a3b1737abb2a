import { assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { type Curve, requirePoint } from "../../../shared/crypto/ec_point.ts";
import { readPublicKey } from "../../../shared/crypto/public_key.ts";
import { TAG } from "../../../shared/der/read.ts";
import { element, octetBits, oid, sequence } from "../../../shared/der/write.ts";

const NULL = element(TAG.null);
const [RSA, PSS, EC, ED25519, P256] = [
  ...["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1", "1.3.101.112", "1.2.840.10045.3.1.7"],
].map(oid);
if (!RSA || !PSS || !EC || !ED25519 || !P256) throw new Error("five names were given");

const spki = (algorithm: readonly Bytes[], key: Bytes) => sequence(sequence(...algorithm), octetBits(key));
const filled = (length: number, first: number) => Uint8Array.from({ length }, (_, at) => at === 0 ? first : 7);
const rsaKey = (...numbers: readonly number[][]) =>
  sequence(...numbers.map((number) => element(TAG.integer, Uint8Array.from(number))));

Deno.test("readPublicKey() reads RSA keys of numbers above 0, with the parameters that belong to them", () => {
  const key = rsaKey([0, 0x80, 1], [3]);
  const { kind, ...read } = readPublicKey(spki([RSA, NULL], key)) as { kind: string };
  assertEquals([kind, read], ["rsa", {
    ...{ description: "RSA 16", bits: 16, modulus: Uint8Array.of(0x80, 1), exponent: Uint8Array.of(3), pss: undefined },
  }]);
  assertEquals(readPublicKey(spki([PSS], key)).description, "RSA-PSS 16");
  assertThrows(() => readPublicKey(spki([RSA], key)), "malformed");
  assertThrows(() => readPublicKey(spki([RSA, P256], key)), "malformed");
  for (const bad of [rsaKey([0], [3]), rsaKey([0x80, 1], [3]), rsaKey([5], [0x81]), rsaKey([5], [0]), rsaKey([5])]) {
    assertThrows(() => readPublicKey(spki([RSA, NULL], bad)), "malformed");
  }
});

Deno.test("readPublicKey() reads uncompressed points of known curves", () => {
  const read = (key: Bytes, ...parameters: Bytes[]) => readPublicKey(spki([EC, ...parameters], key));
  const point = filled(65, 4);
  assertEquals(read(point, P256), { kind: "ec", description: "EC P-256", curve: "P-256", raw: point });
  for (const first of [2, 3]) assertEquals(read(filled(33, first), P256).description, "EC P-256 in compressed form");
  for (const bad of [filled(32, 2), filled(65, 3), filled(33, 4), filled(33, 5), filled(64, 4), filled(65, 5)]) {
    assertThrows(() => read(bad, P256), "malformed");
  }
  assertEquals(read(point).description, "EC with explicit parameters");
  assertEquals(read(point, sequence(P256)).description, "EC with explicit parameters");
  assertEquals(read(point, oid("1.3.132.0.10")).description, "EC on unknown curve 1.3.132.0.10");
});

Deno.test("readPublicKey() reads Ed25519 keys of 32 bytes, and names what it does not know", () => {
  assertEquals(readPublicKey(spki([ED25519], filled(32, 1))).kind, "ed25519");
  for (const bad of [spki([ED25519], filled(31, 1)), spki([ED25519, NULL], filled(32, 1))]) {
    assertThrows(() => readPublicKey(bad), "malformed");
  }
  const other = (name: string) => readPublicKey(spki([oid(name)], filled(32, 1)));
  assertEquals(other("1.3.101.113"), { kind: "other", description: "Ed448" });
  assertEquals(other("1.2.3"), { kind: "other", description: "unknown algorithm 1.2.3" });
});

/** A root of y in GF(p) for the primes here, which are all 3 modulo 4. */
function squareRoot(y: bigint, p: bigint): bigint {
  let [power, base] = [1n, y];
  for (let exponent = (p + 1n) / 4n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) power = power * base % p;
    base = base * base % p;
  }
  return power;
}

Deno.test("requirePoint() wants coordinates below the prime: a point has one spelling", () => {
  const curve: Curve = "P-256";
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  const pointOf = (x: bigint, y: bigint) =>
    concat(Uint8Array.of(4), ...[x, y].map((one) => fromHex(one.toString(16).padStart(64, "0"))));
  const y = squareRoot(b, p);
  requirePoint(curve, pointOf(0n, y));
  assertThrows(() => requirePoint(curve, pointOf(p, y)), "malformed");
  assertThrows(() => requirePoint(curve, pointOf(0n, p)), "malformed");
});
