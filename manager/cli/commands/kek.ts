/** `postern kek`: what protects the keys of this data folder. */
import { PosternError } from "../../../shared/errors.ts";
import { lockDataFolder } from "../../files/lock.ts";
import { changeKek, readStoredKey } from "../../keys/key_store.ts";
import { folderPaths, readSettings, writeSettings } from "../../store/folder.ts";
import { DATABASE_KEY_CONTEXT } from "../../store/open.ts";
import { type Cli, kekOf } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { chooseKek, type KekOptions } from "../kek_choice.ts";
import type { Output } from "../output.ts";

interface ChangeOptions {
  readonly toPassphrase?: boolean;
  readonly toPassphraseFile?: string;
  readonly toPassphraseFd?: string;
  readonly toKeyFile?: string;
  readonly toCredential?: string;
}

const CHANGE_HELP = `
The key of the database itself stays: whoever has an old copy of the data folder and the old KEK can still open that copy.

Examples:
  $ postern kek change --to-passphrase
  $ postern kek change --to-key-file /mnt/usb/kek
  $ postern kek change --to-credential postern-kek      # from within the service's environment`;

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
    .addHelpText("after", CHANGE_HELP).action(bind(change));
};

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
