/** `publisher_ca`: a publisher's root, the certificates that sign releases, and the list of those that are revoked. */
import { type Command, Option } from "commander";
import { PosternError } from "../../shared/errors.ts";
import { REASONS, type RevocationReason } from "../../shared/x509/crl_extensions.ts";
import { parseName } from "../../shared/x509/dn_parse.ts";
import { issuePublisherRoot, issueReleaseSigner } from "../../shared/x509/issue_publisher.ts";
import { certificateFile, lockCrl, nextCrl, PUBLIC_MODE, readOwnCrl, requireFree, validFor, writeCrl } from "./ca.ts";
import {
  type AuthorityOptions,
  authorityOptions,
  CRL_DAYS,
  daysOption,
  type NewKeyOptions,
  newKeyOptions,
  newPassphrase,
  openAuthorityOf,
  passphraseOfNew,
  ROOT_DAYS,
  SIGNER_DAYS,
} from "./ca_options.ts";
import { PRIVATE_FILE_MODE } from "../../manager/files/durable.ts";
import { tellCertificate, tellCrl } from "./describe.ts";
import { NewFiles } from "./new_files.ts";
import { readCertificates, readPublicKey } from "./pem_files.ts";
import { certificateSignerOfKey, newPrivateKey, privateKeyFile } from "./private_key.ts";
import { describeRotation } from "./rotate.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

interface InitOptions extends NewKeyOptions {
  readonly root: string;
  readonly rootKey: string;
}

interface IssueOptions extends NewKeyOptions, AuthorityOptions {
  readonly cert: string;
  readonly key?: string;
  readonly publicKey?: string;
}

interface CrlOptions extends AuthorityOptions {
  readonly crl: string;
  readonly anew?: boolean;
  readonly revoke?: readonly string[];
  readonly reason: RevocationReason;
  readonly days: number;
}

const HELP = `
The first release:
  publisher_ca.ts init --root root.pem --root-key root.key --passphrase-file root.pass
  publisher_ca.ts issue --root root.pem --root-key root.key --root-passphrase-file root.pass \\
    --cert release_cert.pem --key release_key.pem --passphrase-file release.pass
  publisher_ca.ts crl --root root.pem --root-key root.key --root-passphrase-file root.pass --crl root.crl --anew
Ed25519 is the default; whoever wants OpenSSL to verify releases chooses --algorithm p256 or rsa3072, for root and signer alike.
Keep the root's key apart from the machine that releases; it is needed only for these commands.
One process at a time makes the next revocation list; another one is told so, and is to be run again.`;

/** The commands of `publisher_ca`. */
export function describePublisherCa(program: Command, bind: BindAction): void {
  program.description("The authority of a publisher: root, certificates that sign releases, revocation list.")
    .addHelpText("after", HELP);
  newKeyOptions(program.command("init").description("make a root, which instances pin"), "CN=publisher root", ROOT_DAYS)
    .requiredOption("--root <pem>", "the new root's certificate")
    .requiredOption("--root-key <pem>", "its private key")
    .action(bind(init));
  authorityOptions(
    newKeyOptions(
      program.command("issue").description("issue a certificate that signs releases"),
      "CN=release",
      SIGNER_DAYS,
    )
      .requiredOption("--cert <pem>", "the new certificate")
      .option("--key <pem>", "its new private key")
      .option("--public-key <pem>", "no new key: issue for this one, which a token holds"),
  ).action(bind(issue));
  describeRotation(program, bind);
  authorityOptions(program.command("crl").description("make the next revocation list"))
    .requiredOption("--crl <pem>", "the list; what it has stays in it")
    .option("--anew", "there is none yet: begin the authority's first one")
    .option("--revoke <pem...>", "certificates to revoke")
    .addOption(
      new Option("--reason <why>", "for what is revoked now").choices(Object.keys(REASONS)).default("unspecified"),
    )
    .addOption(daysOption("the next list will have been made by then", CRL_DAYS))
    .action(bind(crl));
}

async function init(options: InitOptions, s: ScriptSurroundings): Promise<Done> {
  await requireFree([options.root, options.rootKey], s);
  const passphrase = await newPassphrase(passphraseOfNew(options), options.rootKey, s);
  const key = await newPrivateKey(options.algorithm);
  const subject = { name: parseName(options.subject), spki: key.spki };
  const signer = await certificateSignerOfKey(key);
  const root = await issuePublisherRoot(signer, subject, validFor(options.days, s.now()), s.random);
  await using files = new NewFiles(s);
  // The key first: a certificate without its key is of no use.
  await files.create(options.rootKey, await privateKeyFile(key, passphrase, s), PRIVATE_FILE_MODE);
  await files.create(options.root, certificateFile(root), PUBLIC_MODE);
  files.keep();
  const json = { root: options.root, key: options.rootKey, certificate: tellCertificate(root) };
  return { json, text: `Made the root ${options.root}, and its key ${options.rootKey}. Instances pin the root.` };
}

async function issue(options: IssueOptions, s: ScriptSurroundings): Promise<Done> {
  if ((options.key === undefined) === (options.publicKey === undefined)) {
    throw new PosternError("usage", "Name either --key, for a new key, or --public-key, for one that a token holds");
  }
  await requireFree([options.cert, ...options.key === undefined ? [] : [options.key]], s);
  const authority = await openAuthorityOf(options, s);
  const passphrase = options.key === undefined ? null : await newPassphrase(passphraseOfNew(options), options.key, s);
  const key = options.publicKey === undefined ? await newPrivateKey(options.algorithm) : null;
  const spki = key?.spki ?? await readPublicKey(options.publicKey ?? "", s);
  const subject = { name: parseName(options.subject), spki };
  const validity = validFor(options.days, s.now());
  const certificate = await issueReleaseSigner(authority.certificate, authority.signer, subject, validity, s.random);
  await using files = new NewFiles(s);
  if (key !== null && options.key !== undefined) {
    await files.create(options.key, await privateKeyFile(key, passphrase, s), PRIVATE_FILE_MODE);
  }
  await files.create(options.cert, certificateFile(certificate), PUBLIC_MODE);
  files.keep();
  const json = { cert: options.cert, key: options.key ?? null, certificate: tellCertificate(certificate) };
  return { json, text: `Issued ${options.cert}: sign_manifest.ts signs releases with it` };
}

async function crl(options: CrlOptions, s: ScriptSurroundings): Promise<Done> {
  await using _lock = await lockCrl(options.crl, s);
  const authority = await openAuthorityOf(options, s);
  if (options.anew) await requireFree([options.crl], s);
  const before = options.anew ? null : await readOwnCrl(options.crl, authority, s);
  const now = s.now();
  const revocation = { at: now, reason: options.reason };
  const certificates = await Promise.all((options.revoke ?? []).map((path) => readCertificates(path, s)));
  const revoke = certificates.map(([certificate]) => ({ certificate, revocation }));
  const next = await nextCrl(authority, before, { revoke, days: options.days }, now);
  await writeCrl(options.crl, next, s);
  const { number, nextUpdate, revoked } = next;
  const until = new Date(nextUpdate).toISOString();
  const text = `Wrote ${options.crl}: number ${number}, ${revoked.size} revoked, in force until ${until}`;
  return { json: { path: options.crl, crl: tellCrl(next) }, text };
}
