/** Revocation on the path of a release. */
import { signDetached } from "../../../shared/cms/sign.ts";
import { type ReleaseTrust, verifyDetached } from "../../../shared/cms/verify.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { type Crl, type Revocation } from "../../../shared/x509/crl.ts";
import { KEY_USAGE } from "../../../shared/x509/extensions.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import { type CrlFields, issueCrl } from "../../../shared/x509/write_crl.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { DAY, type Holder, type Key } from "../x509/builder.ts";
import { certified, CONTENT, NOW, root, signerOf } from "./publisher.ts";

const HOUR = 3_600_000;
const top = await root();
const middle = await certified("CN=middle,O=Publisher", top, { isCa: true });
const signer = await certified("CN=release,O=Publisher", middle);
const signature = await signDetached(CONTENT, signerOf(signer, "Ed25519", [middle]), NOW);

const verify = (trust: Partial<ReleaseTrust>) =>
  verifyDetached(CONTENT, signature, { roots: [top.certificate], now: NOW, ...trust });

function listOf({ certificate, key }: Holder, fields: Partial<CrlFields> = {}, by: Key = key): Promise<Crl> {
  const all = { number: 1n, thisUpdate: NOW - HOUR, nextUpdate: NOW + HOUR, revoked: new Map(), ...fields };
  return issueCrl(certificate, cryptoKeySigner(by.pair.privateKey), all);
}

const revoking = ({ certificate }: Holder): ReadonlyMap<string, Revocation> =>
  new Map([[certificate.serial, { at: NOW - HOUR, reason: "keyCompromise" }]]);

async function refuses(code: ErrorCode, what: string, trust: Partial<ReleaseTrust>): Promise<void> {
  await assertRejects(() => verify(trust), code).catch((error) => {
    throw new Error(`${what}: ${error.message}`, { cause: error });
  });
}

Deno.test("verifyDetached() uses each list for what its issuer issued, and no list of anybody else (CMS-19)", async () => {
  const stranger = await root("Ed25519");
  const elsewhere = await certified("CN=elsewhere,O=Publisher", top, { isCa: true });
  const unrelated = await listOf(elsewhere, { revoked: revoking(signer) });
  assertEquals((await verify({ crls: [unrelated] })).crls, []);
  // The root revokes the signer's number, which is another certificate's if the root issued it.
  await verify({ crls: [await listOf(top, { revoked: revoking(signer) })] });
  await refuses("signature", "signed by another key", { crls: [await listOf(top, {}, stranger.key)] });
  await refuses("not_yet_valid", "from the future", { crls: [await listOf(top, { thisUpdate: NOW + HOUR / 2 })] });
  const silent = await certified("CN=silent,O=Publisher", top, { isCa: true, keyUsage: KEY_USAGE.keyCertSign });
  const mute = { certificate: { ...silent.certificate, keyUsage: undefined }, key: silent.key };
  const below = await certified("CN=below,O=Publisher", silent);
  const file = await signDetached(CONTENT, signerOf(below, "Ed25519", [silent]), NOW);
  const trust = { roots: [top.certificate], now: NOW, crls: [await listOf(mute)] };
  await assertRejects(() => verifyDetached(CONTENT, file, trust), "untrusted");
});

Deno.test("verifyDetached() refuses what is revoked, and lists that are out of date or missing (CMS-20)", async () => {
  const old = { thisUpdate: NOW - 2 * DAY, nextUpdate: NOW - DAY };
  const good = [await listOf(top), await listOf(middle)];
  assertEquals((await verify({ crls: good, requireCrl: true })).crls.length, 2);
  await refuses("revoked", "the signer", { crls: [await listOf(middle, { revoked: revoking(signer) })] });
  await refuses("revoked", "the authority", { crls: [await listOf(top, { revoked: revoking(middle) })] });
  await refuses("revoked", "by a list out of date", {
    crls: [await listOf(middle, { ...old, revoked: revoking(signer) })],
  });
  await refuses("revoked", "by an earlier list", {
    crls: [...good, await listOf(middle, { ...old, revoked: revoking(signer) })],
  });
  await refuses("stale", "out of date", { crls: [await listOf(middle, old)] });
  await refuses("stale", "at its very end", { crls: good, now: NOW + HOUR });
  await verify({ crls: good, now: NOW + HOUR - 1 });
  await refuses("stale", "none at all", { requireCrl: true });
  await refuses("stale", "none of the root", { crls: good.slice(1), requireCrl: true });
  await refuses("stale", "none of the authority", { crls: good.slice(0, 1), requireCrl: true });
  // An earlier list beside the newest does no harm.
  await verify({ crls: [await listOf(middle, old), ...good], requireCrl: true });
});

Deno.test("verifyDetached() returns the lists that it used, for the caller to see that none is older than before (CMS-21)", async () => {
  const crls = [await listOf(top, { number: 7n }), await listOf(middle, { number: 2n ** 100n })];
  const used = (await verify({ crls })).crls;
  assertEquals(used.map(({ number }) => number).sort(), [2n ** 100n, 7n]);
});

Deno.test("verifyDetached() tells the lists of an issuer's earlier key from those of its present one (CMS-19)", async () => {
  const before = await root();
  const { certificate } = top;
  const old = { certificate: { ...certificate, subjectKeyId: before.certificate.subjectKeyId }, key: before.key };
  const another = await listOf(old, { revoked: revoking(middle) });
  assertEquals((await verify({ crls: [another] })).crls, []);
  await refuses("stale", "the list of another key", { crls: [another, await listOf(middle)], requireCrl: true });
  // Without identifiers the name alone counts, and then the signature must be right.
  const own = { ...await listOf(top), authorityKeyId: undefined };
  assertEquals((await verify({ crls: [own] })).crls.length, 1);
  await refuses("signature", "of another key", { crls: [{ ...another, authorityKeyId: undefined }] });
  const silent = { ...certificate, subjectKeyId: undefined };
  assertEquals((await verify({ crls: [await listOf(top)], roots: [silent] })).crls.length, 1);
  await refuses("signature", "of another key", { crls: [another], roots: [silent] });
});

Deno.test("verifyDetached() takes a list as far ahead of the clock as a clock may be wrong (CMS-19)", async () => {
  await verify({ crls: [await listOf(top, { thisUpdate: NOW + 600_000 })] });
  const error = await assertRejects(
    async () => await verify({ crls: [await listOf(top, { thisUpdate: NOW + 601_000 })] }),
    "not_yet_valid",
  );
  assert(error.message.includes("CN=root"));
});
