/** Everything that the publisher's scripts write, and what must hold when it could not be written to its end. */
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import { parseManifest } from "../../../shared/manifest/manifest.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { parseIndex } from "../../../shared/manifest/release_index.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readCrlFile } from "../../../shared/x509/crl.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { directoryPlace } from "../../../scripts/publisher/publish/directory_place.ts";
import { readIndex } from "../../../scripts/publisher/publish/index_files.ts";
import { readPrivateKey } from "../../../scripts/publisher/private_key.ts";
import { assert, assertEquals } from "../../assert.ts";
import { newMdk, publicKeysOf, requestOf } from "./registry.ts";
import { PUBLISH, RELEASE, SIGNER } from "./releases.ts";
import { readTree, type Tree } from "./tree.ts";
import type { Ran, Workshop } from "./workshop.ts";

/** Exit code of `storage`. */
const STORAGE = 74;
const ENCRYPT = "encrypt_manifest --input manifest.json --output encrypted_manifest.json --key-id fleet";
const SIGN = `sign_manifest --input encrypted_manifest.json ${SIGNER}`;
const AUTHORITY = "--root root.pem --root-key root.key";
/** Left of a lock that was let go, and of a database that was open. */
const HARMLESS = /(?:^|[/.])lock$|\.db-(?:wal|shm)$/;

export interface Writing {
  readonly line: string;
  /** What it makes or replaces. */
  readonly writes: RegExp;
}

