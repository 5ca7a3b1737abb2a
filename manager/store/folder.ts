/**
 * The manager's data folder: where its files lie, and whether an `init` in it was finished.
 *
 *     settings.json   where the KEK is, and whether init was finished; nothing secret
 *     database.key    the key of the database, wrapped by the KEK
 *     manager.db      the database, page-encrypted (with -wal and -shm while it is open)
 *     lock            held by whoever pushes
 *     kek.key         the key file, where the owner has chosen to keep it here
 */
import { join } from "node:path";
import * as v from "valibot";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { writeFileDurably } from "../files/durable.ts";
import { fromOsError } from "../files/os_error.ts";
import { readBounded } from "../files/read_bounded.ts";

/** The files of a data folder. */
export interface FolderPaths {
  readonly folder: string;
  readonly settings: string;
  readonly key: string;
  readonly database: string;
}

/** Where the KEK is found again; the kind that counts stands in `database.key` itself. */
export interface KekPlace {
  /** Path of a key file, absolute. */
  readonly keyFile?: string | undefined;
  /** Name of a systemd credential. */
  readonly credential?: string | undefined;
  /** Path of a PEM file with a private key, absolute. */
  readonly pkiKey?: string | undefined;
  /** URI of a key in a PKCS#11 token. */
  readonly pkcs11?: string | undefined;
  /** Id, ARN or alias of a key in AWS KMS, and where that is. */
  readonly kmsKey?: string | undefined;
  readonly kmsRegion?: string | undefined;
  readonly kmsEndpoint?: string | undefined;
}

/** What `settings.json` says. */
export interface FolderSettings {
  /** False until `init` has gone through to its end. */
  readonly isComplete: boolean;
  readonly kek: KekPlace;
  /** While the KEK is being changed: where the one before is. */
  readonly kekBefore?: KekPlace | undefined;
}

/** What a folder is to a manager. */
export type FolderState = "absent" | "empty" | "unfinished" | "ready" | "foreign";

const OWN_FILES =
  /^(settings\.json|database\.key|manager\.db(-wal|-shm|-journal)?|kek\.key|lock|\.postern-.*\.tmp(-wal|-shm|-journal)?)$/;
/** What may be there before an init: it says nothing about a manager. */
const FREE_FILES = /^(kek\.key|lock|\.postern-.*\.tmp(-wal|-shm|-journal)?)$/;

const said = v.exactOptional(v.pipe(v.string(), v.minLength(1)));
const placeSchema = v.strictObject({
  ...{ keyFile: said, credential: said, pkiKey: said, pkcs11: said, kmsKey: said, kmsRegion: said, kmsEndpoint: said },
});
const settingsSchema = v.strictObject({
  version: v.literal(1),
  complete: v.boolean(),
  kek: placeSchema,
  kekBefore: v.exactOptional(placeSchema),
});

export function folderPaths(folder: string): FolderPaths {
  const at = (name: string): string => join(folder, name);
  return { folder, settings: at("settings.json"), key: at("database.key"), database: at("manager.db") };
}

/** Looks what a folder is. @throws `storage` when it cannot be looked into, or a file has its name */
export async function folderState(folder: string): Promise<FolderState> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "absent";
    throw fromOsError(error, `look into the data folder ${folder}`);
  }
  if (!names.every((name) => OWN_FILES.test(name))) {
    return names.includes("settings.json") && names.includes("database.key") ? await finished(folder) : "foreign";
  }
  if (names.every((name) => FREE_FILES.test(name))) return "empty";
  return await finished(folder);
}

async function finished(folder: string): Promise<FolderState> {
  try {
    return (await readSettings(folder)).isComplete ? "ready" : "unfinished";
  } catch (error) {
    // `init` writes the settings first: without them, this is not what an interrupted init leaves behind.
    if (isPosternError(error, "not_found")) return "foreign";
    throw error;
  }
}

/** @throws `not_found`; `configuration` for anything but settings of this version */
export async function readSettings(folder: string): Promise<FolderSettings> {
  const path = folderPaths(folder).settings;
  const text = new TextDecoder().decode(await readBounded(path, LIMITS.maxSettingsBytes));
  const parsed = v.safeParse(settingsSchema, parseJson(path, text), { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? "the whole";
    throw new PosternError("configuration", `${path} is not as Postern writes it, at '${where}': ${issue.message}`);
  }
  const { complete: isComplete, kek, kekBefore } = parsed.output;
  return { isComplete, kek, ...(kekBefore === undefined ? {} : { kekBefore }) };
}

/** Replaces the settings durably. */
export async function writeSettings(folder: string, settings: FolderSettings): Promise<void> {
  const { isComplete: complete, kek, kekBefore } = settings;
  // What is undefined is left out.
  const text = JSON.stringify({ version: 1, complete, kek, kekBefore }, null, 2);
  await writeFileDurably(folderPaths(folder).settings, utf8(`${text}\n`));
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PosternError("configuration", `${path} is not JSON: restore it from a backup`, { cause });
  }
}
