/** `postern instance`: what this manager is to publishers of releases. */
import { resolve } from "node:path";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import type { VerifyDetached } from "../../../shared/manifest/registration_answer.ts";
import { createExclusive } from "../../files/durable.ts";
import { openInstance } from "../../instance/instance.ts";
import { currentRequest, keepAnswer, openAnswer, type OpenedAnswer, pinnedRoot } from "../../instance/register.ts";
import { storedRegistrations } from "../../instance/repository.ts";
import { rememberedLists } from "../../update/repository.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { plain } from "../../text/layout.ts";
import { readText } from "../read_text.ts";
import { presentInstance } from "../texts/instance.ts";

interface RegisterOptions {
  readonly rootSha256?: string;
}

interface RequestOptions {
  readonly out?: string;
}

const REQUEST_HELP = `
The request contains public keys and nothing secret; its signature proves to the publisher that it comes from this instance. It stays
the same until postern key rotate, so you can hand it in twice, or to several publishers.

Examples:
  $ postern instance request --out request.txt
  $ postern instance request`;

const REGISTER_HELP = `
An answer is sealed for this instance and signed by a publisher. Only you can tell whether it is the right one: compare the SHA-256 of
the root certificate with what the publisher told you some other way. If you already follow the product, the root must be the same.

Examples:
  $ postern instance register answer.txt
  $ postern instance register answer.txt --root-sha256 2f1c...`;

export const registerInstance: Register = (parent, bind: Bind) => {
  const instance = parent.command("instance").summary("register this manager for releases").description(
    "What this manager is to publishers of releases.",
  );
  instance.command("show").summary("the instance and what it is registered for").description(
    "Shows the instance's id and keys, and the products that it follows.",
  )
    .addHelpText("after", "\nExample:\n  $ postern instance show").action(bind(show));
  instance.command("request").summary("make the request for a publisher").description(
    "Makes the file by which a publisher registers this instance.",
  )
    .option("--out <file>", "write it into this new file instead of showing it")
    .addHelpText("after", REQUEST_HELP).action(bind(request));
  instance.command("register <answer>").summary("take in a publisher's answer").description(
    "Takes in the file by which a publisher answers the request; - reads standard input.",
  )
    .option("--root-sha256 <hex>", "of the publisher's root certificate, as you know it")
    .addHelpText("after", REGISTER_HELP).action(bind(register));
};

async function show(cli: Cli): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    return presentInstance(await openInstance(db, s.now(), s.random), await storedRegistrations(db));
  });
}

async function request(cli: Cli, _args: readonly string[], options: RequestOptions): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const bytes = await currentRequest(db, s.now(), s.random);
    const { id, current } = await openInstance(db, s.now(), s.random);
    const file = options.out === undefined ? null : resolve(s.cwd, options.out);
    const text = registrationText("request", bytes);
    if (file !== null) await createExclusive(file, utf8(text));
    const json = { instance: toHex(id), mdkVersion: current.version, requestSha256: toHex(sha256(bytes)), file };
    if (file === null) return { json: { ...json, request: text.trim() }, text: text.trim() };
    return { json, text: `The request of instance ${toHex(id)} is in ${file}: hand it to the publisher.` };
  });
}

async function register(cli: Cli, [path = ""]: readonly string[], options: RegisterOptions): Promise<Output> {
  const { s } = cli;
  const known = options.rootSha256 === undefined ? null : fingerprintOf(options.rootSha256);
  const text = await readText(path, 2 * LIMITS.maxRegistrationAnswerBytes, s);
  return await withManager(cli, async (db) => {
    const opened = await openAnswer(db, parseRegistrationText("answer", text), s.now(), s.random);
    const fingerprint = known ?? await pinnedRoot(db, opened.answer.product) ?? await confirmedRoot(cli, opened);
    // What its publisher revoked before signs no answer any more.
    const crls = await rememberedLists(db, opened.answer.product);
    const verify: VerifyDetached = (body, signature, root) =>
      verifyDetached(body, signature, { roots: [root], crls, now: s.now() });
    const { product, mdkVersion, cover, sharedKeys } = await keepAnswer(db, opened, fingerprint, verify, s.now());
    const rootSha256 = toHex(fingerprint);
    return {
      json: { product, rootSha256, mdkVersion, hasMemberKeys: cover !== null, sharedKeys: sharedKeys.length },
      text: `Registered for ${product}, with MDK version ${mdkVersion}. Releases must chain to the root ${rootSha256}.`,
    };
  });
}

async function confirmedRoot({ s }: Cli, { answer }: OpenedAnswer): Promise<Bytes> {
  const { fingerprint } = answer.root;
  const question = `Follow ${plain(answer.product)} by the publisher whose root certificate has the SHA-256 ` +
    `${toHex(fingerprint)}?`;
  if (await s.ask.confirm(question, "name the root that you expect with --root-sha256 HEX")) return fingerprint;
  throw new PosternError("untrusted", "The publisher's root was not confirmed: nothing was kept");
}

/** As people copy it: colons and capitals do not matter. */
function fingerprintOf(text: string): Bytes {
  try {
    const bytes = fromHex(text.replaceAll(":", "").toLowerCase());
    if (bytes.length === 32) return bytes;
  } catch (error) {
    if (!isPosternError(error, "malformed")) throw error;
  }
  throw new PosternError("usage", "--root-sha256 takes 64 hexadecimal digits");
}
