import { verifyDetached } from "../../../shared/cms/verify.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { readRootFile } from "../../../shared/manifest/follow_root.ts";
import { readCrlFile } from "../../../shared/x509/crl.ts";
import { currentRequest, keepAnswer, openAnswer, pinnedRoot } from "../../../manager/instance/register.ts";
import { followPublisherRoot } from "../../../manager/instance/root.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { withDatabase } from "../../manager/instance/instances.ts";
import { makeWorkshop, PUBLISH, SIGNER } from "./releases.ts";
import type { Workshop } from "./workshop.ts";

const ROOT = "--root root.pem --root-key root.key";
const ROTATE_ROOT =
  `publisher_ca rotate-root ${ROOT} --new-root root2.pem --new-root-key root2.key --cert cert2.pem --key key2.pem --crl root.crl --new-crl root2.crl --new-subject CN=next`;
const FIRST_LIST = `publisher_ca crl ${ROOT} --crl root.crl --anew`;
const NEXT = "--to web --cert cert2.pem --key key2.pem";

/** An instance registers by the files that the scripts make. */
async function register(workshop: Workshop, db: Database): Promise<void> {
  const request = registrationText("request", await currentRequest(db, workshop.now, webCryptoRandom));
  await workshop.write("request.txt", request);
  await workshop.ok(`instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`);
  const text = new TextDecoder().decode(await workshop.read("answer.txt"));
  const opened = await openAnswer(db, parseRegistrationText("answer", text), workshop.now, webCryptoRandom);
  await keepAnswer(
    db,
    opened,
    await fingerprint(workshop, "root.pem"),
    (content, signature, root) => verifyDetached(content, signature, { roots: [root], now: workshop.now }),
    workshop.now,
  );
}

async function fingerprint(workshop: Workshop, name: string) {
  return readRootFile(await workshop.read(name)).fingerprint;
}

async function indexFile(workshop: Workshop) {
  return { content: await workshop.read("web/index.json"), signature: await workshop.read("web/index.json.sig") };
}

Deno.test("publisher_ca rotate-release: the next certificate signs, and the one before does not", async () => {
  await using workshop = await makeWorkshop();
  await workshop.ok(`${PUBLISH} --to web --anew`);
  await workshop.ok(FIRST_LIST);
  workshop.now += 1_000;
  const line = `publisher_ca rotate-release ${ROOT} --cert cert2.pem --key key2.pem --crl root.crl`;
  const { json } = await workshop.ok(`${line} --revoke release_cert.pem --reason keyCompromise`);
  assertEquals((json["crl"] as { revoked: number }).revoked, 1);
  assertEquals(await workshop.code(`${line} --revoke release_cert.pem`), "conflict");
  assertEquals(await workshop.code(`${PUBLISH} --to web --crl root.crl`), "revoked");
  const renewed = (await workshop.ok(`publish_release --root root.pem ${NEXT} --crl root.crl`)).json;
  assertEquals(renewed["number"], 2);
});

Deno.test("CMS-22, CMS-23 publisher_ca rotate-root: an instance follows by the old root's word, and then does without", () =>
  withDatabase(async (db) => {
    await using workshop = await makeWorkshop();
    await register(workshop, db);
    await workshop.ok(`${PUBLISH} --to web --anew`);
    await workshop.ok(FIRST_LIST);
    workshop.now += 1_000;
    await workshop.ok(ROTATE_ROOT);
    await workshop.ok(`publish_release --root root.pem --new-root root2.pem ${NEXT} --crl root.crl root2.crl`);
    const [file, index] = [await workshop.read("web/root.pem"), await indexFile(workshop)];
    const trust = { crls: readCrlFile(await workshop.read("web/release.crl")), requireCrl: true, now: workshop.now };
    const followed = await followPublisherRoot(db, "postern", file, index, trust);
    assertEquals(followed?.fingerprint, await fingerprint(workshop, "root2.pem"));
    assertEquals(await pinnedRoot(db, "postern"), await fingerprint(workshop, "root2.pem"));
    assertEquals(await followPublisherRoot(db, "postern", file, index, trust), null);
    // There is no way back to the old root: the new one does not vouch for it.
    await assertRejects(() => followPublisherRoot(db, "postern", file.slice(0, -9), index, trust), "malformed");
    await workshop.write("old.pem", await workshop.read("root.pem"));
    await assertRejects(
      async () => await followPublisherRoot(db, "postern", await workshop.read("old.pem"), index, trust),
      "untrusted",
    );
    // Once everybody has followed, the new root stands alone.
    workshop.now += 1_000;
    await workshop.ok(`publish_release --root root2.pem ${NEXT} --crl root2.crl`);
  }));

