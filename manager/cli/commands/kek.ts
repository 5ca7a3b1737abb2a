/** `postern kek`: what protects the keys of this data folder. */
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { noteEvent } from "../../audit/note.ts";
import { lockDataFolder } from "../../files/lock.ts";
import { changeKek, readStoredKey } from "../../keys/key_store.ts";
import { type KekProvider, KekRegistry } from "../../keys/provider.ts";
import type { WrappedKey } from "../../keys/wrapped_key.ts";
import { folderPaths, type KekPlace, readSettings, writeSettings } from "../../store/folder.ts";
import { DATABASE_KEY_CONTEXT, openManager } from "../../store/open.ts";
import type { Cli } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { candidatesOf, chooseKek, type KekOptions, kekRegistry } from "../secrets/kek_choice.ts";
import type { Output } from "../output.ts";

/** Options for the new KEK, and those of any command that they are the counterpart of. */
const NEW_OPTIONS = {
  ...{ toPassphraseFile: "passphraseFile", toPassphraseFd: "passphraseFd", toKeyFile: "keyFile" },
  ...{ toCredential: "credential", toPki: "pkiKey", toPkiPassphraseFile: "pkiPassphraseFile", toPkcs11: "pkcs11" },
  ...{ toPkcs11PinFile: "pkcs11PinFile", toKms: "kmsKey", toKmsRegion: "kmsRegion", toKmsEndpoint: "kmsEndpoint" },
} as const satisfies Record<string, keyof KekOptions>;

type ChangeOptions = { readonly [K in keyof typeof NEW_OPTIONS]?: string } & { readonly toPassphrase?: boolean };

const NEW_KEKS =
  "--to-passphrase, --to-passphrase-file, --to-key-file, --to-credential, --to-pki, --to-pkcs11 or --to-kms";

const CHANGE_HELP = `
The database's own key stays the same: someone who has an old copy of the data folder and the old KEK can still open that copy.

Examples:
  $ postern kek change --to-passphrase
  $ postern kek change --to-key-file /mnt/usb/kek
  $ postern kek change --to-credential postern-kek      # from within the service's environment
  $ postern kek change --to-pki /etc/postern/kek.pem
  $ postern kek change --to-pkcs11 'pkcs11:token=postern;object=kek?module-path=/usr/lib/softhsm/libsofthsm2.so'
  $ postern kek change --to-kms alias/postern --to-kms-region eu-central-1`;

export const registerKek: Register = (parent, bind: Bind) => {
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
    .option("--to-pki <file>", "a private key (RSA or EC) in PEM")
    .option("--to-pki-passphrase-file <file>", "with the passphrase of that key, if it is encrypted")
    .option("--to-pkcs11 <uri>", "a key in a token; made if it is not there")
    .option("--to-pkcs11-pin-file <file>", "with the PIN of that token")
    .option("--to-kms <id>", "a key in AWS KMS (id, ARN or alias)")
    .option("--to-kms-region <name>", "its region, if AWS_REGION does not name it")
    .option("--to-kms-endpoint <url>", "another service than the region's own")
    .addHelpText("after", CHANGE_HELP).action(bind(change));
};

async function change(cli: Cli, _args: readonly string[], options: ChangeOptions): Promise<Output> {
  const { s, folder } = cli;
  const wanted: KekOptions = Object.fromEntries(
    Object.entries(NEW_OPTIONS).flatMap(([from, to]) => {
      const value = options[from as keyof ChangeOptions];
      return typeof value === "string" ? [[to, value]] : [];
    }),
  );
  const isAsked = options.toPassphrase === true;
  if (isAsked === Object.keys(wanted).length > 0) {
    throw new PosternError("usage", `Name one new KEK: ${NEW_KEKS}`);
  }
  await using _lock = await lockDataFolder(folder, { pid: s.pid, sinceMillis: s.now() });
  const { key: path } = folderPaths(folder);
  const { isComplete, kek, kekBefore } = await readSettings(folder);
  const stored = await readStoredKey(path);
  const places = [kek, ...(kekBefore === undefined ? [] : [kekBefore])];
  const { from, place } = await openStored(cli, stored, places);
  // What the variables name belongs to the old KEK.
  const chosen = await chooseKek(wanted, { ...s, env: (name) => isSecret(name) ? undefined : s.env(name) });
  const to = await chosen.open();
  await note(cli, from, to);
  // Both places are remembered before the change, so that either file can be opened after a crash.
  await writeSettings(folder, { isComplete, kek: chosen.place, kekBefore: place });
  await changeKek({ path, context: DATABASE_KEY_CONTEXT, from, to });
  await writeSettings(folder, { isComplete, kek: chosen.place });
  return {
    json: { from: stored.kind, to: to.kind },
    text: `The database is protected by: ${to.describe()}. Make a new backup; old copies still open by the old KEK.`,
  };
}

/** What is begun is in the audit trail, even if it never ends. */
async function note({ s, folder }: Cli, from: KekProvider, to: KekProvider): Promise<void> {
  const registry = new KekRegistry().register(from.kind, () => Promise.resolve(from));
  const db = await openManager({ folder, kek: () => Promise.resolve(registry) });
  try {
    await db.execute(noteEvent("kek.changed", to.kind, { from: from.kind }, s.now()));
  } finally {
    await db.close();
  }
}

/** The KEK that opens the stored key, and where it is: a change that was cut off leaves two to choose from. */
async function openStored(
  { options, s }: Cli,
  stored: WrappedKey,
  places: readonly KekPlace[],
): Promise<{ readonly from: KekProvider; readonly place: KekPlace }> {
  const candidates = candidatesOf(stored.kind, options, places, s);
  if (candidates.length < 2) {
    const [place = {}] = candidates;
    return { from: await kekRegistry(options, candidates, s).open(stored.kind), place };
  }
  let refused: unknown;
  for (const place of candidates) {
    try {
      const from = await kekRegistry(options, [place], s).open(stored.kind);
      await from.unwrap(stored, DATABASE_KEY_CONTEXT);
      return { from, place };
    } catch (error) {
      if (!isPosternError(error)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

function isSecret(name: string): boolean {
  return /^POSTERN_(PASSPHRASE|PKI_PASSPHRASE|PKCS11_PIN)_FILE$/.test(name);
}
