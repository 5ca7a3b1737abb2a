/** `postern key export`: a private key in an encrypted file. */
import { resolve } from "node:path";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { noteEvent } from "../../audit/note.ts";
import { createExclusive } from "../../files/durable.ts";
import { sealExport } from "../../instance/export_file.ts";
import { exportInstance } from "../../instance/transfer.ts";
import { exportPrivateKey, importPrivateKey } from "../../keys/export.ts";
import { passphraseKek } from "../../keys/passphrase.ts";
import { xwingPrivateKeyInfo } from "../../keys/private_key_info.ts";
import { type KeyRole, newestKey } from "../../owner/keys.ts";
import { takeRootAway } from "../../owner/root_apart.ts";
import { type Cli, withManager } from "../cli.ts";
import { readKeyFile } from "../secrets/imported_key.ts";
import type { Output } from "../output.ts";
import { passphraseFrom } from "../secrets/secret_input.ts";

interface ExportOptions {
  readonly out: string;
  readonly exportPassphraseFile?: string;
  readonly exportPassphraseFd?: string;
  readonly removeHere?: boolean;
}

type PemRole = Exclude<KeyRole, "instance">;

const PEM_ROLES: Readonly<Record<PemRole, string>> = {
  root: "the owner's root key, which certifies devices and signs owner statements",
  manager: "the key that signs heads",
  inbox: "the key that opens what devices hand in",
};

/** The keys that can be exported, and what each is for. */
export const ROLES = {
  ...PEM_ROLES,
  mdk: "the instance: what opens releases, all versions, and what publishers answered",
};

/** `postern key export`. */
export async function exportKey(cli: Cli, [role = ""]: readonly string[], options: ExportOptions): Promise<Output> {
  const known = Object.keys(ROLES);
  const wanted = known.find((one) => one === role) as keyof typeof ROLES | undefined;
  if (wanted === undefined) throw new PosternError("usage", `There are the keys ${known.join(", ")}; found '${role}'`);
  if (options.removeHere === true && wanted !== "root") {
    throw new PosternError("usage", "Only the root key can be kept elsewhere");
  }
  const out = resolve(cli.s.cwd, options.out);
  return await withManager(
    cli,
    (db) => wanted === "mdk" ? exportMdk(cli, db, out, options) : exportPem(cli, db, wanted, out, options),
  );
}

async function exportPem(
  { s }: Cli,
  db: Database,
  role: PemRole,
  out: string,
  options: ExportOptions,
): Promise<Output> {
  const row = await newestKey(db, role);
  if (row.private_key === null) throw new PosternError("configuration", `The private ${role} key is kept elsewhere`);
  const passphrase = await newPassphrase(s, options);
  const info = new Redacted(role === "inbox" ? xwingPrivateKeyInfo(row.private_key) : row.private_key);
  await db.execute(noteEvent("key.exported", role, { version: row.version }, s.now()));
  await createExclusive(out, utf8(await exportPrivateKey(info, passphrase, s.random)));
  const removedHere = options.removeHere === true;
  if (removedHere) await takeRootAway(db, await importPrivateKey(await readKeyFile(out), passphrase), s.now());
  const alone = removedHere ? " It is no longer here: bring it back with postern key import root." : "";
  return {
    json: { role, version: row.version, file: out, publicKeySha256: toHex(sha256(row.public_key)), removedHere },
    text: `The ${role} key is in ${out}, encrypted. Keep it apart from its passphrase.${alone}`,
  };
}

async function exportMdk({ s }: Cli, db: Database, out: string, options: ExportOptions): Promise<Output> {
  const exported = await exportInstance(db, s.now(), s.random);
  const kek = passphraseKek(await newPassphrase(s, options), s.random);
  await db.execute(noteEvent("key.exported", "mdk", { versions: exported.mdks.length }, s.now()));
  await createExclusive(out, await sealExport(exported, kek, s.random));
  const versions = exported.mdks.map(({ version }) => version);
  const products = exported.registrations.map(({ product }) => product);
  return {
    json: { role: "mdk", file: out, versions, products },
    text: `The instance is in ${out}, encrypted: MDK version ${versions.join(", ")}` +
      `${products.length === 0 ? "" : `, registered for ${products.join(", ")}`}. Keep it apart from its passphrase.`,
  };
}

async function newPassphrase(s: Cli["s"], options: ExportOptions): Promise<Redacted<string>> {
  return await passphraseFrom({ file: options.exportPassphraseFile, fd: options.exportPassphraseFd }, s) ??
    await s.ask.newPassphrase("A passphrase for the exported key", "give it with --export-passphrase-file FILE");
}