/** Each of them starts from what {@link furnish} made. */
export const WRITINGS: readonly Writing[] = [
  { line: describing("1.1.0"), writes: /^manifest\.json$/ },
  { line: ENCRYPT, writes: /^encrypted_manifest\.json$/ },
  { line: `${ENCRYPT} --schema 3`, writes: /^encrypted_manifest\.json$/ },
  { line: SIGN, writes: /^encrypted_manifest\.json\.sig$/ },
  { line: "publisher_ca init --root new.pem --root-key new.key", writes: /^new\.(?:pem|key)$/ },
  { line: `publisher_ca issue ${AUTHORITY} --cert new.pem --key new.key`, writes: /^new\.(?:pem|key)$/ },
  { line: `publisher_ca crl ${AUTHORITY} --crl root.crl --revoke release_cert.pem`, writes: /^root\.crl$/ },
  {
    line: `publisher_ca rotate-release ${AUTHORITY} --cert new.pem --key new.key --crl root.crl`,
    writes: /^(?:new\.(?:pem|key)|root\.crl)$/,
  },
  {
    line: `publisher_ca rotate-root ${AUTHORITY} --new-root new_root.pem --new-root-key new_root.key --cert new.pem ` +
      "--key new.key --crl root.crl --new-crl new.crl",
    writes: /^(?:new(?:_root)?\.(?:pem|key|crl)|root\.crl)$/,
  },
  { line: "instance init --registry new", writes: /^new(?:\/registry\.(?:db|json))?$/ },
  {
    line: `instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`,
    writes: /^(?:answer\.txt|registry\/registry\.db)$/,
  },
  { line: "instance revoke ID", writes: /^registry\/registry\.db$/ },
  { line: "instance rotate-key", writes: /^registry\/registry\.json$/ },
  {
    line: `instance reissue --out answers --root root.pem ${SIGNER}`,
    writes: /^(?:answers(?:\/.*\.answer)?|registry\/registry\.db)$/,
  },
  { line: `${PUBLISH} --to web ${RELEASE} --replace --crl root.crl --public`, writes: /^web\// },
  { line: `${PUBLISH} --to new ${RELEASE} --anew`, writes: /^new(?:\/|$)/ },
];

function describing(version: string): string {
  return `generate_manifest --version ${version} --release-dir release --output manifest.json --date 2026-06-01`;
}

/** An authority, a registry of one instance and the request of another, and a release that is published. */
export async function furnish(workshop: Workshop): Promise<string> {
  await workshop.ok(`publisher_ca init ${AUTHORITY}`);
  await workshop.ok(`publisher_ca issue ${AUTHORITY} --cert release_cert.pem --key release_key.pem`);
  await workshop.ok(`publisher_ca crl ${AUTHORITY} --crl root.crl --anew`);
  await workshop.ok("instance init");
  const keys = publicKeysOf(await newMdk());
  const register = async () => {
    await workshop.write("request.txt", registrationText("request", (await requestOf(keys)).bytes));
    return `instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`;
  };
  const { json } = await workshop.ok(await register());
  await register();
  // More than a page of manifest, and few contents.
  await Deno.mkdir(`${workshop.path}/release`);
  for (let at = 0; at < 60; at++) await workshop.write(`release/file-${at}`, "the same");
  await workshop.write("release/large", "0123456789".repeat(1_000));
  await workshop.ok(describing("1.0.0"));
  await workshop.ok(ENCRYPT);
  await workshop.ok(SIGN);
  await workshop.ok(`${PUBLISH} --to web ${RELEASE} --anew`);
  await workshop.ok(ENCRYPT);
  await workshop.ok(SIGN);
  return String(json["instance"]);
}

/** Throws unless the file is whole. */
async function requireWhole(workshop: Workshop, path: string): Promise<void> {
  const bytes = await workshop.read(path);
  const text = new TextDecoder().decode(bytes);
  const [, ending = ""] = /\.([a-z]+)$/.exec(path) ?? [];
  if (path.startsWith("web/v") || path.startsWith("new/v")) return;
  if (path.endsWith("encrypted_manifest.json")) return void parseEnvelope(bytes);
  if (path.endsWith("manifest.json")) return void parseManifest(bytes);
  if (/index\.json(?:\.next)?$/.test(path)) return void parseIndex(bytes);
  switch (ending) {
    case "pem":
      return readPem(text).forEach(({ bytes }) => readCertificate(bytes));
    case "key":
      return void await readPrivateKey(path, () => Promise.resolve(null), workshop.surroundings());
    case "crl":
      return void readCrlFile(bytes);
    case "txt":
    case "answer":
      return void parseRegistrationText("answer", text);
  }
}

/** As instances read it: index and signature fit, and every file of a release that they name is there. */
async function requireIndex(workshop: Workshop, folder: string): Promise<void> {
  const root = readPem(new TextDecoder().decode(await workshop.read("root.pem"))).map((one) =>
    readCertificate(one.bytes)
  );
  const verify = (content: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) =>
    verifyDetached(content, signature, { roots: root, now: workshop.now });
  await verify(await workshop.read(`${folder}/index.json`), await workshop.read(`${folder}/index.json.sig`));
  assert(await readIndex(await directoryPlace(`${workshop.path}/${folder}`).folder(null), verify) !== null);
}

/** What a command that failed for want of room has left. */
async function requireUnharmed(workshop: Workshop, { line, writes }: Writing, before: Tree): Promise<void> {
  const after = readTree(workshop.path);
  for (const [path, entry] of after) {
    const old = before.get(path);
    if (HARMLESS.test(path) || (old !== undefined && entry?.bytes.every((byte, at) => byte === old?.bytes[at]))) {
      continue;
    }
    assert(writes.test(path) || old === null, `${path} is left, or another`);
    if (entry !== null) await requireWhole(workshop, path);
  }
  for (const path of before.keys()) assert(after.has(path) || HARMLESS.test(path), `${path} is gone`);
  assert(![...after.keys()].some((path) => /\.(?:part|tmp)$/.test(path)), "something unfinished is left");
  if (line.startsWith("publish")) await requireIndex(workshop, "web");
  if (line.startsWith("instance")) await workshop.ok("instance list");
}

/** What a command that could not write to its end says and leaves; and that it ends well when it is run again. */
export async function requireRecovered(
  workshop: Workshop,
  writing: Writing,
  before: Tree,
  { exit, json }: Ran,
  advice: RegExp,
): Promise<void> {
  assertEquals([exit, json.error?.code], [STORAGE, "storage"]);
  assert(advice.test(json.error?.message ?? ""));
  await requireUnharmed(workshop, writing, before);
  await workshop.ok(writing.line);
  await requireDone(workshop, writing);
}

/** What a command made is there, and whole. */
export async function requireDone(workshop: Workshop, { writes, line }: Writing): Promise<void> {
  const paths = [...readTree(workshop.path)].filter(([path, entry]) => entry !== null && writes.test(path));
  assert(paths.length > 0, line);
  for (const [path] of paths) await requireWhole(workshop, path);
  if (line.startsWith("publish")) await requireIndex(workshop, line.includes("--to new") ? "new" : "web");
}
