import { assert, assertEquals } from "../../assert.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type Certificate, readCertificate } from "../../../shared/x509/certificate.ts";
import { bySubject, findPath } from "../../../shared/x509/chain.ts";
import { namedBits, octetBits, oid, sequence, TRUE } from "../../../shared/der/write.ts";
import { EXTENSION, KEY_USAGE, PURPOSE } from "../../../shared/x509/extensions.ts";
import type { PathReason } from "../../../shared/x509/path_result.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { authority, build, DAY, type Holder, holder, type Key, keyIds, newKey, NOW, type Options } from "./builder.ts";

/** What to look for and where. */
interface Scene {
  readonly leaf: Holder;
  readonly anchors: readonly Holder[];
  readonly candidates?: readonly Holder[];
  readonly now?: number;
  readonly purpose?: string;
}

const list = (holders: readonly Holder[] = []) => bySubject(holders.map(({ certificate }) => certificate));

async function look({ leaf, anchors, candidates, now = NOW, purpose }: Scene) {
  const options = { anchors: list(anchors), candidates: list(candidates), now };
  return await findPath(leaf.certificate, purpose === undefined ? options : { ...options, purpose });
}

async function expectPath(scene: Scene, ...expected: readonly Holder[]): Promise<void> {
  const result = await look(scene);
  if (!result.ok) throw new Error(`${result.reason}: ${result.message}`);
  assertEquals(result.path.map(({ subject }) => subject), expected.map(({ certificate }) => certificate.subject));
  for (const [i, { certificate }] of expected.entries()) assert(result.path[i] === certificate);
}

async function expectReason(scene: Scene, reason: PathReason, at?: Holder): Promise<void> {
  const result = await look(scene);
  assert(!result.ok, "a path was found");
  assertEquals(result.reason, reason, result.message);
  if (at !== undefined) assert(result.certificate === at.certificate, result.message);
}

const root = await authority("CN=root");
const middle = await authority("CN=middle", root);
const leaf = await holder({ subject: "CN=leaf" }, middle);

Deno.test("findPath() finds the way to a trusted root", async () => {
  await expectPath({ leaf, anchors: [root], candidates: [middle] }, leaf, middle, root);
});

Deno.test("findPath() ends at the first trusted certificate, also one that did not sign itself", async () => {
  await expectPath({ leaf, anchors: [middle] }, leaf, middle);
  await expectPath({ leaf, anchors: [leaf] }, leaf);
  await expectPath({ leaf, anchors: [root, middle], candidates: [middle] }, leaf, middle);
});

Deno.test("findPath() answers 'untrusted' when the way is broken or ends at nothing trusted", async () => {
  await expectReason({ leaf, anchors: [root] }, "untrusted", leaf);
  await expectReason({ leaf, anchors: [], candidates: [middle, root] }, "untrusted", root);
  await expectReason({ leaf: root, anchors: [] }, "untrusted", root);
  const stranger = await authority("CN=stranger");
  await expectReason({ leaf, anchors: [stranger], candidates: [middle] }, "untrusted");
});

Deno.test("findPath() does not take a certificate with a trusted name for the trusted one", async () => {
  const impostor = await authority("CN=root");
  const forged = await holder({ subject: "CN=forged" }, impostor);
  await expectReason({ leaf: forged, anchors: [root] }, "tampered", forged);
  await expectReason({ leaf: forged, anchors: [root], candidates: [impostor] }, "untrusted");
});

Deno.test("findPath() tries every certificate of an issuer's name until one has signed", async () => {
  const older = await authority("CN=middle", root);
  const newer = await authority("CN=middle", root);
  await expectPath({ leaf, anchors: [root], candidates: [older, middle, newer] }, leaf, middle, root);
});

Deno.test("findPath() matches names by their meaning", async () => {
  const spelled = await holder({ issuer: "CN= ROOT ", signer: root.key });
  await expectPath({ leaf: spelled, anchors: [root] }, spelled, root);
});

Deno.test("findPath() leaves out issuers whose key identifier differs, and takes those that have none", async () => {
  const marked = await authority("CN=marked", undefined, { extensions: keyIds("one", undefined) });
  const same = await holder({ extensions: keyIds(undefined, "one") }, marked);
  const other = await holder({ extensions: keyIds(undefined, "two") }, marked);
  const none = await holder({}, marked);
  await expectPath({ leaf: same, anchors: [marked] }, same, marked);
  await expectPath({ leaf: none, anchors: [marked] }, none, marked);
  await expectReason({ leaf: other, anchors: [marked] }, "untrusted", other);
});

Deno.test("findPath() keeps to validity, to the second", async () => {
  const { notBefore, notAfter } = leaf.certificate;
  const scene = { leaf, anchors: [root], candidates: [middle] };
  await expectReason({ ...scene, now: notBefore - 1 }, "not_yet_valid", leaf);
  await expectPath({ ...scene, now: notBefore }, leaf, middle, root);
  await expectPath({ ...scene, now: notAfter + 999 }, leaf, middle, root);
  await expectReason({ ...scene, now: notAfter + 1000 }, "expired", leaf);
});

