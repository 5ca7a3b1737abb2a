/** Releases in a workshop, made by the scripts. */
import { writeRegistry } from "./registry.ts";
import { Workshop } from "./workshop.ts";

export const SIGNER = "--cert release_cert.pem --key release_key.pem";
export const PUBLISH = `publish_release --root root.pem ${SIGNER}`;
export const RELEASE = "--release-dir release --manifest manifest.json --envelope encrypted_manifest.json";

/** With an authority and a registry of one instance. */
export async function makeWorkshop(): Promise<Workshop> {
  const workshop = await Workshop.make();
  await workshop.ok("publisher_ca init --root root.pem --root-key root.key");
  await workshop.ok(
    "publisher_ca issue --root root.pem --root-key root.key --cert release_cert.pem --key release_key.pem",
  );
  await writeRegistry(workshop, "registry", 1);
  return workshop;
}

/** Describes, encrypts and signs a release of two files, one of which is the same in all. */
export async function makeRelease(workshop: Workshop, version: string): Promise<void> {
  await Deno.mkdir(`${workshop.path}/release`, { recursive: true });
  await workshop.write("release/postern", `version ${version}\n`, 0o755);
  await workshop.write("release/licence", "the same in every release\n");
  await workshop.ok(
    `generate_manifest --version ${version} --release-dir release --output manifest.json --date 2026-06-01`,
  );
  await encryptRelease(workshop);
}

/** Encrypts and signs what was described. */
export async function encryptRelease(workshop: Workshop): Promise<void> {
  await workshop.ok("encrypt_manifest --input manifest.json --output encrypted_manifest.json --key-id fleet");
  await workshop.ok(`sign_manifest --input encrypted_manifest.json ${SIGNER}`);
}
