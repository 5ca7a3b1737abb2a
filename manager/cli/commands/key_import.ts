/** `postern key import`: a private key out of an encrypted file. */
import { resolve } from "node:path";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { openExport } from "../../instance/export_file.ts";
import { importInstance } from "../../instance/transfer.ts";
import { passphraseKek } from "../../keys/passphrase.ts";
import { bringRootBack } from "../../owner/root_apart.ts";
import { type Cli, withManager } from "../cli.ts";
import { importedKey } from "../secrets/imported_key.ts";
import type { Output } from "../output.ts";
import { passphraseFrom, type PassphraseSource } from "../secrets/secret_input.ts";

interface ImportOptions {
  readonly in: string;
  readonly importPassphraseFile?: string;
  readonly importPassphraseFd?: string;
  readonly replace?: boolean;
}

/** `postern key import`. */
export async function importKey(cli: Cli, [role = ""]: readonly string[], options: ImportOptions): Promise<Output> {
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
