/** What is remembered: revocation lists in their order, manifests whatever their size. */
import type { Crl } from "../../../shared/x509/crl.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { sign } from "../../../shared/crypto/signature.ts";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { isNew, mergeLists } from "../../../manager/update/lists.ts";
import { putRelease, releaseRecords, requireRelease } from "../../../manager/update/releases.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { certified } from "../../shared/cms/publisher.ts";
import { manifest } from "../../shared/manifest/fixture.ts";
import { DAY } from "./publisher.ts";
import { NOW, withTenant } from "./tenant.ts";

const validity = { notBefore: NOW - 10 * DAY, notAfter: NOW + 400 * DAY };
const root = await certified("CN=root", undefined, { isCa: true, ...validity });
const other = await certified("CN=root", undefined, { isCa: true, ...validity });

async function listOf(number: bigint, thisUpdate = NOW, by = root): Promise<Crl> {
  const signer = { algorithm: "Ed25519", sign: (bytes: Bytes) => sign(by.key.pair.privateKey, bytes) } as const;
  return await issueCrl(by.certificate, signer, {
    ...{ number, thisUpdate, nextUpdate: NOW + 35 * DAY, revoked: new Map() },
  });
}

Deno.test("isNew() goes by number, then by time, and never back, CMS-21", async () => {
  const [first, second, twin] = [await listOf(1n), await listOf(2n), await listOf(2n, NOW - DAY)];
  const unnumbered = (list: Crl): Crl => ({ ...list, number: undefined });
  assertEquals(isNew(first, []), true);
  assertEquals([isNew(second, [first]), isNew(second, [second])], [true, false]);
  assertThrows(() => isNew(first, [second]), "rolled_back");
  assertThrows(() => isNew(twin, [second]), "forked");
  assertThrows(() => isNew(unnumbered(second), [first]), "rolled_back");
  assertEquals(isNew(second, [unnumbered(first)]), true);
  assertEquals(isNew(unnumbered(second), [unnumbered(twin)]), true);
  assertThrows(() => isNew(unnumbered(twin), [unnumbered(second)]), "rolled_back");
});

Deno.test("mergeLists() believes no list before its signature, and keeps to those of an issuer that are not shown, MAN-25", async () => {
  const [mine, others] = [await listOf(1n), await listOf(7n, NOW, other)];
  const { all, fresh } = await mergeLists([mine, others], [], [root.certificate], NOW);
  assertEquals([all.length, fresh], [2, [mine]]);
  assertEquals((await mergeLists([others], [mine], [root.certificate], NOW)).all, [others, mine]);
  const forged: Crl = { ...mine, number: 9n, signature: others.signature };
  await assertRejects(() => mergeLists([forged], [mine], [root.certificate], NOW), "signature");
  await assertRejects(() => mergeLists([mine], [], [root.certificate], NOW - DAY), "not_yet_valid");
});

Deno.test("a manifest of several parts is kept as it is, and replaced as a whole", () =>
  withTenant(async (_publisher, { db }) => {
    const file = { size: 1, mode: "0644", sha256: "ab".repeat(32) } as const;
    const files = Array.from({ length: 9_000 }, (_, at) => ({ ...file, path: `f/${String(at).padStart(5, "0")}` }));
    const large = manifest({ files });
    const accepted = { signer: "ab", origin: "schema 3", accepted: NOW } as const;
    await db.batch(putRelease(large, accepted));
    assertEquals((await requireRelease(db, "postern", "1.2.0")).manifest, large);
    await db.batch(putRelease(manifest(), accepted));
    assertEquals((await requireRelease(db, "postern", "1.2.0")).manifest, manifest());
    assert((await releaseRecords(db, "postern")).length === 1);
    await assertRejects(() => requireRelease(db, "postern", "1.2.1"), "not_found");
  }));
