/** `verify_manifest`: whether a file is signed by whom the root says (shared/spec/cms.md). */
import { resolve } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../shared/cms/verify.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type Crl, readCrlFile } from "../../shared/x509/crl.ts";
import { displayDn } from "../../shared/x509/dn.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { iso, tellCertificate, tellCrl, tellScheme } from "./describe.ts";
import { readCertificates } from "./pem_files.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

interface VerifyOptions {
  readonly input: string;
  readonly signature: string;
  readonly root: readonly string[];
  readonly crl?: readonly string[];
  readonly requireCrl?: boolean;
}

const HELP = `
Accepted is what sign_manifest.ts makes, and what OpenSSL does by
  openssl cms -sign -in F -out F.sig -signer release_cert.pem -inkey release_key.pem
also with -binary, -outform DER or PEM, and with RSA-PSS. The signature's file brings the certificates along; the root never comes
from there. A revocation list that is given must be in force, and the signer's issuer must be among those that lists are given of.`;

/** The options of `verify_manifest`. */
export function describeVerifyManifest(program: Command, bind: BindAction): void {
  program.description(
    "Verifies a detached CMS signature over a manifest: signature, purpose, path to the root, revocation.",
  )
    .requiredOption("--input <file>", "what was signed")
    .requiredOption("--signature <file>", "the signature: DER, PEM or S/MIME")
    .requiredOption("--root <pem...>", "certificates that are trusted")
    .option("--crl <pem...>", "revocation lists, PEM or DER")
    .option("--require-crl", "every authority on the path must have a list")
    .addHelpText("after", HELP).action(bind(verifyManifest));
}

async function verifyManifest(options: VerifyOptions, s: ScriptSurroundings): Promise<Done> {
  const input = resolve(s.cwd, options.input);
  const content = await readBounded(input, LIMITS.maxSignedContentBytes);
  const file = await readBounded(resolve(s.cwd, options.signature), maxFileBytes(content.length));
  const roots = (await Promise.all(options.root.map((path) => readCertificates(path, s)))).flat();
  const crls = (await Promise.all((options.crl ?? []).map((path) => readList(path, s)))).flat();
  const trust = { roots, crls, requireCrl: options.requireCrl === true, now: s.now() };
  const found = await verifyDetached(content, file, trust);
  const { certificate, path, form, mode, signedAt } = found;
  if (crls.length > 0 && !found.crls.some(({ issuer }) => issuer === certificate.issuer)) {
    throw new PosternError("stale", "None of the revocation lists is that of the signer's issuer; get its newest one");
  }
  const json = {
    input,
    sha256: toHex(sha256(content)),
    form,
    mode,
    algorithm: tellScheme(found.scheme),
    digest: found.hash,
    signedAt: signedAt === undefined ? null : iso(signedAt),
    signer: tellCertificate(certificate),
    path: path.map(tellCertificate),
    crls: found.crls.map(tellCrl),
  };
  const root = path.at(-1) ?? certificate;
  const lists = crls.length === 0 ? "revocation was not looked up" : `${found.crls.length} revocation lists`;
  const names = `${displayDn(certificate.subjectName)}, trusted through ${displayDn(root.subjectName)}`;
  return { json, text: `Good signature over ${input} by ${names} (${tellScheme(found.scheme)}; ${lists})` };
}

/** An S/MIME message repeats the content; `verifyDetached` knows the exact bound of each form. */
function maxFileBytes(contentBytes: number): number {
  return 2 * LIMITS.maxCmsBytes + contentBytes;
}

async function readList(path: string, s: ScriptSurroundings): Promise<readonly Crl[]> {
  // PEM is a third longer than DER.
  return readCrlFile(await readBounded(resolve(s.cwd, path), 2 * LIMITS.maxCrlBytes));
}
