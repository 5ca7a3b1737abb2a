import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { openManifest } from "../../../shared/manifest/open_manifest.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { makeScene, openUnsigned } from "./envelopes.ts";
import { file, makeSigner, NOW, POLICY } from "./fixture.ts";

const scene = await makeScene();
const { keys } = scene.instance;
const signer = await makeSigner();

function* bitsOf(bytes: Bytes): Generator<[bit: number, changed: Bytes]> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    yield [bit, changed];
  }
}

Deno.test("MAN-19 not one bit of a signed envelope can be changed, nor of its signature", async () => {
  const content = await scene.encrypt("schema 2 x25519", { files: [file("a")], notes: "n", commit: "ab".repeat(20) });
  const signature = await signer.sign(content);
  const opening = { verify: signer.verify, keys, policy: POLICY, now: NOW };
  assertEquals((await openManifest({ content, signature }, opening)).schema, 2);
  const flips = [...bitsOf(content)].map(([, changed]) => ({ content: changed, signature }));
  flips.push(...[...bitsOf(signature)].map(([, changed]) => ({ content, signature: changed })));
  for (const flipped of flips) await assertRejects(() => openManifest(flipped, opening), "signature");
});

/** The header of schema 3 in the file, from one byte to another. */
function coverIn(content: Bytes): { from: number; to: number } {
  const [, before = "", header = ""] = /^(.*?"cover":")([^"]*)/.exec(new TextDecoder().decode(content)) ?? [];
  return { from: before.length, to: before.length + header.length };
}

for (const kind of ["schema 1", "schema 2 x25519", "schema 3"] as const) {
  Deno.test(`MAN-10 MAN-12 ${kind}: nor any bit of one whose signature nobody looks at`, async () => {
    const content = await scene.encrypt(kind, { files: [file("a")], floor: "1.0.0" });
    const codes = new Set<ErrorCode>();
    const cover = coverIn(content);
    for (const [bit, changed] of bitsOf(content)) {
      // Entries for other instances, which fill a header, are bound by the signature alone.
      if (bit >= 8 * cover.from && bit < 8 * cover.to) continue;
      try {
        await openUnsigned(changed, keys);
      } catch (error) {
        assert(isPosternError(error));
        codes.add(error.code);
        continue;
      }
      throw new Error(`a changed envelope of ${kind} opens`);
    }
    const expected: ErrorCode[] = kind === "schema 1"
      ? ["malformed", "mixed_up", "unsupported", "wrong_key"]
      : ["malformed", "revoked", "tampered", "unsupported"];
    assertEquals([...codes].sort(), expected.sort());
  });
}
