/** `sign_manifest`: a detached signature beside a file (shared/spec/cms.md). */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { writeSignaturePem } from "../../shared/cms/signature_file.ts";
import { signDetached } from "../../shared/cms/sign.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { LIMITS } from "../../shared/limits.ts";
import { writeFileDurably } from "../../manager/files/durable.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { iso, tellCertificate } from "./describe.ts";
import type { BindAction, Done } from "./script.ts";
import { type SignerOptions, withSigner } from "./signer.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** Files that everybody may read. */
const PUBLIC_MODE = 0o644;

interface SignOptions extends SignerOptions {
  readonly input: string;
  readonly output?: string;
  readonly outform: "DER" | "PEM";
}

const HELP = `
A key in a file is PKCS#8 in PEM, better with a passphrase than without. A key in a token never leaves it:
  --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token release --pkcs11-key signing --pin-file pin
The certificate must be for signing code, and issued by an authority; publisher_ca.ts makes both.
OpenSSL verifies what is signed by RSA and EC keys:
  openssl cms -verify -binary -inform DER -in F.sig -content F -CAfile root.pem -purpose any -out /dev/null`;

/** The options of `sign_manifest`. */
export function describeSignManifest(program: Command, bind: BindAction): void {
  signerOptions(
    program.description("Signs a manifest, or any file without a CR: makes a detached CMS signature beside it.")
      .requiredOption("--input <file>", "what is signed")
      .option("--output <file>", "the signature (INPUT.sig)")
      .addOption(new Option("--outform <form>", "form of the signature").choices(["DER", "PEM"]).default("DER")),
  ).addHelpText("after", HELP).action(bind(signManifest));
}

/** The options that name who signs, for every script that signs releases. */
export function signerOptions(command: Command): Command {
  return command
    .requiredOption("--cert <pem>", "the signer's certificate; those behind it in the file are its chain")
    .option("--key <pem>", "its private key")
    .option("--chain <pem>", "certificates between it and the root, if --cert has them not")
    .option("--passphrase-file <file>", "passphrase of the key")
    .option("--passphrase-fd <n>", "descriptor that gives the passphrase; 0 for standard input")
    .option("--pkcs11-module <library>", "PKCS#11 library of the token that holds the key")
    .option("--pkcs11-token <label>", "label of the token")
    .option("--pkcs11-key <label>", "label of the private key in it")
    .option("--pin-file <file>", "PIN of the token")
    .option("--pin-fd <n>", "descriptor that gives the PIN; 0 for standard input")
    .addOption(new Option("--rsa-padding <kind>", "how an RSA key signs").choices(["pss", "pkcs1"]).default("pss"));
}

async function signManifest(options: SignOptions, s: ScriptSurroundings): Promise<Done> {
  const input = resolve(s.cwd, options.input);
  const output = resolve(s.cwd, options.output ?? `${options.input}.sig`);
  const content = await readBounded(input, LIMITS.maxSignedContentBytes);
  return await withSigner(options, s, async (signer) => {
    const at = s.now();
    const der = await signDetached(content, signer, at);
    const file = options.outform === "PEM" ? utf8(writeSignaturePem(der)) : der;
    await writeFileDurably(output, file, PUBLIC_MODE);
    const json = {
      input,
      output,
      form: options.outform,
      algorithm: signer.algorithm,
      sha256: toHex(sha256(content)),
      signedAt: iso(at),
      signer: tellCertificate(signer.certificate),
    };
    return { json, text: `Signed ${input} with ${signer.algorithm}: ${output}, ${file.length} bytes` };
  });
}
