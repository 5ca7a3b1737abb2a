/**
 * Hashes as another runtime would make them: `deno run hash_runtimes.ts RUNTIME` leaves out what that has not, and prints the SHA-256 and
 * the HMAC of messages of these sizes, in hex.
 */
const [runtime] = Deno.args;
// Node before 25 has none; browsers before 2024 neither.
Reflect.deleteProperty(Uint8Array.prototype, "setFromHex");
if (runtime === "browser") Reflect.deleteProperty(globalThis, "process");
const { hmacSha256, sha256 } = await import("../../../shared/crypto/hash.ts");
const { toHex } = await import("../../../shared/bytes/encoding.ts");

const SIZES = [0, 31, 64, 127, 128, 1_000, 5_000];
for (const size of SIZES) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i & 255);
  const text = String.fromCharCode(...bytes);
  console.log(toHex(sha256(bytes)), toHex(hmacSha256(bytes, bytes)), toHex(hmacSha256(bytes, text)));
}
