/** Which of two revocation lists is the newer one, and what a list says of a path. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { sign } from "../../../shared/crypto/signature.ts";
import type { Crl } from "../../../shared/x509/crl.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { isNew, isPathRevoked, mergeLists } from "../../../manager/update/lists.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { certified, NOW, root } from "../../shared/cms/publisher.ts";

const DAY = 86_400_000;
const top = await root();
const leaf = await certified("CN=release,O=Publisher", top);

async function listOf(revoked: readonly string[], thisUpdate = NOW - 1_000, number = 1n): Promise<Crl> {
  const signer = {
    algorithm: "Ed25519",
    sign: (bytes: Uint8Array<ArrayBuffer>) => sign(top.key.pair.privateKey, bytes),
  };
  return await issueCrl(top.certificate, { ...signer, algorithm: "Ed25519" }, {
    ...{ number, thisUpdate, nextUpdate: thisUpdate + DAY },
    revoked: new Map(revoked.map((serial) => [serial, { at: thisUpdate, reason: "unspecified" }])),
  });
}

Deno.test("CMS-21 a list without a number, or one that follows such a list, is told by its time", async () => {
  const list = await listOf([]);
  const one = (thisUpdate: number, number?: bigint, authorityKeyId = list.authorityKeyId): Crl => ({
    ...{ ...list, thisUpdate, number, authorityKeyId, fingerprint: utf8(`${thisUpdate} ${number}`) },
  });
  assertEquals(isNew(one(2, 5n), [one(1)]), true);
  assertThrows(() => isNew(one(1, 5n), [one(2)]), "rolled_back");
  assertThrows(() => isNew(one(3), [one(2, 5n)]), "rolled_back");
  assertThrows(() => isNew(one(3, 4n), [one(2, 5n)]), "rolled_back");
  assertThrows(() => isNew(one(3, 5n), [one(2, 5n)]), "forked");
  assertEquals(isNew(one(1, 6n), [one(2, 5n)]), true);
  assertEquals(isNew(one(2, 5n), [one(2, 5n)]), false);
  // Of another issuer, which has the same name and another key, or does not say which.
  assertEquals(isNew(one(1, 4n), [one(2, 5n, utf8("another"))]), true);
  const { authorityKeyId: _, ...unnamed } = one(1, 4n);
  assertEquals(isNew(unnamed as Crl, [one(2, 5n)]), true);
});

Deno.test("CMS-21 MAN-25 of lists that are shown those are to be remembered that are new and of a known issuer", async () => {
  const [old, next] = [await listOf([]), await listOf([], NOW - 500, 2n)];
  const issuers = [top.certificate];
  assertEquals(await mergeLists([next], [old], issuers, NOW), { all: [next], fresh: [next] });
  assertEquals(await mergeLists([next], [next], issuers, NOW), { all: [next], fresh: [] });
  assertEquals(await mergeLists([], [old], issuers, NOW), { all: [old], fresh: [] });
  assertEquals(await mergeLists([next], [], [], NOW), { all: [next], fresh: [] });
});

Deno.test("CMS-21 a path is revoked by a list that says so, and not by one that is missing or out of date", async () => {
  const path = [leaf.certificate, top.certificate];
  assertEquals(await isPathRevoked(path, [await listOf([leaf.certificate.serial])], NOW), true);
  assertEquals(await isPathRevoked(path, [await listOf([])], NOW), false);
  assertEquals(await isPathRevoked(path, [], NOW), false);
  assertEquals(await isPathRevoked(path, [await listOf([], NOW - 2 * DAY)], NOW), false);
});
