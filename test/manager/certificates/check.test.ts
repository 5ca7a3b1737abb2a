import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Certificate } from "../../../shared/x509/certificate.ts";
import { bySubject } from "../../../shared/x509/chain.ts";
import { octetBits, oid, sequence } from "../../../shared/der/write.ts";
import { checkCertificate, type OwnersTrust } from "../../../manager/certificates/check.ts";
import { authority, build, DAY, holder, keyIds, newKey, NOW } from "../../shared/x509/builder.ts";

const root = await authority("CN=root", undefined, { extensions: keyIds("root", undefined) });
const middle = await authority("CN=middle", root, { extensions: keyIds("middle", "root") });
const leaf = await holder({ extensions: keyIds("leaf", "middle") }, middle);

function trust(changes: Partial<OwnersTrust> & { readonly blocked?: readonly Certificate[] } = {}): OwnersTrust {
  const { blocked = [], ...rest } = changes;
  return {
    anchors: bySubject([root.certificate]),
    candidates: bySubject([middle.certificate]),
    isBlocked: (fingerprint) => blocked.some((one) => equalBytes(one.fingerprint, fingerprint)),
    review: "untrusted",
    ...rest,
  };
}

async function expectVerdict(
  der: Bytes,
  status: "waiting" | "blocked",
  code: ErrorCode,
  owners = trust(),
  now = NOW,
): Promise<void> {
  const verdict = await checkCertificate(der, owners, now);
  assert(verdict.status !== "usable", "usable");
  assertEquals([verdict.status, verdict.code], [status, code], verdict.message);
}

Deno.test("checkCertificate() takes what chains to the owner's trust as usable", async () => {
  const verdict = await checkCertificate(leaf.certificate.der, trust(), NOW);
  assert(verdict.status === "usable");
  assertEquals(verdict.path.map(({ subject }) => subject as string), [
    "2.5.4.3=leaf",
    "2.5.4.3=middle",
    "2.5.4.3=root",
  ]);
  assertEquals((await checkCertificate(root.certificate.der, trust(), NOW)).status, "usable");
});

Deno.test("checkCertificate() lets everything wait if the owner wants to see it all", async () => {
  await expectVerdict(leaf.certificate.der, "waiting", "untrusted", trust({ review: "all" }));
});

Deno.test("checkCertificate() lets what is not trusted wait for the owner", async () => {
  const stranger = await authority("CN=stranger");
  await expectVerdict(stranger.certificate.der, "waiting", "untrusted");
  await expectVerdict((await holder({}, stranger)).certificate.der, "waiting", "untrusted");
  await expectVerdict(leaf.certificate.der, "waiting", "untrusted", trust({ candidates: () => [] }));
});

Deno.test("checkCertificate() lets what is out of its time wait", async () => {
  const { der } = leaf.certificate;
  await expectVerdict(der, "waiting", "expired", trust(), NOW + 30 * DAY);
  await expectVerdict(der, "waiting", "not_yet_valid", trust(), NOW - 30 * DAY);
});

Deno.test("checkCertificate() blocks what is no certificate, without losing the reason", async () => {
  await expectVerdict(utf8("no certificate"), "blocked", "malformed");
  await expectVerdict(new Uint8Array(100_000), "blocked", "too_large");
  const verdict = await checkCertificate(utf8("no certificate"), trust(), NOW);
  assertEquals(verdict.certificate, undefined);
});

Deno.test("checkCertificate() keeps blocked what the owner blocked, whatever vouches for it", async () => {
  await expectVerdict(leaf.certificate.der, "blocked", "forbidden", trust({ blocked: [leaf.certificate] }));
});

Deno.test("checkCertificate() lets nothing vouch that the owner blocked", async () => {
  for (const blocked of [middle.certificate, root.certificate]) {
    await expectVerdict(leaf.certificate.der, "waiting", "untrusted", trust({ blocked: [blocked] }));
  }
});

Deno.test("checkCertificate() blocks a forgery only when a key identifier says whose signature it is not", async () => {
  const forger = await newKey();
  const issuer = "CN=middle";
  const named = await build({ subject: "CN=x", issuer, signer: forger, extensions: keyIds("x", "middle") });
  await expectVerdict(named, "blocked", "tampered");
  const unnamed = await build({ subject: "CN=x", issuer, signer: forger, extensions: keyIds("x", undefined) });
  await expectVerdict(unnamed, "waiting", "tampered");
});

Deno.test("checkCertificate() blocks a root that did not sign itself although it says so", async () => {
  const [key, forger] = [await newKey(), await newKey()];
  const forged = { subject: "CN=r", issuer: "CN=r", key, signer: forger };
  await expectVerdict(await build({ ...forged, extensions: keyIds("r", "r") }), "blocked", "tampered");
  // Signed by the older key of the same name, which is how an authority changes its key.
  await expectVerdict(await build({ ...forged, extensions: keyIds("new", "old") }), "waiting", "untrusted");
  await expectVerdict(await build({ ...forged, extensions: keyIds("r", undefined) }), "waiting", "untrusted");
});

Deno.test("checkCertificate() shows the owner what is trusted but odd", async () => {
  for (const serial of [new Uint8Array(1), new Uint8Array(21).fill(1)]) {
    const odd = await holder({ serial }, root);
    await expectVerdict(odd.certificate.der, "waiting", "unsupported");
  }
  for (const serial of [Uint8Array.of(1), new Uint8Array(20).fill(1)]) {
    const plain = await holder({ serial }, root);
    assertEquals((await checkCertificate(plain.certificate.der, trust(), NOW)).status, "usable");
  }
  const spki = sequence(sequence(oid("1.3.101.113")), octetBits(new Uint8Array(57)));
  const unknown = await holder({ key: { pair: root.key.pair, spki } }, root);
  await expectVerdict(unknown.certificate.der, "waiting", "unsupported");
});
