/** `postern key`: the manager's private keys, what becomes of them, and how they leave it under a passphrase. */
import { resolve } from "node:path";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { noteEvent } from "../../audit/note.ts";
import { createExclusive } from "../../files/durable.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { openExport, sealExport } from "../../instance/export_file.ts";
import { openInstance, revokeMdk, rotateMdk } from "../../instance/instance.ts";
import { exportInstance, importInstance } from "../../instance/transfer.ts";
import { exportPrivateKey, importPrivateKey } from "../../keys/export.ts";
import { passphraseKek } from "../../keys/passphrase.ts";
import { xwingPrivateKeyInfo } from "../../keys/private_key_info.ts";
import { allKeys, type KeyRole, newestKey } from "../../owner/keys.ts";
import { bringRootBack, takeRootAway } from "../../owner/root_apart.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { importedKey, readKeyFile } from "../imported_key.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../read_text.ts";
import { passphraseFrom, type PassphraseSource } from "../secret_input.ts";
import { presentKeys } from "../texts/keys.ts";

interface ExportOptions {
  readonly out: string;
  readonly exportPassphraseFile?: string;
  readonly exportPassphraseFd?: string;
  readonly removeHere?: boolean;
}

interface ImportOptions {
  readonly in: string;
  readonly importPassphraseFile?: string;
  readonly importPassphraseFd?: string;
  readonly replace?: boolean;
}

type PemRole = Exclude<KeyRole, "instance">;

const PEM_ROLES: Readonly<Record<PemRole, string>> = {
  root: "the owner's root key, which certifies devices and signs owner statements",
  manager: "the key that signs heads",
  inbox: "the key that opens what devices hand in",
};

const ROLES = { ...PEM_ROLES, mdk: "the instance: what opens releases, all versions, and what publishers answered" };

const EXPORT_HELP = `
Keys:
${Object.entries(ROLES).map(([role, what]) => `  ${role.padEnd(8)} ${what}`).join("\n")}

The file of root, manager and inbox is encrypted PKCS#8 in PEM; OpenSSL opens the signature keys. That of mdk is Postern's own.
Whoever has a file and its passphrase has the key.

With --remove-here the root key is kept in the file alone, once that was read back: until postern key import no device can be added and
no edge changed. Backups and copies from before still hold it.

Examples:
  $ postern key export root --out root-key.pem
  $ postern key export root --out /mnt/usb/root-key.pem --remove-here
  $ postern key export mdk --out instance.mdk`;

const IMPORT_HELP = `
root: the file is one that postern key export wrote, or PKCS#8 that OpenSSL encrypted; any other key than this owner's root is refused.
mdk: versions and registrations that are not here, or another instance altogether.

Examples:
  $ postern key import root --in /mnt/usb/root-key.pem
  $ postern key import mdk --in instance.mdk`;

const ROTATE_HELP = `
Earlier versions stay: they open what was sealed to them. Publishers seal to the new one once they have your request.

Example:
  $ postern key rotate
  $ postern instance request --out request.txt      # and hand it in`;

const REVOKE_HELP = `
A revoked version is not offered to publishers, and opens nothing that was released afterwards; what was released before still opens.

Example:
  $ postern key rotate && postern key revoke 1`;

