/** What a registered instance is handed: its keys, sealed to it, signed by a release certificate. */
import type { Command } from "commander";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { memberKeys } from "../../shared/cover/member.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { signDetached } from "../../shared/cms/sign.ts";
import { verifyDetached } from "../../shared/cms/verify.ts";
import { makeRegistrationAnswer } from "../../shared/manifest/registration_answer.ts";
import { instanceIdOf } from "../../shared/manifest/registration_request.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { readOneCertificate } from "./pem_files.ts";
import type { RegistryOptions } from "./registry/folder.ts";
import type { HandedIn } from "./registry/registry.ts";
import type { RegistrySecret } from "./registry/secret.ts";
import { signerOptions } from "./sign_manifest.ts";
import { type SignerOptions, withSigner } from "./signer.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** Options of the commands that answer. */
export interface AnswerOptions extends RegistryOptions, SignerOptions {
  readonly root: string;
  readonly schema1?: boolean;
}

/** Adds them. */
export function answerOptions(command: Command): Command {
  return signerOptions(
    command
      .requiredOption("--root <pem>", "the root that instances pin")
      .option("--schema1", "hand out the key of schema 1, too, which all instances share"),
  );
}

export interface Answering {
  readonly root: Certificate;
  /** The answer's bytes. */
  answer(request: HandedIn, leaf: number): Promise<Bytes>;
}

/** Runs with what makes answers. @throws `untrusted` and the like if the signer has no path to the root */
export async function withAnswering<T>(
  options: AnswerOptions,
  secret: RegistrySecret,
  s: ScriptSurroundings,
  use: (answering: Answering) => Promise<T>,
): Promise<T> {
  const root = await readOneCertificate(options.root, s);
  const { product, keyId, keyVersion } = secret.generation;
  const sharedKeys = options.schema1 === true ? [{ keyId, keyVersion, key: secret.sharedKey() }] : [];
  const cover = secret.cover();
  return await withSigner(options, s, async (signer) => {
    const sign = async (text: Bytes) => {
      const signature = await signDetached(text, signer, s.now());
      await verifyDetached(text, signature, { roots: [root], now: s.now() });
      return signature;
    };
    const answer = (request: HandedIn, leaf: number) => {
      const given = {
        ...{ product, root: root.der, sharedKeys },
        entrySecret: secret.entrySecret(instanceIdOf(request.read.identityKey)),
        cover: new Redacted(memberKeys(cover, leaf).encode()),
      };
      return makeRegistrationAnswer(request, given, sign);
    };
    // Before anything is registered: whether instances would take what it signs.
    await sign(utf8("a signer of registrations"));
    return await use({ root, answer });
  });
}
