import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { decodeMemberKeys } from "../../../shared/cover/member.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { openRegistrationAnswer } from "../../../shared/manifest/registration_answer.ts";
import { openRegistry } from "../../../scripts/publisher/registry/folder.ts";
import type { HandedIn } from "../../../scripts/publisher/registry/registry.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { idOf, newMdk, publicKeysOf, requestOf } from "./registry.ts";
import { Workshop } from "./workshop.ts";

const SIGNER = "--root root.pem --cert release_cert.pem --key release_key.pem";
const REGISTER = `instance register --request request.txt --answer answer.txt ${SIGNER}`;

async function makeWorkshop(): Promise<Workshop> {
  const workshop = await Workshop.make();
  await workshop.ok("publisher_ca init --root root.pem --root-key root.key");
  const issue = "publisher_ca issue --root root.pem --root-key root.key";
  await workshop.ok(`${issue} --cert release_cert.pem --key release_key.pem`);
  await workshop.ok("instance init");
  return workshop;
}

async function handIn(workshop: Workshop, { bytes }: HandedIn): Promise<void> {
  await workshop.write("request.txt", registrationText("request", bytes));
}

Deno.test("REG-04 instance registers, and hands the instance its keys, sealed and signed", async () => {
  await using workshop = await makeWorkshop();
  const mdk = await newMdk();
  const request = await requestOf(publicKeysOf(mdk));
  await handIn(workshop, request);
  assertEquals(await workshop.code(`${REGISTER} --id ${"0".repeat(32)}`), "mixed_up");
  const id = toHex(idOf(request));
  const { json } = await workshop.ok(`${REGISTER} --id ${id.toUpperCase()} --schema1`);
  assertEquals([json["instance"], json["outcome"], json["keyVersion"]], [id, "new", 1]);
  assertEquals((await workshop.ok(`${REGISTER} --schema1`)).json["outcome"], "same");
  const text = new TextDecoder().decode(await workshop.read("answer.txt"));
  const { read: { identityKey } } = request;
  const own = { bytes: request.bytes, identityKey, version: 1, xwing: mdk.xwing };
  const answer = await openRegistrationAnswer(parseRegistrationText("answer", text), own);
  const given = await answer.verified(
    answer.root.fingerprint,
    (content, signature, root) => verifyDetached(content, signature, { roots: [root], now: workshop.now }),
  );
  await using registry = await openRegistry({}, workshop.surroundings());
  const { leaf } = await registry.find(idOf(request));
  assert(given.cover !== null);
  assertEquals(decodeMemberKeys(reveal(given.cover)).leaf, leaf);
  assertEquals(given.product, "postern");
  assertEquals(given.sharedKeys.map(({ key }) => reveal(key)), [reveal(registry.secret.sharedKey())]);
  assertEquals(toHex(answer.root.fingerprint), json["rootSha256"]);
});

Deno.test("COVER-02 a leaf is never given out twice, not even that of a revoked instance", async () => {
  await using workshop = await Workshop.make();
  await workshop.ok("instance init");
  await using registry = await openRegistry({}, workshop.surroundings());
  const keys = publicKeysOf(await newMdk());
  const drawn = [7, 7, 9, 9, 7, 11];
  const random = (length: number) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, drawn.shift() ?? 0);
    return bytes;
  };
  const leaves: number[] = [];
  for (let n = 0; n < 3; n++) {
    const { instance } = await registry.register(await requestOf(keys), 1, random);
    leaves.push(instance.leaf);
    await registry.revoke(instance.id, 2);
  }
  assertEquals(leaves, [7, 9, 11]);
  assertEquals((await registry.recipients()).revoked, [7, 9, 11]);
});

Deno.test("instance register that failed after it registered gives the same leaf the next time", async () => {
  await using workshop = await makeWorkshop();
  const request = await requestOf(publicKeysOf(await newMdk()));
  await handIn(workshop, request);
  assertEquals(await workshop.code(REGISTER.replace("answer.txt", "nowhere/answer.txt")), "not_found");
  const leafNow = async () => {
    await using registry = await openRegistry({}, workshop.surroundings());
    return (await registry.find(idOf(request))).leaf;
  };
  const leaf = await leafNow();
  assertEquals((await workshop.ok(REGISTER)).json["outcome"], "same");
  assertEquals(await leafNow(), leaf);
});

Deno.test("instance revoke leaves out of the next release, once and for good", async () => {
  await using workshop = await makeWorkshop();
  const ids: string[] = [];
  const keys = publicKeysOf(await newMdk());
  for (let n = 0; n < 3; n++) {
    const request = await requestOf(keys);
    await handIn(workshop, request);
    ids.push(toHex(idOf(request)));
    await workshop.ok(REGISTER);
  }
  // The last one registered asks once more after it was revoked.
  const [first = "", , last = ""] = ids;
  assertEquals(await workshop.code(`instance revoke ${last} ${"0".repeat(32)}`), "not_found");
  assertEquals(await workshop.code("instance revoke 12"), "usage");
  const { json } = await workshop.ok(`instance revoke ${last}`);
  workshop.now += 5_000;
  assertEquals((await workshop.ok(`instance revoke ${last}`)).json, json);
  assertEquals(await workshop.code(REGISTER), "revoked");
  const listed = (await workshop.ok("instance list")).json["instances"] as { id: string }[];
  assertEquals(listed.map(({ id }) => id), ids.toSorted());
  const { json: revoked } = await workshop.ok("instance list --revoked");
  assertEquals([revoked["registered"], revoked["revoked"]], [3, 1]);
  assertEquals((revoked["instances"] as { id: string }[]).map(({ id }) => id), [last]);
  await using registry = await openRegistry({}, workshop.surroundings());
  const { leaf } = await registry.find(fromHex(last));
  const source = await registry.recipients();
  assertEquals(source.revoked, [leaf]);
  const known: string[] = [];
  for await (const { id } of source.instances()) known.push(id);
  assertEquals([known.length, known.includes(last), known.includes(first)], [2, false, true]);
});