export const registerKey: Register = (parent, bind: Bind) => {
  const key = parent.command("key").summary("list, rotate, export and import keys").description(
    "The manager's private keys.",
  );
  key.command("list").summary("show every key and version").description("Shows the public side of every key.")
    .addHelpText("after", "\nExample:\n  $ postern key list").action(bind(list));
  key.command("export <key>").summary("write a private key into an encrypted file").description(
    "Writes a private key into a new file, encrypted under a passphrase of its own.",
  )
    .requiredOption("--out <file>", "the new file")
    .option("--export-passphrase-file <file>", "with the passphrase for the exported key")
    .option("--export-passphrase-fd <n>", "descriptor to read that passphrase from")
    .option("--remove-here", "keep the root key in that file alone")
    .addHelpText("after", EXPORT_HELP).action(bind(exportKey));
  key.command("import <key>").summary("take in what export wrote: root or mdk").description(
    "Brings back the owner's root key that is kept elsewhere, or takes in an exported mdk.",
  )
    .requiredOption("--in <file>", "the file with the key")
    .option("--import-passphrase-file <file>", "with the passphrase of that file")
    .option("--import-passphrase-fd <n>", "descriptor to read that passphrase from")
    .option("--replace", "mdk: give up the instance that this manager is, although publishers know it")
    .addHelpText("after", IMPORT_HELP).action(bind(importKey));
  key.command("rotate").summary("make the next version of the mdk").description(
    "Makes the next version of the key that opens releases (MDK).",
  )
    .addHelpText("after", ROTATE_HELP).action(bind(rotate));
  key.command("revoke <version>").summary("revoke a version of the mdk").description(
    "Revokes a version of the key that opens releases (MDK).",
  )
    .addHelpText("after", REVOKE_HELP).action(bind(revoke));
};

async function list(cli: Cli): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const instance = await openInstance(db, s.now(), s.random);
    return presentKeys(await allKeys(db), instance);
  });
}

async function exportKey(cli: Cli, [role = ""]: readonly string[], options: ExportOptions): Promise<Output> {
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

async function importKey(cli: Cli, [role = ""]: readonly string[], options: ImportOptions): Promise<Output> {
  switch (role) {
    case "root":
      return await importRoot(cli, options);
    case "mdk":
      return await importMdk(cli, options);
    default:
      throw new PosternError("usage", `There are the keys root and mdk to be imported; found '${role}'`);
  }
}

const INSTEAD = "give it with --import-passphrase-file FILE";

function importSource(options: ImportOptions): PassphraseSource {
  return { file: options.importPassphraseFile, fd: options.importPassphraseFd };
}

async function importRoot(cli: Cli, options: ImportOptions): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const imported = await importedKey(options.in, importSource(options), INSTEAD, s);
    const isNew = await bringRootBack(db, imported, s.now());
    return {
      json: { role: "root", isNew, publicKeySha256: toHex(sha256(imported.publicKey)) },
      text: isNew ? "The root key is here again." : "The root key was here already; nothing has changed.",
    };
  });
}

async function importMdk(cli: Cli, options: ImportOptions): Promise<Output> {
  const { s } = cli;
  const bytes = await readBounded(resolve(s.cwd, options.in), LIMITS.maxMdkExportBytes);
  return await withManager(cli, async (db) => {
    const passphrase = await passphraseFrom(importSource(options), s) ??
      await s.ask.passphrase("The passphrase of the export", INSTEAD);
    const exported = await openExport(bytes, passphraseKek(passphrase, s.random));
    const taken = await importInstance(db, exported, { replace: options.replace === true }, s.now(), s.random);
    const { outcome, versions, products } = taken;
    const what = `MDK version ${versions.join(", ")}${products.length === 0 ? "" : ` and ${products.join(", ")}`}`;
    return {
      json: { outcome, versions, products },
      text: outcome === "merged" ? `Taken in: ${what}.` : `This manager is the exported instance now: ${what}.`,
    };
  });
}

async function rotate(cli: Cli): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const { version } = await rotateMdk(db, s.now(), s.random);
    return {
      json: { role: "mdk", version },
      text:
        `The MDK has version ${version} now. Earlier ones open what was sealed to them. Give every publisher a new ` +
        "request: postern instance request",
    };
  });
}

async function revoke(cli: Cli, [text = ""]: readonly string[]): Promise<Output> {
  const { s } = cli;
  const version = wholeNumber(text, "The version", { min: 1, max: LIMITS.maxMdkVersions });
  return await withManager(cli, async (db) => {
    const { revoked } = await revokeMdk(db, version, s.now(), s.random);
    return {
      json: { role: "mdk", version, revoked },
      text: `Version ${version} of the MDK is revoked: it opens nothing that was released after this.`,
    };
  });
}
