/** The folder of a publisher's registry: made, opened by the options of every script that needs it, and given the next manifest key. */
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { passphraseFrom } from "../../../manager/cli/secrets/secret_input.ts";
import { createExclusive, makePrivateFolder, writeFileDurably } from "../../../manager/files/durable.ts";
import { lockForTask } from "../../../manager/files/lock.ts";
import { fromOsError } from "../../../manager/files/os_error.ts";
import { passphraseKek } from "../../../manager/keys/passphrase.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import type { ScriptSurroundings } from "../surroundings.ts";
import { Registry, SECRET_FILE } from "./registry.ts";
import { type KeyGeneration, readRegistrySecret, REGISTRY_SECRET_BYTES, RegistrySecret } from "./secret.ts";

const DEFAULT_REGISTRY = "registry";

/** Options that name a registry. */
export interface RegistryOptions {
  readonly registry?: string;
  readonly registryPassphraseFile?: string;
  readonly registryPassphraseFd?: string;
}

/** Adds them. */
export function registryOptions(command: Command): Command {
  return command
    .option("--registry <dir>", "the registry of instances (POSTERN_REGISTRY, or ./registry)")
    .option("--registry-passphrase-file <file>", "passphrase of the registry's secret")
    .option("--registry-passphrase-fd <n>", "descriptor that gives it");
}

/** Whether the registry's folder was named, and is not the default. */
export function isNamed({ registry }: RegistryOptions, s: ScriptSurroundings): boolean {
  return (registry ?? s.env("POSTERN_REGISTRY")) !== undefined;
}

function folderOf({ registry }: RegistryOptions, s: ScriptSurroundings): string {
  return resolve(s.cwd, registry ?? s.env("POSTERN_REGISTRY") ?? DEFAULT_REGISTRY);
}

async function kekFrom(options: RegistryOptions, s: ScriptSurroundings): Promise<KekProvider | null> {
  const source = { file: options.registryPassphraseFile, fd: options.registryPassphraseFd };
  const passphrase = await passphraseFrom(source, s);
  return passphrase === null ? null : passphraseKek(passphrase, s.random);
}

async function kekOrAdvice(options: RegistryOptions, s: ScriptSurroundings): Promise<KekProvider> {
  const kek = await kekFrom(options, s);
  if (kek !== null) return kek;
  const advice = "name its passphrase with --registry-passphrase-file or --registry-passphrase-fd";
  throw new PosternError("usage", `the secret of ${folderOf(options, s)} is encrypted: ${advice}`);
}

function newSecret(generation: KeyGeneration, isWrapped: boolean, s: ScriptSurroundings): RegistrySecret {
  return new RegistrySecret(generation, new Redacted(s.random(REGISTRY_SECRET_BYTES)), isWrapped);
}

/** Where a registry lies, and whether a passphrase protects its secret. */
export interface MadeRegistry {
  readonly folder: string;
  readonly isWrapped: boolean;
}

/** Makes a registry. @throws `conflict` if the folder holds one */
export async function makeRegistry(
  generation: KeyGeneration,
  options: RegistryOptions,
  s: ScriptSurroundings,
): Promise<MadeRegistry> {
  const folder = folderOf(options, s);
  const kek = await kekFrom(options, s);
  const secret = newSecret(generation, kek !== null, s);
  const file = await secret.write(kek);
  await makePrivateFolder(folder);
  // The secret last: a folder without it is no registry, and is taken up by the next try.
  const registry = await Registry.open(folder, secret);
  await registry[Symbol.asyncDispose]();
  await createExclusive(join(folder, SECRET_FILE), file);
  return { folder, isWrapped: kek !== null };
}

/** Opens a registry. @throws `not_found`, `usage`, and what reading the secret and the database throws */
export async function openRegistry(options: RegistryOptions, s: ScriptSurroundings): Promise<Registry> {
  const folder = folderOf(options, s);
  const secret = await readSecret(folder, options, s);
  return await Registry.open(folder, secret);
}

/**
 * Keeps other processes from changing a registry: so nobody is answered under a manifest key that is being replaced, or takes another
 * one's place. Whoever only reads needs no lock.
 *
 * @throws `conflict` while another process changes it; `not_found` where there is no registry
 */
export async function lockRegistry(options: RegistryOptions, s: ScriptSurroundings): Promise<AsyncDisposable> {
  const folder = folderOf(options, s);
  try {
    // No lock is left in a folder that is none.
    await Deno.lstat(join(folder, SECRET_FILE));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw noRegistry(folder, cause);
    throw fromOsError(cause, `look into ${folder}`);
  }
  const busy = `Another process changes the registry in ${folder}`;
  return await lockForTask(folder, busy, { pid: s.pid, sinceMillis: s.now() });
}

async function readSecret(folder: string, options: RegistryOptions, s: ScriptSurroundings): Promise<RegistrySecret> {
  try {
    return await readRegistrySecret(join(folder, SECRET_FILE), s.uid, () => kekOrAdvice(options, s));
  } catch (cause) {
    if (!isPosternError(cause, "not_found")) throw cause;
    throw noRegistry(folder, cause);
  }
}

function noRegistry(folder: string, cause: unknown): PosternError {
  return new PosternError("not_found", `${folder} is no registry: instance.ts init makes one`, { cause });
}

/**
 * Puts the next generation in the place of the manifest key: a new secret under the same protection. What the old one opened, instances
 * keep opening by what they have of it; the publisher forgets it.
 */
export async function rotateSecret(options: RegistryOptions, s: ScriptSurroundings): Promise<KeyGeneration> {
  await using _lock = await lockRegistry(options, s);
  const folder = folderOf(options, s);
  const { generation, isWrapped } = await readSecret(folder, options, s);
  const next = { ...generation, keyVersion: generation.keyVersion + 1 };
  const kek = isWrapped ? await kekOrAdvice(options, s) : null;
  await writeFileDurably(join(folder, SECRET_FILE), await newSecret(next, isWrapped, s).write(kek));
  return next;
}