Deno.test("instance rotate-key makes another secret, and reissue answers all who are not revoked", async () => {
  await using workshop = await makeWorkshop();
  const mdk = await newMdk();
  const requests = [await requestOf(publicKeysOf(mdk)), await requestOf(publicKeysOf(mdk))];
  for (const request of requests) {
    await handIn(workshop, request);
    await workshop.ok(`${REGISTER}`);
  }
  const [stays, goes] = requests;
  assert(stays !== undefined && goes !== undefined);
  await workshop.ok(`instance revoke ${toHex(idOf(goes))}`);
  const generationOf = async () => {
    await using registry = await openRegistry({}, workshop.surroundings());
    const { secret, revoked } = await registry.recipients();
    return { entry: reveal(registry.secret.entrySecret(idOf(stays))), tree: secret.tree, revoked: revoked.length };
  };
  const before = await generationOf();
  assertEquals((await workshop.ok(`instance rotate-key`)).json["keyVersion"], 2);
  const after = await generationOf();
  // Who was revoked before was never given the new key, and need not be left out.
  assertEquals([before.revoked, after.revoked], [1, 0]);
  assert(toHex(before.entry) !== toHex(after.entry) && toHex(before.tree) !== toHex(after.tree));
  const { json } = await workshop.ok(`instance reissue --out answers ${SIGNER}`);
  assertEquals([json["answers"], json["keyVersion"]], [1, 2]);
  const text = new TextDecoder().decode(await workshop.read(`answers/${toHex(idOf(stays))}.answer`));
  const own = { bytes: stays.bytes, identityKey: stays.read.identityKey, version: 1, xwing: mdk.xwing };
  const answer = await openRegistrationAnswer(parseRegistrationText("answer", text), own);
  const { entrySecret } = await answer.verified(answer.root.fingerprint, () => Promise.resolve());
  assertEquals(reveal(entrySecret), after.entry);
});

Deno.test("a registry's secret is under a passphrase, or readable by its owner alone", async () => {
  await using workshop = await Workshop.make();
  await workshop.write("pass", "correct horse battery staple\n");
  await workshop.write("wrong", "another\n");
  const kept = "--registry kept --registry-passphrase-file";
  assertEquals((await workshop.ok(`instance init ${kept} pass`)).json["isEncrypted"], true);
  assert(!new TextDecoder().decode(await workshop.read("kept/registry.json")).includes('"secret"'));
  assertEquals(await workshop.code("instance list --registry kept"), "usage");
  assertEquals(await workshop.code(`instance list ${kept} wrong`), "wrong_key");
  assertEquals((await workshop.ok(`instance rotate-key ${kept} pass`)).json["keyVersion"], 2);
  const { err, json } = await workshop.ok("instance init");
  assert(json["isEncrypted"] === false && err.includes("warning"));
  const { mode } = await Deno.stat(`${workshop.path}/registry/registry.json`);
  assertEquals((mode ?? 0) & 0o777, 0o600);
  if (Deno.uid() === null) return;
  await Deno.chmod(`${workshop.path}/registry/registry.json`, 0o640);
  assertEquals(await workshop.code("instance list"), "configuration");
  await Deno.chmod(`${workshop.path}/pass`, 0o644);
  assertEquals(await workshop.code(`instance list ${kept} pass`), "configuration");
});

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["a second registry in one folder", "instance init", "conflict"],
  ["a product that is none", "instance init --registry other --product ../x", "malformed"],
  ["a registry that is not there", "instance list --registry nowhere", "not_found"],
  ["a request that is not there", REGISTER, "not_found"],
  ["an id that is none", `${REGISTER} --id 12`, "usage"],
];

for (const [what, line, code] of REFUSED) {
  Deno.test(`instance refuses ${what}: ${code}`, async () => {
    await using workshop = await Workshop.make();
    await workshop.ok("instance init");
    assertEquals(await workshop.code(line), code);
  });
}

Deno.test("instance refuses a signer that the root did not issue, and registers nobody", async () => {
  await using workshop = await makeWorkshop();
  await workshop.ok("publisher_ca init --root other.pem --root-key other.key --subject CN=other");
  await handIn(workshop, await requestOf(publicKeysOf(await newMdk())));
  assertEquals(await workshop.code(REGISTER.replace("root.pem", "other.pem")), "untrusted");
  await using registry = await openRegistry({}, workshop.surroundings());
  assertEquals((await registry.count()).all, 0);
  await assertRejects(() => registry.find(webCryptoRandom(16)), "not_found");
});
