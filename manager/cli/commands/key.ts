/** `postern key`: the manager's private keys, and what becomes of them. */
import { LIMITS } from "../../../shared/limits.ts";
import { openInstance, revokeMdk, rotateMdk } from "../../instance/instance.ts";
import { allKeys } from "../../owner/keys.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../read_text.ts";
import { presentKeys } from "../texts/keys.ts";
import { exportKey, ROLES } from "./key_export.ts";
import { importKey } from "./key_import.ts";

const EXPORT_HELP = `
Keys:
${Object.entries(ROLES).map(([role, what]) => `  ${role.padEnd(8)} ${what}`).join("\n")}

The files of root, manager and inbox are encrypted PKCS#8 in PEM; OpenSSL opens the signature keys. The file of mdk has a format of
Postern's own. Someone who has a file and its passphrase has the key.

With --remove-here, the file becomes the only place of the root key, once it has been read back. Until postern key import, you cannot
add a device or change edges. Earlier backups and copies still contain the key.

Examples:
  $ postern key export root --out root-key.pem
  $ postern key export root --out /mnt/usb/root-key.pem --remove-here
  $ postern key export mdk --out instance.mdk`;

const IMPORT_HELP = `
root: a file that postern key export wrote, or PKCS#8 that OpenSSL encrypted. Only this owner's root key is taken in.
mdk: adds versions and registrations that are missing here, or takes over another instance altogether.

Examples:
  $ postern key import root --in /mnt/usb/root-key.pem
  $ postern key import mdk --in instance.mdk`;

const ROTATE_HELP = `
Earlier versions stay, because they open what was sealed for them. Publishers seal for the new one once they have your request.

Example:
  $ postern key rotate
  $ postern instance request --out request.txt      # and hand it in`;

const REVOKE_HELP = `
A revoked version is no longer offered to publishers. It still opens what was released before, and nothing that is released later.

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