Deno.test("findPath() refuses a path through anything expired or not yet valid, the root included", async () => {
  const times: [Options, PathReason][] = [
    [{ notAfter: NOW - 1000 }, "expired"],
    [{ notBefore: NOW + 1000 }, "not_yet_valid"],
  ];
  for (const [options, reason] of times) {
    const between = await authority("CN=between", root, options);
    const below = await holder({}, between);
    await expectReason({ leaf: below, anchors: [root], candidates: [between] }, reason, between);
    const top = await authority("CN=top", undefined, options);
    await expectReason({ leaf: await holder({}, top), anchors: [top] }, reason, top);
    await expectReason({ leaf: top, anchors: [top] }, reason, top);
  }
});

Deno.test("findPath() finds another way round an expired certificate", async () => {
  const key = await newKey();
  const old = await authority("CN=crossed", root, { key, notAfter: NOW - DAY });
  const crossed = await authority("CN=crossed", root, { key });
  const below = await holder({}, crossed);
  await expectPath({ leaf: below, anchors: [root], candidates: [old, crossed] }, below, crossed, root);
});

Deno.test("findPath() finds another way round an issuer that leads nowhere, and tells of the first of two alike", async () => {
  const key = await newKey();
  const stranger = await authority("CN=stranger");
  const nowhere = await authority("CN=crossed", stranger, { key });
  const crossed = await authority("CN=crossed", root, { key });
  const below = await holder({}, crossed);
  await expectPath({ leaf: below, anchors: [root], candidates: [nowhere, crossed] }, below, crossed, root);
  const late = await Promise.all([1, 2].map(() => authority("CN=crossed", root, { key, notAfter: NOW - DAY })));
  await expectReason({ leaf: below, anchors: [root], candidates: late }, "expired", late[0]);
});

Deno.test("findPath() knows a trusted certificate by its bytes", async () => {
  const again = { ...leaf, certificate: readCertificate(leaf.certificate.der) };
  await expectPath({ leaf, anchors: [again] }, leaf);
});

Deno.test("findPath() refuses issuers that are no authorities", async () => {
  const below = await holder({}, leaf);
  await expectReason({ leaf: below, anchors: [root], candidates: [middle, leaf] }, "not_an_authority", leaf);
  await expectReason({ leaf: below, anchors: [leaf] }, "not_an_authority", leaf);
  const mute = await holder({
    subject: "CN=mute",
    extensions: [
      extension(EXTENSION.basicConstraints, true, sequence(TRUE)),
      extension(EXTENSION.keyUsage, true, namedBits(KEY_USAGE.cRLSign)),
    ],
  }, root);
  await expectReason({ leaf: await holder({}, mute), anchors: [root], candidates: [mute] }, "not_an_authority", mute);
  const free = await holder({
    subject: "CN=free",
    extensions: [extension(EXTENSION.basicConstraints, true, sequence(TRUE))],
  }, root);
  const belowFree = await holder({}, free);
  await expectPath({ leaf: belowFree, anchors: [root], candidates: [free] }, belowFree, free, root);
});

Deno.test("findPath() keeps to pathLen, in which a new key of the same authority does not count", async () => {
  for (const [pathLen, allowed] of [[0, false], [1, true], [undefined, true]] as const) {
    const top = await authority("CN=top", undefined, {}, pathLen);
    const one = await authority("CN=one", top);
    const oneBelow = await holder({}, one);
    await (allowed
      ? expectPath({ leaf: oneBelow, anchors: [top], candidates: [one] }, oneBelow, one, top)
      : expectReason({ leaf: oneBelow, anchors: [top], candidates: [one] }, "path_too_long", top));
    const direct = await holder({}, top);
    await expectPath({ leaf: direct, anchors: [top] }, direct, top);
    const rekeyed = await authority("CN=top", top);
    const byNewKey = await holder({}, rekeyed);
    await expectPath({ leaf: byNewKey, anchors: [top], candidates: [rekeyed] }, byNewKey, rekeyed, top);
    // An authority as the certificate in question is not one in between.
    await expectPath({ leaf: one, anchors: [top] }, one, top);
  }
});

Deno.test("findPath() goes as far as the limit and no further", async () => {
  const line = [await authority("CN=0")];
  for (let i = 1; i <= LIMITS.maxPathCertificates; i++) line.push(await authority(`CN=${i}`, line[i - 1]));
  const [top = root] = line;
  const longest = line.slice(0, LIMITS.maxPathCertificates);
  await expectPath({ leaf: longest.at(-1) ?? root, anchors: [top], candidates: line }, ...longest.toReversed());
  await expectReason({ leaf: line.at(-1) ?? root, anchors: [top], candidates: line }, "path_too_long", line.at(-1));
});

