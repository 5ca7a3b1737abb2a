/** The attacks of The Update Framework's specification, and those of shared/spec/manifest.md, on an instance that looks for a release. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { concat, utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { LIMITS } from "../../../shared/limits.ts";
import {
  envelopePlace,
  envelopeSignaturePlace,
  INDEX_PLACE,
  LISTS_PLACE,
  publicManifestPlace,
  publicManifestSignaturePlace,
  ROOT_PLACE,
} from "../../../shared/manifest/places.ts";
import { writeIndex } from "../../../shared/manifest/release_index.ts";
import { revokeMdk, rotateMdk } from "../../../manager/instance/instance.ts";
import type { UpdateConfig } from "../../../manager/update/config.ts";
import { lastCheck } from "../../../manager/update/repository.ts";
import { releaseRecords } from "../../../manager/update/releases.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { DAY, PRODUCT } from "./publisher.ts";
import { serveFolder } from "./server.ts";
import { NOW, withTenant } from "./tenant.ts";

Deno.test("a release is found in a folder and on a web server, remembered and audited, MAN-24 AUDIT-05", () =>
  withTenant(async (publisher, tenant) => {
    const manifest = await publisher.release("1.2.0");
    const { release } = await tenant.check(NOW);
    assertEquals(release, manifest);
    assertEquals((await tenant.check(NOW, { installed: "1.2.0" })).release, null);
    await tenant.check(NOW + 1_000);
    const [record] = await releaseRecords(tenant.db, PRODUCT);
    assertEquals([record?.version, record?.origin, record?.accepted, record?.downloaded], [
      "1.2.0",
      "schema 2",
      NOW,
      null,
    ]);
    assertEquals((await tenant.events("key.used")).map((detail) => JSON.parse(detail)), [
      { for: "registration request", mdkVersion: 1 },
      { for: "registration answer", version: 1 },
      ...[1, 2].map(() => ({ for: "release", product: PRODUCT, version: "1.2.0" })),
    ]);
    const details = await tenant.events("update.checked");
    assertEquals(details.map((detail) => JSON.parse(detail).outcome), ["found", "current", "found"]);
    await using server = serveFolder(publisher.folder);
    const config = await tenant.config();
    await tenant.configure({ ...config, source: { kind: "http", url: server.url } });
    assertEquals((await tenant.check(NOW)).release, manifest);
    assertEquals(server.asked, [
      ...[LISTS_PLACE, INDEX_PLACE, `${INDEX_PLACE}.sig`, ROOT_PLACE],
      ...[envelopePlace("v1.2.0"), envelopeSignaturePlace("v1.2.0")],
    ]);
    const github = { kind: "github", repository: "owner/name", base: server.url } as const;
    await tenant.configure({ ...config, source: github });
    const prefix = "owner/name/releases/download/";
    server.misbehave = (place) => {
      const rest = place.slice(prefix.length).replace(/^index\//, "");
      // As GitHub does: the asset lies elsewhere.
      return place.startsWith(prefix) ? Response.redirect(`${server.url}/${rest}`, 302) : undefined;
    };
    assertEquals((await tenant.check(NOW)).release, manifest);
    assert(server.asked.includes(`${prefix}index/index.json`));
  }));

Deno.test("attack: arbitrary software, any changed bit is a bad signature", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    for (const place of [INDEX_PLACE, envelopePlace("v1.2.0")]) {
      const bytes = await Deno.readFile(publisher.path(place));
      const changed = bytes.slice();
      changed[40] = (changed[40] ?? 0) ^ 1;
      await publisher.put(place, changed);
      await assertRejects(() => tenant.check(NOW), "signature");
      await publisher.put(place, bytes);
    }
    assertEquals((await tenant.events("update.refused")).length, 2);
    assertEquals((await lastCheck(tenant.db, PRODUCT))?.outcome, "signature");
    await tenant.check(NOW);
    assertEquals((await lastCheck(tenant.db, PRODUCT))?.outcome, "found");
  }));

Deno.test("attack: rollback, an older index and a release below what is installed or the floor, IDX-02 MAN-22", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    const layBack = await publisher.snapshot();
    await publisher.release("1.3.0", { manifest: { floor: "1.3.0" } });
    assertEquals((await tenant.check(NOW)).release?.version, "1.3.0");
    await layBack();
    await assertRejects(() => tenant.check(NOW), "rolled_back");
    const envelope = await Deno.readFile(publisher.path(envelopePlace("v1.2.0")));
    const named = { size: envelope.length, sha256: toHex(sha256(envelope)) };
    const old = { version: "1.2.0", tagName: "v1.2.0", isCritical: false, created: NOW - 1_000, rollout: 100 };
    const entry = { ...old, isRevoked: false, envelope: named };
    // A newer index that offers older things alone: they are not taken, and it is no error to have nothing.
    await publisher.publishIndex({ number: 9, releases: [entry] });
    assertEquals((await tenant.check(NOW)).release, null);
    // One that calls an old envelope by a new version.
    await publisher.publishIndex({ number: 10, releases: [{ ...entry, version: "2.0.0" }] });
    await assertRejects(() => tenant.check(NOW), "mixed_up");
  }));

Deno.test("attack: indefinite freeze, an index or a release past its time, IDX-04 MAN-21", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0", { manifest: { expires: NOW + 20 * DAY } });
    await tenant.check(NOW + 6 * DAY);
    await assertRejects(() => tenant.check(NOW + 7 * DAY), "stale");
    publisher.now = NOW + 21 * DAY;
    await publisher.publishIndex();
    await assertRejects(() => tenant.check(NOW + 21 * DAY), "expired");
    assert((await lastCheck(tenant.db, PRODUCT))?.detail.includes("past its time"));
  }));

Deno.test("attack: fast-forward by a stolen key is recovered from with its revocation, IDX-03 IDX-05", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await tenant.check(NOW);
    const thief = publisher.signer;
    const high = Math.floor(NOW / 1_000);
    await publisher.publishIndex({ number: high + 1, floor: "99.0.0" }, thief);
    await assertRejects(() => tenant.check(NOW), "not_yet_valid");
    await publisher.publishIndex({ number: high, floor: "99.0.0" }, thief);
    assertEquals((await tenant.check(NOW)).release, null);
    // The publisher goes on with another certificate, and instances still believe the thief.
    await publisher.rotate();
    publisher.now = NOW + DAY;
    await publisher.release("1.3.0");
    await assertRejects(() => tenant.check(NOW + DAY), "rolled_back");
    publisher.revoke(thief);
    await publisher.publishList();
    assertEquals((await tenant.check(NOW + DAY)).release?.version, "1.3.0");
  }));

Deno.test("attack: fast-forward by a stolen root is recovered from with an answer that pins the next one, IDX-05", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await publisher.publishIndex({ number: Math.floor(NOW / 1_000), floor: "99.0.0" });
    assertEquals((await tenant.check(NOW)).release, null);
    publisher.now = NOW + DAY;
    await publisher.replaceRoot("next root");
    await publisher.release("1.3.0");
    await assertRejects(() => tenant.check(NOW + DAY), "untrusted");
    await tenant.register(publisher);
    await publisher.release("1.3.0");
    assertEquals((await tenant.check(NOW + DAY)).release?.version, "1.3.0");
    // The same root once more forgets nothing.
    await publisher.publishIndex({ floor: "2.0.0" });
    await tenant.check(NOW + DAY);
    await tenant.register(publisher);
    assertEquals((await tenant.check(NOW + DAY)).release, null);
  }));

Deno.test("a key of the instance that was revoked opens no release that was signed later, whenever its source is from", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await rotateMdk(tenant.db, NOW, webCryptoRandom);
    await revokeMdk(tenant.db, 1, NOW + 1_000, webCryptoRandom);
    assertEquals((await tenant.check(NOW + 2_000)).release?.version, "1.2.0");
    publisher.now = NOW + 60_000;
    await publisher.release("1.3.0", { manifest: { created: NOW - 9 * DAY } });
    await assertRejects(() => tenant.check(NOW + 60_000), "revoked");
  }));

Deno.test("attack: mix and match, the envelope of one release under another's name, IDX-06 MAN-20", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await publisher.release("1.3.0");
    for (const place of [envelopePlace, envelopeSignaturePlace]) {
      await publisher.put(place("v1.3.0"), await Deno.readFile(publisher.path(place("v1.2.0"))));
    }
    await assertRejects(() => tenant.check(NOW), "mixed_up");
  }));

Deno.test("attack: wrong software, another product of the same publisher, IDX-08 MAN-20", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0", { manifest: { product: "another" } });
    await assertRejects(() => tenant.check(NOW), "mixed_up");
    await publisher.publishIndex({ product: "another" });
    await assertRejects(() => tenant.check(NOW), "mixed_up");
  }));

Deno.test("attack: endless data stops at the named size, MAN-03 IDX-06", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    for (const endless of [LISTS_PLACE, INDEX_PLACE, `${INDEX_PLACE}.sig`, envelopePlace("v1.2.0")]) {
      let sent = 0;
      const body = () =>
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(65_536));
            sent += 65_536;
          },
        });
      server.misbehave = (place) => place === endless ? new Response(body()) : undefined;
      await assertRejects(() => tenant.check(NOW), "too_large");
      assert(sent <= LIMITS.maxCrlBytes + 4_194_304, `${endless}: ${sent}`);
    }
  }));

Deno.test("attack: slow retrieval is a network error, and what runs keeps running", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    const timers: ReturnType<typeof setInterval>[] = [];
    const dripping = () =>
      new ReadableStream({
        start(controller) {
          timers.push(setInterval(() => controller.enqueue(new Uint8Array(1)), 20));
        },
        cancel: () => timers.forEach((one) => clearInterval(one)),
      });
    const pace = { stallMillis: 100, minBytesPerSecond: 1_000 };
    server.misbehave = (place) => place === INDEX_PLACE ? new Response(dripping()) : undefined;
    await assertRejects(() => tenant.check(NOW, { pace }), "network");
    let release = () => {};
    const silent = new Promise<Response>((resolve) => release = () => resolve(new Response(null, { status: 404 })));
    server.misbehave = (place) => place === LISTS_PLACE ? silent : undefined;
    await assertRejects(() => tenant.check(NOW, { pace }), "network");
    release();
    timers.forEach((one) => clearInterval(one));
    assertEquals((await tenant.events("update.refused")).length, 0);
    assertEquals((await lastCheck(tenant.db, PRODUCT))?.outcome, "network");
  }));

Deno.test("attack: redirects out of protection or without end, extraneous dependencies", () =>
  withTenant(async (publisher, tenant) => {
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    for (const location of ["http://192.0.2.1/x", "file:///etc/passwd", `${server.url}/again`]) {
      server.misbehave = () => new Response(null, { status: 302, headers: { location } });
      await assertRejects(() => tenant.check(NOW), "network");
    }
    assert(server.asked.length < 12);
    server.misbehave = () => new Response("broken", { status: 500 });
    await assertRejects(() => tenant.check(NOW), "network");
  }));

Deno.test("attack: key compromise, what a revoked certificate signed is refused, and the revocation stays known, CMS-21 MAN-25", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    const oldList = await Deno.readFile(publisher.path(LISTS_PLACE));
    publisher.revoke(publisher.signer);
    await publisher.publishList();
    await assertRejects(() => tenant.check(NOW), "revoked");
    // Whoever holds the source shows the list from before, or none.
    await publisher.put(LISTS_PLACE, oldList);
    await assertRejects(() => tenant.check(NOW), "rolled_back");
    await Deno.remove(publisher.path(LISTS_PLACE));
    await assertRejects(() => tenant.check(NOW), "revoked");
    await publisher.put(LISTS_PLACE, utf8("no list"));
    await assertRejects(() => tenant.check(NOW), "malformed");
  }));

Deno.test("lists of an authority between are remembered as the root's are, CMS-21 MAN-25", () =>
  withTenant(async (publisher, tenant) => {
    const middle = await publisher.addAuthority();
    await publisher.release("1.2.0");
    // The root's list alone does not do.
    await assertRejects(() => tenant.check(NOW), "stale");
    await publisher.publishLists(middle, 5n, []);
    await tenant.check(NOW);
    await Deno.remove(publisher.path(LISTS_PLACE));
    await tenant.check(NOW);
    await publisher.publishLists(middle, 4n, []);
    await assertRejects(() => tenant.check(NOW), "rolled_back");
    await publisher.publishLists(middle, 6n, [publisher.signer]);
    await assertRejects(() => tenant.check(NOW), "revoked");
    await Deno.remove(publisher.path(LISTS_PLACE));
    await assertRejects(() => tenant.check(NOW), "revoked");
  }));

Deno.test("a list that is missing or out of date means: keep running, install nothing, CMS-20 MAN-25", () =>
  withTenant(async (publisher, tenant, folder) => {
    await publisher.release("1.2.0");
    const kept = `${folder}/list`;
    await Deno.rename(publisher.path(LISTS_PLACE), kept);
    await assertRejects(() => tenant.check(NOW), "stale");
    const config: UpdateConfig = await tenant.config();
    await tenant.configure({ ...config, requiresLists: false });
    await tenant.check(NOW);
    await tenant.configure({ ...config, listsFile: kept });
    await tenant.check(NOW);
    publisher.now = NOW + 36 * DAY;
    await publisher.publishIndex();
    await assertRejects(() => tenant.check(publisher.now), "stale");
    await tenant.configure({ ...config, listsFile: `${folder}/nowhere` });
    await assertRejects(() => tenant.check(NOW), "not_found");
  }));

Deno.test("attack: two views, another index of the same number, IDX-02", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await tenant.check(NOW);
    await publisher.publishIndex({ number: 1, expires: NOW + 6 * DAY });
    await assertRejects(() => tenant.check(NOW), "forked");
  }));

Deno.test("attack: downgrade to schema 1, which is for those who allow it, MAN-09", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0", { schema: 1 });
    await assertRejects(() => tenant.check(NOW), "unsupported");
    await tenant.configure({ ...await tenant.config(), allowsSchema1: true });
    assertEquals((await tenant.check(NOW)).release?.version, "1.2.0");
    assertEquals((await releaseRecords(tenant.db, PRODUCT))[0]?.origin, "schema 1");
  }));

Deno.test("attack: a former instance reads nothing newer, MAN-15", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await tenant.check(NOW);
    publisher.forgetInstances();
    await publisher.release("1.3.0");
    await assertRejects(() => tenant.check(NOW), "revoked");
  }));

Deno.test("a public manifest is fallen back to only if that is allowed, and never after a bad signature, MAN-26", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await publisher.release("1.3.0", { isPublic: true });
    const config = await tenant.config();
    const place = envelopePlace("v1.3.0");
    const bytes = await Deno.readFile(publisher.path(place));
    await Deno.remove(publisher.path(place));
    await assertRejects(() => tenant.check(NOW), "not_found");
    await tenant.configure({ ...config, allowsPublic: true });
    assertEquals((await tenant.check(NOW)).release?.version, "1.3.0");
    assertEquals((await releaseRecords(tenant.db, PRODUCT))[0]?.origin, "public");
    // An envelope whose signature does not verify, or is gone.
    const changed = bytes.slice();
    changed[50] = (changed[50] ?? 0) ^ 1;
    await publisher.put(place, changed);
    await assertRejects(() => tenant.check(NOW), "signature");
    await publisher.put(place, bytes);
    await Deno.remove(publisher.path(envelopeSignaturePlace("v1.3.0")));
    await assertRejects(() => tenant.check(NOW), "signature");
    // For others than this instance, it is public still; a release that is public nowhere is not.
    publisher.forgetInstances();
    await publisher.release("1.4.0", { isPublic: true });
    assertEquals((await tenant.check(NOW)).release?.version, "1.4.0");
    await publisher.release("1.5.0");
    await assertRejects(() => tenant.check(NOW), "revoked");
    // What is wrong with an envelope otherwise is no case for it, and a public manifest is judged as any other.
    await publisher.release("1.6.0", { isPublic: true, schema: 1 });
    await assertRejects(() => tenant.check(NOW), "unsupported");
    for (const [manifest, code] of [[{ expires: NOW - 1 }, "expired"], [{ product: "another" }, "mixed_up"]] as const) {
      await publisher.release("1.6.0", { isPublic: true, manifest });
      await Deno.remove(publisher.path(envelopePlace("v1.6.0")));
      await assertRejects(() => tenant.check(NOW), code);
    }
    // Nor is a certificate that was revoked.
    const former = publisher.signer;
    await publisher.rotate();
    publisher.revoke(former);
    await publisher.publishList();
    await publisher.release("1.6.0", { isPublic: true, signer: former });
    await assertRejects(() => tenant.check(NOW), "revoked");
    assertEquals((await releaseRecords(tenant.db, PRODUCT))[0]?.version, "1.4.0");
  }));

Deno.test("attack: of two public manifests that were signed for one version, the index's is taken, IDX-09", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await tenant.configure({ ...await tenant.config(), allowsPublic: true });
    publisher.forgetInstances();
    const places = [publicManifestPlace("v1.3.0"), publicManifestSignaturePlace("v1.3.0")];
    await publisher.release("1.3.0", { isPublic: true, files: { "bin/run": "withdrawn" } });
    const withdrawn = await Promise.all(places.map((place) => Deno.readFile(publisher.path(place))));
    await publisher.release("1.3.0", { isPublic: true, files: { "bin/run": "mended" + ".".repeat(40) } });
    const mended = await Promise.all(places.map((place) => Deno.readFile(publisher.path(place))));
    const show = async (files: typeof mended) => {
      for (const [at, place] of places.entries()) await publisher.put(place, files[at] ?? new Uint8Array());
    };
    await show(withdrawn);
    await assertRejects(() => tenant.check(NOW), "mixed_up");
    await show([concat(mended[0] ?? new Uint8Array(), utf8("\n")), ...mended.slice(1)]);
    await assertRejects(() => tenant.check(NOW), "too_large");
    await show(mended);
    assertEquals((await tenant.check(NOW)).release?.version, "1.3.0");
    // What no index names is as if it were not there.
    await publisher.release("1.4.0");
    await publisher.put(publicManifestPlace("v1.4.0"), mended[0] ?? new Uint8Array());
    await assertRejects(() => tenant.check(NOW), "revoked");
  }));

Deno.test("a release comes in its turn, or when its owner wants it, IDX-07", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0", { entry: { rollout: 0 } });
    assertEquals((await tenant.check(NOW)).release, null);
    assertEquals((await tenant.check(NOW, { ignoresRollout: true })).release?.version, "1.2.0");
  }));

Deno.test("an index and its signature that are replaced under the reader's eyes are read once more", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    const before = writeIndex({ product: PRODUCT, number: 1, created: NOW, expires: NOW + 1_000, releases: [] });
    let times = 0;
    server.misbehave = (place) => place === INDEX_PLACE && times++ === 0 ? new Response(before) : undefined;
    assertEquals((await tenant.check(NOW)).release?.version, "1.2.0");
  }));

Deno.test("a root that is not vouched for is noted, one that cannot be fetched is not, and the check goes on, CMS-23", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    await publisher.put(ROOT_PLACE, utf8("no root"));
    assertEquals((await tenant.check(NOW)).release?.version, "1.2.0");
    const noted = (await tenant.events("update.refused")).map((detail) => JSON.parse(detail).outcome);
    assertEquals(noted, ["malformed"]);
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    server.misbehave = (place) => place === ROOT_PLACE ? new Response("broken", { status: 500 }) : undefined;
    assertEquals((await tenant.check(NOW)).release?.version, "1.2.0");
    assertEquals((await tenant.events("update.refused")).length, 1);
  }));
