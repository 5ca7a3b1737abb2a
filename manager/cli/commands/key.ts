/** `postern key` and `postern kek`: private keys out, and the root's back, under a passphrase; and what protects them here. */
import { resolve } from "node:path";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { PosternError } from "../../../shared/errors.ts";
import { createExclusive } from "../../files/durable.ts";
import { lockDataFolder } from "../../files/lock.ts";
import { exportPrivateKey, importPrivateKey } from "../../keys/export.ts";
import { changeKek, readStoredKey } from "../../keys/key_store.ts";
import { xwingPrivateKeyInfo } from "../../keys/private_key_info.ts";
import { type KeyRole, newestKey } from "../../owner/keys.ts";
import { bringRootBack, takeRootAway } from "../../owner/root_apart.ts";
import { folderPaths, readSettings, writeSettings } from "../../store/folder.ts";
import { DATABASE_KEY_CONTEXT } from "../../store/open.ts";
import { type Cli, kekOf, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { chooseKek, type KekOptions } from "../kek_choice.ts";
import { importedKey, readKeyFile } from "../imported_key.ts";
import type { Output } from "../output.ts";
import { passphraseFrom } from "../secret_input.ts";

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
}

interface ChangeOptions {
  readonly toPassphrase?: boolean;
  readonly toPassphraseFile?: string;
  readonly toPassphraseFd?: string;
  readonly toKeyFile?: string;
  readonly toCredential?: string;
}

const ROLES: Readonly<Record<KeyRole, string>> = {
  root: "the owner's root key, which certifies devices and signs owner statements",
  manager: "the key that signs heads",
  inbox: "the key that opens what devices hand in",
};

const EXPORT_HELP = `
Roles:
${Object.entries(ROLES).map(([role, what]) => `  ${role.padEnd(8)} ${what}`).join("\n")}

The file is encrypted PKCS#8 in PEM; OpenSSL opens the signature keys. Whoever has it and its passphrase has the key.

With --remove-here the root key is kept in the file alone, once that was read back: until postern key import no device can be added and
no edge changed. Backups and copies from before still hold it.

Examples:
  $ postern key export root --out root-key.pem
  $ postern key export root --out /mnt/usb/root-key.pem --remove-here`;

const IMPORT_HELP = `
The file is one that postern key export wrote, or PKCS#8 that OpenSSL encrypted. Any other key than this owner's root is refused.

Example:
  $ postern key import root --in /mnt/usb/root-key.pem`;

const CHANGE_HELP = `
The key of the database itself stays: whoever has an old copy of the data folder and the old KEK can still open that copy.

Examples:
  $ postern kek change --to-passphrase
  $ postern kek change --to-key-file /mnt/usb/kek
  $ postern kek change --to-credential postern-kek      # from within the service's environment`;

export const registerKey: Register = (parent, bind: Bind) => {
  const key = parent.command("key").summary("take a private key out, or the root's back in").description(
    "The manager's private keys.",
  );
  key.command("export <role>").summary("write a private key into an encrypted file").description(
    "Writes a private key into a new file, encrypted under a passphrase of its own.",
  )
    .requiredOption("--out <file>", "the new file")
    .option("--export-passphrase-file <file>", "with the passphrase for the exported key")
    .option("--export-passphrase-fd <n>", "descriptor to read that passphrase from")
    .option("--remove-here", "keep the root key in that file alone")
    .addHelpText("after", EXPORT_HELP).action(bind(exportKey));
  key.command("import <role>").summary("bring back the root key that is kept elsewhere").description(
    "Brings the owner's root key back from an encrypted file.",
  )
    .requiredOption("--in <file>", "the file with the key")
    .option("--import-passphrase-file <file>", "with the passphrase of that file")
    .option("--import-passphrase-fd <n>", "descriptor to read that passphrase from")
    .addHelpText("after", IMPORT_HELP).action(bind(importKey));
  const kek = parent.command("kek").summary("change what protects the keys here").description(
    "The key encryption key (KEK) of this data folder.",
  );
  kek.command("change").summary("protect the database by another KEK").description(
    "Protects the database's key by another KEK from now on.",
  )
    .option("--to-passphrase", "ask for the new passphrase").option(
      "--to-passphrase-file <file>",
      "with the new passphrase",
    )
    .option("--to-passphrase-fd <n>", "descriptor to read the new passphrase from")
    .option("--to-key-file <file>", "a key file; made if it is not there")
    .option("--to-credential <name>", "a systemd credential")
    .addHelpText("after", CHANGE_HELP).action(bind(change));
};

