/** `publisher_ca rotate-release` and `rotate-root`: the drills, each in one command (docs/publishing.md). */
import type { Command } from "commander";
import { Option } from "commander";
import { REASONS, type RevocationReason } from "../../shared/x509/crl_extensions.ts";
import { parseName } from "../../shared/x509/dn_parse.ts";
import { crossSign, issuePublisherRoot, issueReleaseSigner } from "../../shared/x509/issue_publisher.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { PRIVATE_FILE_MODE } from "../../manager/files/durable.ts";
import {
  type Authority,
  certificateFile,
  crlFile,
  lockCrl,
  nextCrl,
  PUBLIC_MODE,
  readOwnCrl,
  requireFree,
  validFor,
  writeCrl,
} from "./ca.ts";
import {
  type AuthorityOptions,
  authorityOptions,
  CRL_DAYS,
  type NewKeyOptions,
  newKeyOptions,
  newPassphrase,
  openAuthorityOf,
  passphraseOfNew,
  ROOT_DAYS,
  SIGNER_DAYS,
} from "./ca_options.ts";
import { tellCertificate, tellCrl } from "./describe.ts";
import { NewFiles } from "./new_files.ts";
import { readCertificates } from "./pem_files.ts";
import { certificateSignerOfKey, newPrivateKey, type PrivateKey, privateKeyFile } from "./private_key.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

interface RotateReleaseOptions extends NewKeyOptions, AuthorityOptions {
  readonly cert: string;
  readonly key: string;
  readonly crl: string;
  readonly revoke?: readonly string[];
  readonly reason: RevocationReason;
}

interface RotateRootOptions extends NewKeyOptions, AuthorityOptions {
  readonly newRoot: string;
  readonly newRootKey: string;
  readonly newRootPassphraseFile?: string;
  readonly newRootPassphraseFd?: string;
  readonly newSubject: string;
  readonly cert: string;
  readonly key: string;
  readonly crl: string;
  readonly newCrl: string;
}

/** Adds the two commands. */
export function describeRotation(program: Command, bind: BindAction): void {
  authorityOptions(
    newKeyOptions(
      program.command("rotate-release").description("issue the next release certificate, and revoke those before"),
      "CN=release",
      SIGNER_DAYS,
    )
      .requiredOption("--cert <pem>", "the new certificate")
      .requiredOption("--key <pem>", "its new private key")
      .requiredOption("--crl <pem>", "the root's revocation list, which is renewed")
      .option("--revoke <pem...>", "certificates to revoke; none if the old one shall serve until it expires")
      .addOption(new Option("--reason <why>", "of the revocation").choices(Object.keys(REASONS)).default("superseded")),
  ).action(bind(rotateRelease));
  authorityOptions(
    newKeyOptions(
      program.command("rotate-root").description("make the next root, cross-signed, with a release certificate by it"),
      "CN=release",
      SIGNER_DAYS,
    )
      .requiredOption("--new-root <pem>", "the new root's certificate")
      .requiredOption("--new-root-key <pem>", "its private key")
      .option("--new-subject <name>", "the new root's name, another one than the old root's", "CN=publisher root 2")
      .option("--new-root-passphrase-file <file>", "passphrase for the new root's key")
      .option("--new-root-passphrase-fd <n>", "descriptor that gives it")
      .requiredOption("--cert <pem>", "the new release certificate, with the new root's certificate by the old one")
      .requiredOption("--key <pem>", "its private key")
      .requiredOption("--crl <pem>", "the old root's revocation list, which is renewed")
      .requiredOption("--new-crl <pem>", "the new root's revocation list"),
  ).action(bind(rotateRoot));
}

