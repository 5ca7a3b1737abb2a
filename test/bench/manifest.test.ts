import { createInstance, WRAPS } from "../../bench/fixtures/instance.ts";
import { createPublisher, KEY_KINDS } from "../../bench/fixtures/publisher.ts";
import { PRODUCT, releaseOf, releaseOfBytes } from "../../bench/fixtures/release.ts";
import { CASES, measureOpening } from "../../bench/manifest/measure.ts";
import { STEPS, timeSteps } from "../../bench/manifest/steps.ts";
import { writeManifest } from "../../shared/manifest/manifest.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

Deno.test("releaseOfBytes() makes a manifest of exactly so many bytes", () => {
  for (const bytes of [1_000, 1_001, 20_000, 102_400]) {
    assertEquals(writeManifest(releaseOfBytes(bytes)).length, bytes);
  }
});

Deno.test("CASES has every wrap with Ed25519, and every kind of key with the default wrap", () => {
  assertEquals(CASES.length, WRAPS.length + KEY_KINDS.length - 1);
  assertEquals(CASES[0], ["Ed25519", "schema 3, cover"]);
});

Deno.test("measureOpening() really opens, and times each step", async () => {
  for (const wrap of WRAPS) {
    const figures = await measureOpening(["Ed25519", wrap], 5, 2);
    assert(figures.millis > 0 && figures.millisWithList > 0 && figures.envelopeBytes > 1_000);
    assertEquals(Object.keys(figures.steps).sort(), [...STEPS].sort());
    assert(STEPS.every((step) => figures.steps[step] >= 0));
  }
});

Deno.test("timeSteps() refuses what openManifest() refuses", async () => {
  const [publisher, other, instance] = await Promise.all(
    [
      ...[createPublisher("P-256"), createPublisher("Ed25519")],
      createInstance(),
    ] as const,
  );
  const content = await instance.encrypt(releaseOf(3), "schema 2, X25519");
  const signature = await publisher.sign(content);
  const trust = { roots: [publisher.root], crls: [publisher.crl], requireCrl: true, now: Date.now() };
  const policy = { product: PRODUCT, allowsSchema1: false };
  const open = (changes: object, keys = instance.keys, wanted = policy) =>
    timeSteps({ content, signature }, { ...trust, ...changes }, keys, wanted);
  await open({});
  await assertRejects(() => open({ roots: [other.root] }), "untrusted");
  await assertRejects(() => open({ crls: [other.crl] }), "stale");
  await assertRejects(() => open({ crls: [] }), "stale");
  await assertRejects(() => open({}, { mdks: [], registrations: [], shared: [] }), "forbidden");
  await assertRejects(() => open({}, instance.keys, { ...policy, product: "other" }), "mixed_up");
});