async function exportKey(cli: Cli, [role = ""]: readonly string[], options: ExportOptions): Promise<Output> {
  const { s } = cli;
  const known = Object.keys(ROLES) as KeyRole[];
  const wanted = known.find((one) => one === role);
  if (wanted === undefined) throw new PosternError("usage", `There are the keys ${known.join(", ")}; found '${role}'`);
  const isRemoved = options.removeHere === true;
  if (isRemoved && wanted !== "root") throw new PosternError("usage", "Only the root key can be kept elsewhere");
  const out = resolve(s.cwd, options.out);
  return await withManager(cli, async (db) => {
    const row = await newestKey(db, wanted);
    if (row.private_key === null) {
      throw new PosternError("configuration", `The private ${wanted} key is kept elsewhere`);
    }
    const source = { file: options.exportPassphraseFile, fd: options.exportPassphraseFd };
    const passphrase = await passphraseFrom(source, s) ??
      await s.ask.newPassphrase("A passphrase for the exported key", "give it with --export-passphrase-file FILE");
    const info = new Redacted(wanted === "inbox" ? xwingPrivateKeyInfo(row.private_key) : row.private_key);
    await createExclusive(out, utf8(await exportPrivateKey(info, passphrase, s.random)));
    if (isRemoved) await takeRootAway(db, await importPrivateKey(await readKeyFile(out), passphrase));
    const publicKey = toHex(sha256(row.public_key));
    const alone = isRemoved ? " It is no longer here: bring it back with postern key import root." : "";
    return {
      json: { role: wanted, version: row.version, file: out, publicKeySha256: publicKey, removedHere: isRemoved },
      text: `The ${wanted} key is in ${out}, encrypted. Keep it apart from its passphrase.${alone}`,
    };
  });
}

async function importKey(cli: Cli, [role = ""]: readonly string[], options: ImportOptions): Promise<Output> {
  const { s } = cli;
  if (role !== "root") throw new PosternError("usage", `Only the root key can be kept elsewhere; found '${role}'`);
  return await withManager(cli, async (db) => {
    const source = { file: options.importPassphraseFile, fd: options.importPassphraseFd };
    const imported = await importedKey(options.in, source, "give it with --import-passphrase-file FILE", s);
    const isNew = await bringRootBack(db, imported);
    return {
      json: { role, isNew, publicKeySha256: toHex(sha256(imported.publicKey)) },
      text: isNew ? "The root key is here again." : "The root key was here already; nothing has changed.",
    };
  });
}

async function change(cli: Cli, _args: readonly string[], options: ChangeOptions): Promise<Output> {
  const { s, folder } = cli;
  const wanted: KekOptions = {
    ...(options.toKeyFile === undefined ? {} : { keyFile: options.toKeyFile }),
    ...(options.toCredential === undefined ? {} : { credential: options.toCredential }),
    ...(options.toPassphraseFile === undefined ? {} : { passphraseFile: options.toPassphraseFile }),
    ...(options.toPassphraseFd === undefined ? {} : { passphraseFd: options.toPassphraseFd }),
  };
  const isAsked = options.toPassphrase === true;
  if (isAsked === Object.keys(wanted).length > 0) {
    throw new PosternError(
      "usage",
      "Name one new KEK: --to-passphrase, --to-passphrase-file, --to-key-file or --to-credential",
    );
  }
  await using _lock = await lockDataFolder(folder, { pid: s.pid, sinceMillis: s.now() });
  const { key: path } = folderPaths(folder);
  const settings = await readSettings(folder);
  const stored = await readStoredKey(path);
  const from = await (await kekOf(cli)).open(stored.kind);
  // What the variable names is the old passphrase.
  const chosen = await chooseKek(wanted, { ...s, env: (name) => isPassphrase(name) ? undefined : s.env(name) });
  const to = await chosen.open();
  // Both places are remembered before the change, so that either file can be opened after a crash.
  await writeSettings(folder, { ...settings, kek: { ...settings.kek, ...chosen.place } });
  await changeKek({ path, context: DATABASE_KEY_CONTEXT, from, to });
  await writeSettings(folder, { ...settings, kek: chosen.place });
  return {
    json: { from: stored.kind, to: to.kind },
    text: `The database is protected by: ${to.describe()}. Make a new backup; old copies still open by the old KEK.`,
  };
}

function isPassphrase(name: string): boolean {
  return name === "POSTERN_PASSPHRASE_FILE";
}