async function rotateRelease(options: RotateReleaseOptions, s: ScriptSurroundings): Promise<Done> {
  await requireFree([options.cert, options.key], s);
  await using _lock = await lockCrl(options.crl, s);
  const authority = await openAuthorityOf(options, s);
  const before = await readOwnCrl(options.crl, authority, s);
  const old = await Promise.all((options.revoke ?? []).map((path) => readCertificates(path, s)));
  const revocation = { at: s.now(), reason: options.reason };
  const revoke = old.map(([certificate]) => ({ certificate, revocation }));
  const crl = await nextCrl(authority, before, { revoke, days: CRL_DAYS }, s.now());
  const { certificate, key } = await newSigner(authority, options, s);
  const passphrase = await newPassphrase(passphraseOfNew(options), options.key, s);
  await using files = new NewFiles(s);
  await files.create(options.key, await privateKeyFile(key, passphrase, s), PRIVATE_FILE_MODE);
  await files.create(options.cert, certificateFile(certificate), PUBLIC_MODE);
  // Last: before it nothing has changed for anybody.
  await writeCrl(options.crl, crl, s);
  files.keep();
  const json = { cert: options.cert, key: options.key, certificate: tellCertificate(certificate) };
  const text =
    `Issued ${options.cert}, and renewed ${options.crl} (${crl.revoked.size} revoked): publish the index with both now`;
  return { json: { ...json, crl: tellCrl(crl) }, text };
}

async function rotateRoot(options: RotateRootOptions, s: ScriptSurroundings): Promise<Done> {
  await requireFree([options.newRoot, options.newRootKey, options.cert, options.key, options.newCrl], s);
  await using _lock = await lockCrl(options.crl, s);
  const old = await openAuthorityOf(options, s);
  const before = await readOwnCrl(options.crl, old, s);
  const rootKey = await newPrivateKey(options.algorithm);
  const signer = await certificateSignerOfKey(rootKey);
  const subject = { name: parseName(options.newSubject), spki: rootKey.spki };
  const root = await issuePublisherRoot(signer, subject, validFor(ROOT_DAYS, s.now()), s.random);
  const next: Authority = { certificate: root, signer };
  // The old root's word for the new one ends with the old root, at the latest.
  const { notBefore, notAfter } = validFor(ROOT_DAYS, s.now());
  const word = { notBefore, notAfter: Math.min(notAfter, old.certificate.notAfter) };
  const cross = await crossSign(old.certificate, old.signer, root, word, s.random);
  const { certificate, key } = await newSigner(next, options, s);
  const crls = [await nextCrl(old, before, LIST, s.now()), await nextCrl(next, null, LIST, s.now())] as const;
  const rootSource = { file: options.newRootPassphraseFile, fd: options.newRootPassphraseFd };
  const rootPassphrase = await newPassphrase(rootSource, options.newRootKey, s);
  const passphrase = await newPassphrase(passphraseOfNew(options), options.key, s);
  await using files = new NewFiles(s);
  await files.create(options.newRootKey, await privateKeyFile(rootKey, rootPassphrase, s), PRIVATE_FILE_MODE);
  await files.create(options.newRoot, certificateFile(root), PUBLIC_MODE);
  await files.create(options.key, await privateKeyFile(key, passphrase, s), PRIVATE_FILE_MODE);
  await files.create(options.cert, certificateFile(certificate, cross), PUBLIC_MODE);
  await files.create(options.newCrl, crlFile(crls[1]), PUBLIC_MODE);
  await writeCrl(options.crl, crls[0], s);
  files.keep();
  const json = { root: options.newRoot, rootCertificate: tellCertificate(root), cross: tellCertificate(cross) };
  const text =
    `Made the root ${options.newRoot}, which the old root vouches for, and ${options.cert}, issued by it. Publish with ` +
    `--new-root ${options.newRoot} and both revocation lists until every instance has followed.`;
  return { json: { ...json, cert: options.cert, certificate: tellCertificate(certificate) }, text };
}

const LIST = { revoke: [], days: CRL_DAYS } as const;

async function newSigner(
  authority: Authority,
  { algorithm, subject, days }: NewKeyOptions,
  s: ScriptSurroundings,
): Promise<{ readonly certificate: Certificate; readonly key: PrivateKey }> {
  const key = await newPrivateKey(algorithm);
  const about = { name: parseName(subject), spki: key.spki };
  const validity = validFor(days, s.now());
  const certificate = await issueReleaseSigner(authority.certificate, authority.signer, about, validity, s.random);
  return { certificate, key };
}
