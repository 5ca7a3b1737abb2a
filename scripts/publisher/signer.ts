/** Where the key of a release's signature is, by the options of `sign_manifest`: in a PEM file, or in a PKCS#11 token. */
import { resolve } from "node:path";
import type { CmsAlgorithm } from "../../shared/cms/algorithms.ts";
import type { CmsSigner } from "../../shared/cms/sign.ts";
import { algorithmOfSpki } from "../../shared/crypto/signature.ts";
import { PosternError } from "../../shared/errors.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { passphraseFrom } from "../../manager/cli/secrets/secret_input.ts";
import { Pkcs11Session } from "../../manager/keys/pkcs11/session.ts";
import { pkcs11Signer } from "../../manager/keys/pkcs11/signer.ts";
import { readCertificates } from "./pem_files.ts";
import { readPrivateKey, signerOfKey } from "./private_key.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** The options that name a signer. */
export interface SignerOptions {
  readonly cert: string;
  readonly chain?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly passphraseFd?: string;
  readonly pkcs11Module?: string;
  readonly pkcs11Token?: string;
  readonly pkcs11Key?: string;
  readonly pinFile?: string;
  readonly pinFd?: string;
  readonly rsaPadding?: "pss" | "pkcs1";
}

/**
 * Runs with a signer, and closes what it had opened.
 *
 * @throws `usage` for options that contradict each other or are missing; whatever reading keys and certificates throws
 */
export async function withSigner<T>(
  options: SignerOptions,
  s: ScriptSurroundings,
  use: (signer: CmsSigner) => Promise<T>,
): Promise<T> {
  const [certificate, ...rest] = await readCertificates(options.cert, s);
  const chain = [...rest, ...options.chain === undefined ? [] : await readCertificates(options.chain, s)];
  const algorithm = algorithmFor(certificate, options.rsaPadding);
  const common = { certificate, chain, algorithm };
  if (options.key !== undefined) {
    if (options.pkcs11Module !== undefined || options.pkcs11Key !== undefined) {
      throw new PosternError("usage", "Name a key in a file or in a token, not both");
    }
    return await use({ ...common, sign: await fileSigner(options.key, options, algorithm, s) });
  }
  const { pkcs11Module: library, pkcs11Token: token, pkcs11Key: label } = options;
  if (library === undefined || token === undefined || label === undefined) {
    throw new PosternError("usage", "Name a key: --key FILE, or --pkcs11-module, --pkcs11-token and --pkcs11-key");
  }
  const pin = await passphraseFrom({ file: options.pinFile, fd: options.pinFd }, s);
  if (pin === null) throw new PosternError("usage", "A token wants its PIN: name it with --pin-file or --pin-fd");
  using session = await Pkcs11Session.open({ library: resolve(s.cwd, library), token }, pin);
  return await use({ ...common, sign: pkcs11Signer(session, label, algorithm) });
}

async function fileSigner(path: string, options: SignerOptions, algorithm: CmsAlgorithm, s: ScriptSurroundings) {
  const source = { file: options.passphraseFile, fd: options.passphraseFd };
  const key = await readPrivateKey(path, () => passphraseFrom(source, s), s);
  if (!key.isEncrypted) {
    s.err(`warning: the key in ${path} is not encrypted; whoever reads that file can sign releases\n`);
  }
  if (key.algorithm !== (algorithm === "RS256" ? "PS256" : algorithm)) {
    throw new PosternError(
      "wrong_key",
      `The key in ${path} is not that of the certificate: it is of another algorithm`,
    );
  }
  return await signerOfKey(key, algorithm);
}

function algorithmFor({ spki, publicKey }: Certificate, padding: "pss" | "pkcs1" | undefined): CmsAlgorithm {
  const algorithm = algorithmOfSpki(spki);
  if (padding !== "pkcs1") return algorithm;
  if (publicKey.kind === "rsa") return "RS256";
  throw new PosternError("usage", "--rsa-padding is for RSA keys, and the certificate has another");
}
