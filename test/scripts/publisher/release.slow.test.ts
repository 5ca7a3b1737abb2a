/** A release from its files to an instance, by the scripts alone, signed by ours and by the commands that publishers know. */
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { openManifest } from "../../../shared/manifest/open_manifest.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { POLICY } from "../../shared/manifest/fixture.ts";
import { writeRegistry } from "./registry.ts";
import { Workshop } from "./workshop.ts";

const ENVELOPE = "encrypted_manifest.json";
const SIGNATURE = `${ENVELOPE}.sig`;

/** What the seed has in its documentation, to the letter. */
const BY_OPENSSL = [
  "cms",
  "-sign",
  "-in",
  ENVELOPE,
  "-out",
  SIGNATURE,
  "-signer",
  "release_cert.pem",
  "-inkey",
  "release_key.pem",
];

async function openssl(workshop: Workshop, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd: workshop.path }).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("a release is described, encrypted and signed by the scripts or by openssl cms, and opens at an instance", async () => {
  await using workshop = await Workshop.make();
  workshop.now = Date.now();
  await workshop.ok("publisher_ca init --root root.pem --root-key root.key --algorithm p256");
  const issue = "publisher_ca issue --root root.pem --root-key root.key --cert release_cert.pem --key release_key.pem";
  await workshop.ok(`${issue} --algorithm p256`);
  await Deno.mkdir(`${workshop.path}/build/release`, { recursive: true });
  await workshop.write("build/release/postern", "#!/bin/sh\n", 0o755);
  await workshop.ok("generate_manifest --version 1.2.0 --release-dir ./build/release --output manifest.json");
  const { first, revoked } = await writeRegistry(workshop, "registry", 3);
  const [block] = readPem(new TextDecoder().decode(await workshop.read("root.pem")));
  assert(block !== undefined);
  const root = readCertificate(block.bytes);
  const open = async (keys: typeof first) => {
    const [content, signature] = await Promise.all([workshop.read(ENVELOPE), workshop.read(SIGNATURE)]);
    const verify = (bytes: typeof content, file: typeof content) =>
      verifyDetached(bytes, file, { roots: [root], now: Date.now() });
    return await openManifest({ content, signature }, { verify, keys, policy: POLICY, now: Date.now() });
  };
  for (const schema of ["2", "3"]) {
    await workshop.ok(`encrypt_manifest --input manifest.json --output ${ENVELOPE} --key-id fleet --schema ${schema}`);
    await workshop.ok(`sign_manifest --input ${ENVELOPE} --cert release_cert.pem --key release_key.pem`);
    assertEquals((await open(first)).manifest.files.map(({ path, mode }) => [path, mode]), [["postern", "0755"]]);
    if (schema === "3") await assertRejects(() => open(revoked), "revoked");
    for (const more of [[], ["-binary"], ["-outform", "DER"], ["-outform", "PEM"], ["-binary", "-outform", "DER"]]) {
      await openssl(workshop, [...BY_OPENSSL, ...more]);
      const { schema: opened, signer } = await open(first);
      // There is no line end in the file, so OpenSSL signs the same bytes with and without -binary.
      assertEquals([`${opened}`, signer.mode], [schema, "binary"]);
      await workshop.ok(`verify_manifest --input ${ENVELOPE} --signature ${SIGNATURE} --root root.pem`);
    }
  }
});
