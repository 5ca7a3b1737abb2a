import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import type { Database } from "../../../shared/database/database.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { openExport, sealExport } from "../../../manager/instance/export_file.ts";
import { openInstance, revokeMdk, rotateMdk } from "../../../manager/instance/instance.ts";
import { exportInstance, importInstance } from "../../../manager/instance/transfer.ts";
import { storedRegistrations } from "../../../manager/instance/repository.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { cheapPassphraseKek, newKeyFileKek } from "../keys/keks.ts";
import { member, NOW, register, registrationOf, revealed, withDatabase } from "./instances.ts";

const random = webCryptoRandom;
const SAME = { replace: false };

/** An instance with two versions, one of them revoked, and two products. */
async function fill(db: Database): Promise<void> {
  await rotateMdk(db, NOW, random);
  await revokeMdk(db, 1, NOW + 1, random);
  await register(db, registrationOf("plain"));
  const sharedKeys = [{ keyId: "k", keyVersion: 1, key: new Redacted(random(32)) }];
  await register(db, registrationOf("covered", { cover: new Redacted(member), sharedKeys }));
}

/** Everything of an instance, to be compared. */
async function all(db: Database) {
  const { id, mdks } = await openInstance(db, NOW, random);
  return {
    id,
    mdks: mdks.map(({ secret, ...mdk }) => ({ ...mdk, secret: reveal(secret) })),
    registrations: (await storedRegistrations(db)).map(revealed),
  };
}

Deno.test("exportInstance() and importInstance() carry an instance to another manager, under a password", () =>
  withDatabase(async (db) => {
    await fill(db);
    const file = await sealExport(await exportInstance(db, NOW, random), cheapPassphraseKek("right"), random);
    for (const { secret } of (await all(db)).mdks) assert(!file.toHex().includes(secret.toHex()));
    await assertRejects(() => openExport(file, cheapPassphraseKek("wrong")), "wrong_key");
    const opened = await openExport(file, cheapPassphraseKek("right"));
    await withDatabase(async (other) => {
      const taken = await importInstance(other, opened, SAME, NOW, random);
      assertEquals(taken, { outcome: "replaced", versions: [1, 2], products: ["covered", "plain"] });
      assertEquals(await all(other), await all(db));
      assertEquals((await importInstance(other, opened, SAME, NOW, random)).outcome, "merged");
      assertEquals(await all(other), await all(db));
    });
  }));

Deno.test("importInstance() completes the same instance: versions, revocations, newer registrations", () =>
  withDatabase(async (db) => {
    await rotateMdk(db, NOW, random);
    await register(db, registrationOf("p"), NOW);
    const early = await exportInstance(db, NOW, random);
    await rotateMdk(db, NOW, random);
    await revokeMdk(db, 1, NOW, random);
    await register(db, registrationOf("p"), NOW + 1);
    const late = await exportInstance(db, NOW, random);
    const expected = await all(db);
    await importInstance(db, early, SAME, NOW, random);
    assertEquals(await all(db), expected, "an older export takes nothing back");
    await withDatabase(async (other) => {
      await importInstance(other, early, SAME, NOW, random);
      await importInstance(other, late, SAME, NOW, random);
      assertEquals(await all(other), expected);
    });
    await withDatabase(async (other) => {
      await importInstance(other, early, SAME, NOW, random);
      await rotateMdk(other, NOW, random);
      await assertRejects(() => importInstance(other, late, SAME, NOW, random), "conflict");
    });
  }));

Deno.test("importInstance() does not give up a registered instance unasked", () =>
  withDatabase(async (db) => {
    await fill(db);
    const exported = await exportInstance(db, NOW, random);
    await withDatabase(async (other) => {
      await register(other, registrationOf("mine"));
      const before = await all(other);
      await assertRejects(() => importInstance(other, exported, SAME, NOW, random), "conflict");
      assertEquals(await all(other), before);
      await importInstance(other, exported, { replace: true }, NOW, random);
      assertEquals(await all(other), await all(db));
    });
  }));

Deno.test("importInstance() refuses versions out of order, none to seal to, and another kind of identity", () =>
  withDatabase(async (db) => {
    await rotateMdk(db, NOW, random);
    const exported = await exportInstance(db, NOW, random);
    const [one, two] = exported.mdks;
    assert(one !== undefined && two !== undefined);
    for (const mdks of [[two, one], [one, one], [{ ...one, revoked: NOW }]]) {
      await assertRejects(() => importInstance(db, { ...exported, mdks }, SAME, NOW, random), "malformed");
    }
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    const p256 = new Redacted(new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)));
    await assertRejects(() => importInstance(db, { ...exported, identity: p256 }, SAME, NOW, random), "unsupported");
    await assertRejects(
      () => importInstance(db, { ...exported, identity: new Redacted(utf8("x")) }, SAME, NOW, random),
      "malformed",
    );
    // What one side revoked and the other has not made yet leaves nothing.
    await revokeMdk(db, 1, NOW, random);
    await assertRejects(
      () => importInstance(db, { ...exported, mdks: [one, { ...two, revoked: NOW }] }, SAME, NOW, random),
      "conflict",
    );
  }));

const REFUSALS: readonly ErrorCode[] = [
  ...["tampered", "malformed", "unsupported", "wrong_key", "configuration", "too_large"] as const,
];

/** Flips a bit in every so many bytes, and sees that it is refused. */
async function refusesChanges(file: Bytes, kek: KekProvider, from: number, step: number): Promise<void> {
  for (let at = from; at < file.length; at += step) {
    const changed = file.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const error = await openExport(changed, kek).then(() => null, (thrown) => thrown);
    assert(isPosternError(error) && REFUSALS.includes(error.code), `byte ${at}: ${error}`);
  }
}

Deno.test("openExport() refuses a file of which any byte was changed, or that was cut off or goes on", () =>
  withDatabase(async (db) => {
    await fill(db);
    const folder = await Deno.makeTempDir({ prefix: "postern-export-" });
    // Every byte where a try costs nothing; where it costs Argon2id, a sample of its own record.
    const cheap = await newKeyFileKek(folder, "kek");
    const exported = await exportInstance(db, NOW, random);
    const whole = await sealExport(exported, cheap, random);
    await openExport(whole, cheap);
    await refusesChanges(whole, cheap, 0, 1);
    const kek = cheapPassphraseKek("right");
    const record = (await sealExport({ ...exported, registrations: [] }, kek, random)).slice();
    await openExport(record, kek);
    await refusesChanges(record, kek, 5, 11);
    for (const length of [0, 1, whole.length - 1]) {
      await assertRejects(() => openExport(whole.slice(0, length), cheap), "malformed");
    }
    await assertRejects(() => openExport(new Uint8Array([...whole, 0]), cheap), "malformed");
    await Deno.remove(folder, { recursive: true });
  }));
