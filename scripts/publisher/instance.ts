/** `instance`: the publisher's registry, who may read releases (shared/spec/registration.md). */
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { type Bytes, equalBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../shared/bytes/encoding.ts";
import { DEFAULT_COVER_DEPTH } from "../../shared/cover/tree.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { parseRegistrationText, registrationText } from "../../shared/manifest/registration.ts";
import { instanceIdOf, readRegistrationRequest } from "../../shared/manifest/registration_request.ts";
import { makePrivateFolder, writeFileDurably } from "../../manager/files/durable.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import type { Json } from "../../manager/cli/output.ts";
import { type AnswerOptions, answerOptions, withAnswering } from "./answer.ts";
import { iso } from "./describe.ts";
import {
  lockRegistry,
  makeRegistry,
  openRegistry,
  type RegistryOptions,
  registryOptions,
  rotateSecret,
} from "./registry/folder.ts";
import type { HandedIn, Listed, Registered } from "./registry/registry.ts";
import type { BindAction, Done } from "./script.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

interface InitOptions extends RegistryOptions {
  readonly product: string;
  readonly keyId: string;
}

interface RegisterOptions extends AnswerOptions {
  readonly request: string;
  readonly answer: string;
  readonly id?: Bytes;
}

interface ReissueOptions extends AnswerOptions {
  readonly out: string;
}

interface ListOptions extends RegistryOptions {
  readonly revoked?: boolean;
  readonly json?: boolean;
}

const HELP = `
A registry is one secret and a list of who is registered. Whoever has the secret reads every release: keep it under a passphrase, and
keep a copy of the folder elsewhere. What is changed here takes effect with the next release that is encrypted. One process at a time
changes a registry; another one is told so, and is to be run again.
  instance.ts init --product postern --registry-passphrase-file registry.pass
  instance.ts register --request request.txt --answer answer.txt --root root.pem --cert release_cert.pem --key release_key.pem
  instance.ts revoke 5f0c…
  instance.ts list --revoked
A request is made by postern instance request; its owner reads out the instance's id (postern instance show), which --id compares.`;

/** The commands of `instance`. */
export function describeInstance(program: Command, bind: BindAction): void {
  program.description("The instances that may read releases: register, revoke and list them.").addHelpText(
    "after",
    HELP,
  );
  registryOptions(program.command("init").description("make a registry"))
    .option("--product <name>", "what is released", "postern")
    .option("--key-id <id>", "name of the manifest key", "fleet")
    .action(bind(init));
  answerOptions(
    registryOptions(program.command("register").description("register an instance, or take in its newer keys"))
      .requiredOption("--request <file>", "what the instance handed in")
      .requiredOption("--answer <file>", "what it gets back, sealed to it and signed")
      .option("--id <hex>", "the instance's id, as its owner reads it out", readId),
  ).action(bind(register));
  registryOptions(program.command("revoke <id...>").description("leave instances out of every release from now on"))
    .action(bind(revoke));
  registryOptions(program.command("list").description("list all that were ever registered"))
    .option("--revoked", "only those that were revoked")
    .action(bind(list));
  registryOptions(program.command("rotate-key").description("make the next manifest key, then reissue"))
    .action(bind(rotateKey));
  answerOptions(
    registryOptions(program.command("reissue").description("answer all that are registered once more"))
      .requiredOption("--out <dir>", "folder for the answers, one file an instance"),
  ).action(bind(reissue));
}

function readId(text: string): Bytes {
  try {
    const id = fromHex(text.toLowerCase());
    if (id.length === 16) return id;
  } catch (error) {
    if (!isPosternError(error, "malformed")) throw error;
  }
  throw new InvalidArgumentError("An instance's id has 32 hexadecimal digits.");
}

async function init({ product, keyId, ...options }: InitOptions, s: ScriptSurroundings): Promise<Done> {
  const generation = { product, keyId, keyVersion: 1, depth: DEFAULT_COVER_DEPTH };
  const { folder, isWrapped } = await makeRegistry(generation, options, s);
  if (!isWrapped) {
    s.err(`warning: the secret in ${folder} is not encrypted; whoever reads it reads every release\n`);
  }
  const json = { registry: folder, product, keyId, keyVersion: 1, depth: generation.depth, isEncrypted: isWrapped };
  const kept = isWrapped ? "its secret is under the passphrase" : "its secret is readable by you alone (0600)";
  return { json, text: `Made the registry of ${product} in ${folder}; ${kept}. Keep a copy elsewhere.` };
}

async function readRequest(path: string, s: ScriptSurroundings): Promise<HandedIn> {
  const text = new TextDecoder().decode(
    await readBounded(resolve(s.cwd, path), 4 * LIMITS.maxRegistrationRequestBytes),
  );
  const bytes = parseRegistrationText("request", text);
  return { bytes, read: await readRegistrationRequest(bytes) };
}

async function register(options: RegisterOptions, s: ScriptSurroundings): Promise<Done> {
  const request = await readRequest(options.request, s);
  const id = instanceIdOf(request.read.identityKey);
  if (options.id !== undefined && !equalBytes(options.id, id)) {
    throw new PosternError("mixed_up", `the request is by instance ${toHex(id)}, another one than --id`);
  }
  await using _lock = await lockRegistry(options, s);
  await using registry = await openRegistry(options, s);
  return await withAnswering(options, registry.secret, s, async (answering) => {
    // Registered first: an answer that nobody noted would be a leaf that another instance may get.
    const { outcome, instance } = await registry.register(request, s.now(), s.random);
    const answer = await answering.answer(request, instance.leaf);
    const path = resolve(s.cwd, options.answer);
    await writeFileDurably(path, utf8(registrationText("answer", answer)), 0o644);
    const rootSha256 = toHex(answering.root.fingerprint);
    const { product, keyVersion } = registry.secret.generation;
    const json = { instance: toHex(id), outcome, product, keyVersion, mdkVersion: instance.mdk_version };
    const what = outcome === "new" ? "Registered" : outcome === "newer" ? "Took in newer keys of" : "Answered again";
    const text =
      `${what} instance ${toHex(id)} for ${product}: compare this id with its owner, and hand over ${path}. ` +
      `The owner is asked to confirm the root ${rootSha256}.`;
    return { json: { ...json, answer: path, rootSha256 }, text };
  });
}

async function revoke(options: RegistryOptions, s: ScriptSurroundings, args: readonly string[]): Promise<Done> {
  const ids = args.map(readArgument);
  await using _lock = await lockRegistry(options, s);
  await using registry = await openRegistry(options, s);
  // All are looked for before the first is revoked.
  for (const id of ids) await registry.find(id);
  const revoked: Registered[] = [];
  for (const id of ids) revoked.push(await registry.revoke(id, s.now()));
  const advice = "They read what was released before; encrypt the next release to leave them out.";
  return { json: { revoked: revoked.map(listed).map(tell) }, text: `Revoked: ${ids.map(toHex).join(", ")}. ${advice}` };
}

function readArgument(text: string): Bytes {
  try {
    return readId(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new PosternError("usage", error.message);
    throw error;
  }
}

async function list({ revoked = false, json = false, ...options }: ListOptions, s: ScriptSurroundings): Promise<Done> {
  await using registry = await openRegistry(options, s);
  const instances: Json[] = [];
  const lines: string[] = [];
  for await (const page of registry.all(revoked)) {
    for (const one of page) {
      if (json) instances.push(tell(one));
      else lines.push(line(one));
    }
  }
  const counts = await registry.count();
  const { product, keyId, keyVersion } = registry.secret.generation;
  const summary = `${counts.all} registered for ${product}, of these ${counts.revoked} revoked`;
  return {
    json: { product, keyId, keyVersion, registered: counts.all, revoked: counts.revoked, instances },
    text: [...lines, summary].join("\n"),
  };
}

function tell({ id, mdkVersion, keyVersion, registered, revoked }: Listed): { readonly [name: string]: Json } {
  return { id, mdkVersion, keyVersion, registered: iso(registered), revoked: revoked === null ? null : iso(revoked) };
}

function line({ id, mdkVersion, keyVersion, registered, revoked }: Listed): string {
  const state = revoked === null ? "" : `  revoked ${iso(revoked)}`;
  return `${id}  key ${keyVersion}  MDK ${mdkVersion}  registered ${iso(registered)}${state}`;
}

function listed(one: Registered): Listed {
  const { mdk_version: mdkVersion, key_version: keyVersion, registered, revoked } = one;
  return { id: toHex(one.id), mdkVersion, keyVersion, registered, revoked };
}

async function rotateKey(options: RegistryOptions, s: ScriptSurroundings): Promise<Done> {
  const { product, keyId, keyVersion } = await rotateSecret(options, s);
  const text =
    `The manifest key ${keyId} of ${product} has version ${keyVersion} now: reissue answers, and hand them out ` +
    "before the next release, which is for those who have them.";
  return { json: { product, keyId, keyVersion }, text };
}

async function reissue(options: ReissueOptions, s: ScriptSurroundings): Promise<Done> {
  const folder = resolve(s.cwd, options.out);
  await makePrivateFolder(folder);
  await using _lock = await lockRegistry(options, s);
  await using registry = await openRegistry(options, s);
  return await withAnswering(options, registry.secret, s, async (answering) => {
    let count = 0;
    for await (const request of registry.requests()) {
      const id = instanceIdOf(request.read.identityKey);
      const { leaf } = await registry.find(id);
      const text = registrationText("answer", await answering.answer(request, leaf));
      await writeFileDurably(join(folder, `${toHex(id)}.answer`), utf8(text), 0o644);
      await registry.noteAnswered(id);
      count++;
    }
    const { keyVersion } = registry.secret.generation;
    const json = { out: folder, answers: count, keyVersion, rootSha256: toHex(answering.root.fingerprint) };
    return { json, text: `Wrote ${count} answers to ${folder}; each instance takes in its own` };
  });
}