Deno.test("CMS-23 an instance keeps its root against one that it does not vouch for", () =>
  withDatabase(async (db) => {
    await using workshop = await makeWorkshop();
    await register(workshop, db);
    await workshop.ok(FIRST_LIST);
    await workshop.ok(ROTATE_ROOT);
    await workshop.ok(`publish_release --root root.pem --new-root root2.pem ${NEXT} --anew`);
    const follow = async (file: string) =>
      await followPublisherRoot(db, "postern", await workshop.read(file), await indexFile(workshop), {
        now: workshop.now,
      });
    // A stranger's root of the same name; a certificate of the release key; the second certificate of the new root.
    await workshop.ok(
      "publisher_ca init --root stranger.pem --root-key stranger.key --subject CN=next",
    );
    await assertRejects(() => follow("stranger.pem"), "untrusted");
    const chain = new TextDecoder().decode(await workshop.read("cert2.pem")).split(/(?<=-----END CERTIFICATE-----\n)/);
    const [leaf = "", cross = ""] = chain;
    await workshop.write("leaf.pem", leaf);
    await workshop.write("cross.pem", cross);
    await assertRejects(() => follow("leaf.pem"), "untrusted");
    await assertRejects(() => follow("cross.pem"), "untrusted");
    await assertRejects(() => follow("cert2.pem"), "malformed");
    // A release certificate by the old root leads nowhere else.
    await workshop.ok(`${PUBLISH} --to web --anew`);
    await assertRejects(() => follow("root2.pem"), "untrusted");
    assertEquals(await pinnedRoot(db, "postern"), await fingerprint(workshop, "root.pem"));
    assertEquals(await workshop.code(`${PUBLISH} --to web --new-root root2.pem`), "untrusted");
    // The old root takes its word back.
    await workshop.ok(`publish_release --root root.pem ${NEXT} --anew`);
    await workshop.ok(`publisher_ca crl ${ROOT} --crl root.crl --revoke cross.pem`);
    const crls = readCrlFile(await workshop.read("root.crl"));
    const trust = { crls, now: workshop.now };
    const [file, index] = [await workshop.read("root2.pem"), await indexFile(workshop)];
    await assertRejects(() => followPublisherRoot(db, "postern", file, index, trust), "revoked");
  }));

Deno.test("an index that is begun anew under another root takes the place of what an earlier root left beside it", async () => {
  await using workshop = await makeWorkshop();
  await workshop.ok(FIRST_LIST);
  await workshop.ok(ROTATE_ROOT);
  await workshop.ok(`publish_release --root root.pem --new-root root2.pem ${NEXT} --anew`);
  await workshop.ok("publisher_ca init --root root3.pem --root-key root3.key --subject CN=third");
  const third = "--root root3.pem --root-key root3.key";
  await workshop.ok(`publisher_ca issue ${third} --cert cert3.pem --key key3.pem`);
  const publish = "publish_release --to web --root root3.pem --cert cert3.pem --key key3.pem";
  assertEquals(await workshop.code(publish), "untrusted");
  workshop.now += 1_000;
  await workshop.ok(`${publish} --anew`);
  assertEquals(await workshop.read("web/root.pem"), await workshop.read("root3.pem"));
});
