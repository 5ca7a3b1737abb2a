/** A publisher and three instances, each script a process of its own, as docs/publishing.md has it. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { openManifest } from "../../../shared/manifest/open_manifest.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { openInstance } from "../../../manager/instance/instance.ts";
import { openingKeys } from "../../../manager/instance/opening.ts";
import { currentRequest, keepAnswer, openAnswer } from "../../../manager/instance/register.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { withDatabase } from "../../manager/instance/instances.ts";
import { POLICY } from "../../shared/manifest/fixture.ts";
import { script, start } from "./processes.ts";
import { Workshop } from "./workshop.ts";

const AUTHORITY = "--root root.pem --root-key root.key";
const SIGNER = "--cert release_cert.pem --key release_key.pem";
const PUBLISH = `publish_release --to web --root root.pem ${SIGNER} --crl root.crl`;
const RELEASE = "--release-dir release --manifest manifest.json --envelope encrypted_manifest.json";

async function describe(workshop: Workshop, version: string): Promise<void> {
  await workshop.write("release/postern", `version ${version}\n`, 0o755);
  await script(workshop, `generate_manifest --version ${version} --release-dir release --output manifest.json`);
  await script(workshop, "encrypt_manifest --input manifest.json --output encrypted_manifest.json --key-id fleet");
  await script(workshop, `sign_manifest --input encrypted_manifest.json ${SIGNER}`);
}

async function register(workshop: Workshop, db: Database): Promise<string> {
  const [now, { id }] = [Date.now(), await openInstance(db, Date.now(), webCryptoRandom)];
  await workshop.write("request.txt", registrationText("request", await currentRequest(db, now, webCryptoRandom)));
  const files = `--request request.txt --answer answer.txt --id ${toHex(id)}`;
  const { rootSha256 } = await script(workshop, `instance register ${files} --root root.pem ${SIGNER}`);
  const text = new TextDecoder().decode(await workshop.read("answer.txt"));
  const opened = await openAnswer(db, parseRegistrationText("answer", text), now, webCryptoRandom);
  assertEquals(toHex(opened.answer.root.fingerprint), rootSha256);
  await keepAnswer(
    db,
    opened,
    opened.answer.root.fingerprint,
    (content, signature, root) => verifyDetached(content, signature, { roots: [root], now: Date.now() }),
    now,
  );
  return toHex(id);
}

/** What an instance makes of a release that is published. */
async function open(workshop: Workshop, db: Database, version: string): Promise<string> {
  const keys = await openingKeys(db, "postern");
  const roots = [readCertificate(keys.root)];
  const at = (name: string) => workshop.read(`web/v${version}/${name}`);
  const file = { content: await at("encrypted_manifest.json"), signature: await at("encrypted_manifest.json.sig") };
  const verify = (content: typeof file.content, signature: typeof file.content) =>
    verifyDetached(content, signature, { roots, now: Date.now() });
  const { manifest } = await openManifest(file, { verify, keys, policy: POLICY, now: Date.now() });
  return manifest.version;
}

Deno.test("a publisher registers three instances, releases, revokes one, and releases again", () =>
  withDatabase((first) =>
    withDatabase((second) =>
      withDatabase(async (third) => {
        await using workshop = await Workshop.make();
        await Deno.mkdir(`${workshop.path}/release`);
        await script(workshop, "publisher_ca init --root root.pem --root-key root.key --algorithm p256");
        await script(workshop, `publisher_ca issue ${AUTHORITY} ${SIGNER} --algorithm p256`);
        await script(workshop, `publisher_ca crl ${AUTHORITY} --crl root.crl --anew`);
        await script(workshop, "instance init");
        const ids: string[] = [];
        for (const db of [first, second, third]) ids.push(await register(workshop, db));
        await describe(workshop, "1.0.0");
        await script(workshop, `${PUBLISH} ${RELEASE} --anew --rollout 25`);
        for (const db of [first, second, third]) assertEquals(await open(workshop, db, "1.0.0"), "1.0.0");
        await script(workshop, `instance revoke ${ids[1]}`);
        await describe(workshop, "1.1.0");
        await killWhilePublishing(workshop);
        const { sent, there, number } = await script(workshop, `${PUBLISH} ${RELEASE}`);
        assertEquals([Number(sent) + Number(there), number], [4, 2]);
        for (const db of [first, third]) assertEquals(await open(workshop, db, "1.1.0"), "1.1.0");
        await assertRejects(() => open(workshop, second, "1.1.0"), "revoked");
        assertEquals(await open(workshop, second, "1.0.0"), "1.0.0");
        for (const place of ["index.json", "v1.1.0/encrypted_manifest.json"]) await byOpenssl(workshop, place);
      })
    )
  ));

/** `kill -9` in the middle of a file. */
async function killWhilePublishing(workshop: Workshop): Promise<void> {
  const index = await workshop.read("web/index.json");
  // A pipe in the place of a file of the release: the publisher waits at it, in the middle of its work.
  const path = `${workshop.path}/release/postern`;
  const content = await Deno.readFile(path);
  await Deno.remove(path);
  assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  const process = start(workshop, `${PUBLISH} ${RELEASE}`.split(" ")).spawn();
  const pipe = await Deno.open(path, { write: true });
  await pipe.write(content.subarray(0, 3));
  process.kill("SIGKILL");
  pipe.close();
  await process.output();
  assertEquals(await workshop.read("web/index.json"), index);
  await Deno.remove(path);
  await workshop.write("release/postern", content, 0o755);
}

/** With the revocation list, which OpenSSL reads from the file of the root. */
async function byOpenssl(workshop: Workshop, place: string): Promise<void> {
  await workshop.write(
    "trust.pem",
    new Uint8Array([...await workshop.read("root.pem"), ...await workshop.read("root.crl")]),
  );
  const files = ["-in", `web/${place}.sig`, "-content", `web/${place}`, "-CAfile", "trust.pem"];
  const args = [
    "cms",
    "-verify",
    "-binary",
    "-inform",
    "DER",
    ...files,
    "-crl_check",
    "-purpose",
    "any",
    "-out",
    "/dev/null",
  ];
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: workshop.path }).output();
  assert(success, new TextDecoder().decode(stderr));
}
