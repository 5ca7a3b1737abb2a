import { createHash } from "node:crypto";
import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toBase64Url } from "../../../shared/bytes/encoding.ts";
import { pad } from "../../../shared/bytes/padding.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { sealAead } from "../../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { deriveEpochKeys } from "../../../shared/protocol/epoch_keys.ts";
import { openHeadSecrets, sealHeadSecrets } from "../../../shared/protocol/head.ts";
import { headCode, headText, isSameHead, type NamedHead, parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { LABELS } from "../../../shared/protocol/labels.ts";
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { bytes, positive } from "./arbitraries.ts";
import { filled } from "./epoch.ts";

const named: fc.Arbitrary<NamedHead> = fc.record({
  ...{ owner: bytes(32), incarnation: bytes(16), generation: positive, hash: bytes(32) },
}, { noNullPrototype: true });

Deno.test("a head's text and code name it, however people write the code, HEAD-08", () => {
  fc.assert(fc.property(named, (head) => {
    const [code, text] = [headCode(head), headText(head)];
    assert(/^[1-9]\d*:([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/.test(code), code);
    assertEquals(parseOtherHead(` ${text}\n`), { kind: "text", generation: head.generation, head });
    const typed = [code, code.toLowerCase(), code.replaceAll("-", " "), code.replaceAll("-", ""), ` ${code}\n`];
    const [number = "", digits = ""] = code.split(":");
    typed.push(
      `${number}: ${digits.replaceAll("0", "o").replaceAll("1", "l")}`,
      `${number}:${digits.replaceAll("1", "I")}`,
    );
    for (const one of typed) {
      assertEquals(parseOtherHead(one), { kind: "code", generation: head.generation, code });
    }
  }));
});

Deno.test("the digits of a code are those of Crockford's base32, the most significant first, HEAD-08", () => {
  fc.assert(fc.property(named, (head) => {
    const { owner, incarnation, generation, hash } = head;
    const digest = createHash("sha256").update(encodeCbor([LABELS.headCode, owner, incarnation, generation, hash]))
      .digest();
    const bits = [...digest.subarray(0, 10)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const digits = bits.match(/.{5}/g)?.map((five) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[parseInt(five, 2)]).join("");
    assertEquals(headCode(head).replaceAll("-", ""), `${generation}:${digits}`);
  }));
});

Deno.test("a head's text and code fit no other head, HEAD-08", () => {
  fc.assert(fc.property(named, named, (head, other) => {
    for (const written of [headCode(head), headText(head)]) {
      assert(isSameHead(parseOtherHead(written), head));
      assert(!isSameHead(parseOtherHead(written), { ...head, hash: other.hash }) || `${other.hash}` === `${head.hash}`);
    }
    const code = parseOtherHead(headCode(head));
    for (const change of ["owner", "incarnation", "generation"] as const) {
      if (`${head[change]}` !== `${other[change]}`) assert(!isSameHead(code, { ...head, [change]: other[change] }));
    }
  }));
});

Deno.test("what is neither text nor code of a head is malformed, HEAD-08", () => {
  const head = { owner: filled(32, 1), incarnation: filled(16, 2), generation: 7, hash: filled(32, 3) };
  const [code, text] = [headCode(head), headText(head)];
  const others = [
    ...["", ":", "7", code.slice(1), `0${code}`, `-${code}`, code.slice(0, -1), `${code}0`, `0:${code.slice(2)}`],
    ...[`${code.slice(0, -1)}U`, `${code.slice(0, -1)}*`, `99999999999999999:${code.slice(2)}`, `7:${code}`],
    ...[`9999999999999999:${code.slice(2)}`, code.replace(":", "-")],
    ...[text.slice(1), text.slice(0, -1), `${text}A`, text.toUpperCase(), `postern-head:${"A".repeat(600)}`],
    `postern-head:${toBase64Url(encodeCbor([LABELS.headText, head.owner, head.incarnation, 0, head.hash]))}`,
    `postern-head:${toBase64Url(encodeCbor([LABELS.headCode, head.owner, head.incarnation, 7, head.hash]))}`,
  ];
  for (const other of others) assertThrows(() => parseOtherHead(other), "malformed");
  const spaced = (chars: number) => code.replace(":", `:${"-".repeat(chars - code.length)}`);
  assertEquals(parseOtherHead(` ${spaced(512)} `).generation, 7);
  assertThrows(() => parseOtherHead(spaced(513)), "malformed");
});

Deno.test("the sealed part of a head tells devices of a fork, and its length does not, HEAD-07 HEAD-12", async () => {
  const owner = await OwnerFixture.create();
  const context = { owner: owner.id, incarnation: owner.incarnation, epoch: 1 };
  const keys = await deriveEpochKeys(secretKey<"SymKey">(webCryptoRandom(32)), context, null);
  const contentRoot = filled(32, 9);
  const lengths = new Set<number>();
  const headOf = async (plaintext: Parameters<typeof encodeCbor>[0]) => {
    const { head } = await owner.head({ epoch: 1, generation: 1, previous: null, commitment: keys.commitment });
    const nonce = webCryptoRandom(12);
    const aad = encodeCbor([LABELS.headSealed, owner.id, owner.incarnation, 1, 1]);
    return {
      ...head,
      sealed: { nonce, ciphertext: await sealAead(keys.head, nonce, pad(encodeCbor(plaintext)), aad) },
    };
  };
  const { head } = await owner.head({ epoch: 1, generation: 1, previous: null, commitment: keys.commitment });
  for (const [alarm, listed] of [[null, null], [{ generation: 5, time: NOW }, null], [null, 7]] as const) {
    const sealed = await sealHeadSecrets(keys, 1, { contentRoot, alarm, listed }, webCryptoRandom);
    lengths.add(sealed.ciphertext.length);
    assertEquals(await openHeadSecrets(keys, { ...head, sealed }), { contentRoot, alarm, listed });
  }
  assertEquals(lengths.size, 1);
  // What managers before wrote, and what managers to come may write.
  assertEquals(await openHeadSecrets(keys, await headOf([contentRoot])), { contentRoot, alarm: null, listed: null });
  const alarm = { generation: 5, time: NOW };
  const before = await openHeadSecrets(keys, await headOf([contentRoot, [5, NOW]]));
  assertEquals(before, { contentRoot, alarm, listed: null });
  const later = await openHeadSecrets(keys, await headOf([contentRoot, [5, NOW], 4, "later", null]));
  assertEquals(later, { contentRoot, alarm, listed: 4 });
});