Deno.test("findPath() ends when certificates sign each other in a circle", async () => {
  const [a, b] = [await newKey(), await newKey()];
  const sign = async (subject: string, key: Key, issuer: string, signer: Key) => {
    const { certificate } = await authority(subject, undefined, { key, issuer, signer });
    return { key, certificate };
  };
  const [ab, ba] = [await sign("CN=a", a, "CN=b", b), await sign("CN=b", b, "CN=a", a)];
  const below = await holder({}, ab);
  await expectReason({ leaf: below, anchors: [root], candidates: [ab, ba] }, "untrusted");
  await expectPath({ leaf: below, anchors: [ba], candidates: [ab, ba] }, below, ab, ba);
});

Deno.test("findPath() answers 'too_much_work' to a crowd of look-alikes, after a bounded number of steps", async () => {
  const key = await newKey();
  const lookalikes = await Promise.all(
    Array.from({ length: LIMITS.maxPathSteps + 10 }, () => authority("CN=middle", root, { key })),
  );
  await expectReason({ leaf, anchors: [root], candidates: lookalikes }, "too_much_work", leaf);
  // What is trusted is tried first, so that a crowd cannot hide it.
  await expectPath({ leaf, anchors: [middle], candidates: lookalikes }, leaf, middle);
});

Deno.test("findPath() refuses critical extensions that it does not understand, anywhere", async () => {
  const strange = [extension("1.2.3.4", true, sequence())];
  const odd = await holder({ extensions: strange }, root);
  await expectReason({ leaf: odd, anchors: [root] }, "unsupported", odd);
  const between = await authority("CN=between", root, { extensions: strange });
  await expectReason(
    { leaf: await holder({}, between), anchors: [root], candidates: [between] },
    "unsupported",
    between,
  );
  const top = await authority("CN=top", undefined, { extensions: strange });
  await expectReason({ leaf: await holder({}, top), anchors: [top] }, "unsupported", top);
  const harmless = await holder({ extensions: [extension("1.2.3.4", false, sequence())] }, root);
  await expectPath({ leaf: harmless, anchors: [root] }, harmless, root);
});

Deno.test("findPath() answers 'unsupported' when the issuer's key is of a kind that nobody can verify with", async () => {
  const spki = sequence(sequence(oid("1.3.101.113")), octetBits(new Uint8Array(57)));
  const { certificate } = await authority("CN=goldilocks", root, { key: { pair: root.key.pair, spki } });
  const goldilocks = { key: root.key, certificate };
  const below = await holder({}, goldilocks);
  await expectReason({ leaf: below, anchors: [root], candidates: [goldilocks] }, "unsupported", below);
  const rekeyed = await authority("CN=goldilocks", goldilocks);
  await expectReason({ leaf: rekeyed, anchors: [goldilocks] }, "unsupported", rekeyed);
});

Deno.test("findPath() asks every certificate of the path for the purpose", async () => {
  const purposes = (...oids: string[]) => [extension(EXTENSION.extKeyUsage, false, sequence(...oids.map(oid)))];
  const client = await holder({ extensions: purposes(PURPOSE.clientAuth) }, root);
  const server = await holder({ extensions: purposes(PURPOSE.serverAuth) }, root);
  const any = await holder({ extensions: purposes(PURPOSE.any) }, root);
  const none = await holder({}, root);
  const purpose = PURPOSE.clientAuth;
  for (const good of [client, any, none]) await expectPath({ leaf: good, anchors: [root], purpose }, good, root);
  await expectReason({ leaf: server, anchors: [root], purpose }, "wrong_purpose", server);
  await expectPath({ leaf: server, anchors: [root] }, server, root);
  const limited = await authority("CN=limited", root, { extensions: purposes(PURPOSE.serverAuth) });
  const below = await holder({ extensions: purposes(PURPOSE.clientAuth) }, limited);
  await expectReason({ leaf: below, anchors: [root], candidates: [limited], purpose }, "wrong_purpose", limited);
});

Deno.test("findPath() lets nothing be issued by a certificate without a name", async () => {
  const nameless = await authority("", undefined, { key: root.key });
  const below = readCertificate(await build({ subject: "CN=x", issuer: "", signer: root.key }));
  await expectReason({ leaf: { key: root.key, certificate: below }, anchors: [nameless] }, "untrusted");
});

Deno.test("findPath() takes lookups that have to wait, as a store's do", async () => {
  const wait = (found: readonly Certificate[]) => {
    const lookup = bySubject(found);
    return async (subject: Certificate["subject"]) => {
      await Promise.resolve();
      return lookup(subject);
    };
  };
  const options = { anchors: wait([root.certificate]), candidates: wait([middle.certificate]), now: NOW };
  assertEquals((await findPath(leaf.certificate, options)).ok, true);
});

Deno.test("findPath() names code and certificate in its answer, for people and for programs", async () => {
  const found = await findPath(leaf.certificate, { anchors: () => [], candidates: () => [], now: NOW });
  assert(!found.ok);
  assertEquals([found.code, found.reason], ["untrusted", "untrusted"]);
  assert(found.message.includes("CN=leaf"), found.message);
});
