/** `postern backup`: the manager in one encrypted file, and out of it again. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { backupManager } from "../../backup/backup_manager.ts";
import { inspectBackup } from "../../backup/inspect.ts";
import type { Candidate, Judgement } from "../../backup/judge.ts";
import { lossText } from "../../backup/loss_text.ts";
import { restoreManager, type RestoreOptions } from "../../backup/restore.ts";
import { plain } from "../../text/layout.ts";
import { moment } from "../../text/moments.ts";
import { backupSecret, namedPassphrase, namedRecoveryKey, type SecretOptions } from "../secrets/backup_secret.ts";
import { type Cli, kekOf } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { chooseKek } from "../secrets/kek_choice.ts";
import { importedKey } from "../secrets/imported_key.ts";
import type { Output } from "../output.ts";
import { candidatesText, presentBackup, presentRestored } from "../texts/backup.ts";

interface CreateOptions {
  readonly force?: boolean;
  /** False for `--no-recovery`. */
  readonly recovery: boolean;
  readonly backupPassphrase?: boolean;
  readonly backupPassphraseFile?: string;
  readonly backupPassphraseFd?: string;
}

interface RestoreCommandOptions extends SecretOptions {
  readonly devices?: string;
  readonly offline?: boolean;
  readonly head?: readonly string[];
  readonly acceptLoss?: boolean;
  readonly rootKey?: string;
  readonly rootPassphraseFile?: string;
  readonly rootPassphraseFd?: string;
}

const CREATE_HELP = `
The recovery key opens the backup, so making one needs no secret. A passphrase opens it as well, if you give one. The service can
keep running. The file is read back in full before it gets its name, and an existing file of that name is kept.

Anyone who can open the backup can act as the owner: keep it apart from the recovery key.

Examples:
  $ postern backup create /mnt/usb/postern-$(date +%F).backup
  $ postern backup create postern.backup --backup-passphrase       # asked for, twice
  0 4 * * *  postern backup create /mnt/nas/postern.backup --force --key-file ~/.postern-kek   # cron`;

const VERIFY_HELP = `
Needs no manager, only the file and whatever opens it.

Examples:
  $ postern backup verify postern.backup --recovery-file recovery.txt
  $ postern backup verify postern.backup --backup-passphrase-file pass --json`;

const RESTORE_HELP = `
Restores into an empty data folder, under a KEK that you choose as for postern init. It asks the edge for its newest head, to say
what was lost and, with the recovery key, which devices were revoked or paired since. You decide which devices to keep. They need not
be paired again, but each asks once whether the manager was restored. Mail that waits to be sent is held until postern message release.

An edge that lies can show a restore an older state than it has. Your devices know better: an app shows the newest head that it saw as
a text (postern-head:...) or a code (1234:XXXX-XXXX-XXXX-XXXX), even if the edge no longer answers. Pass those of as many devices as
you have at hand. If one of them saw more than the edge shows, nothing is restored until you say that the rest is lost, and no number
that it saw is used again.

Stop whatever is left of the old manager first: after the restored manager's first turn, the edge no longer lets the old one in.

Examples:
  $ postern backup restore postern.backup --data /var/lib/postern --recovery-file recovery.txt --key-file /etc/postern/kek
  $ postern backup restore postern.backup --data new --recovery-file recovery.txt --head postern-head:g2x... --head 1234:8RZT-0K3M-Q2VN-51XC
  $ postern backup restore postern.backup --data new --backup-passphrase-file pass --devices phone,laptop --passphrase-file kek
  $ postern backup restore postern.backup --data new --recovery-file recovery.txt --devices all --offline   # no edge is left`;

export const registerBackup: Register = (parent, bind: Bind) => {
  const group = parent.command("backup").summary("back up, check a backup, restore").description(
    "The manager in one encrypted file.",
  );
  group.command("create <file>").summary("make a backup").description(
    "Writes everything that the manager keeps into one encrypted file, and reads it back.",
  )
    .option("--force", "replace a file of this name")
    .option("--no-recovery", "only the passphrase opens it, not the recovery key")
    .option("--backup-passphrase", "ask for a passphrase that opens it as well")
    .option("--backup-passphrase-file <file>", "with that passphrase")
    .option("--backup-passphrase-fd <n>", "descriptor to read that passphrase from")
    .addHelpText("after", CREATE_HELP).action(bind(create));
  opened(
    group.command("verify <file>").summary("check a backup and say what it holds").description(
      "Checks every byte of a backup and says what it holds and how old it is.",
    ),
  ).addHelpText("after", VERIFY_HELP).action(bind(verify));
  opened(
    group.command("restore <file>").summary("make a manager out of a backup").description(
      "Makes a manager out of a backup, in an empty data folder.",
    )
      .option("--devices <who>", "which to keep: all, none, or names and ids separated by commas")
      .option("--offline", "there is no edge to ask")
      .option("--head <head>", "newest head that a device saw, text or code; for each device", anotherOne)
      .option("--accept-loss", "go on without what a device saw and the edge does not show")
      .option("--root-key <file>", "with the root key, as key export wrote it, if the backup does not hold it")
      .option("--root-passphrase-file <file>", "with the passphrase of that file")
      .option("--root-passphrase-fd <n>", "descriptor to read that passphrase from"),
  ).addHelpText("after", RESTORE_HELP).action(bind(restore));
};

/** An option that may be given more than once. */
function anotherOne(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** What opens a backup. */
function opened(command: Command): Command {
  return command
    .option("--recovery-file <file>", "with the recovery key, as init wrote it")
    .option("--backup-passphrase-file <file>", "with the backup's passphrase")
    .option("--backup-passphrase-fd <n>", "descriptor to read that passphrase from");
}

async function create(cli: Cli, [name = ""]: readonly string[], options: CreateOptions): Promise<Output> {
  const { s, folder } = cli;
  const file = resolve(s.cwd, name);
  const passphrase = await namedPassphrase(options, s) ??
    (options.backupPassphrase === true
      ? await s.ask.newPassphrase("A passphrase for the backup", "give it with --backup-passphrase-file FILE")
      : null);
  if (!options.recovery && passphrase === null) {
    throw new PosternError("usage", "Without the recovery key the backup needs a passphrase: --backup-passphrase");
  }
  const steps = { write: cli.progress("Writing"), "read back": cli.progress("Reading back") };
  try {
    const created = await backupManager({
      ...{ folder, kek: () => kekOf(cli), file, overwrite: options.force === true },
      recipients: { passphrase, isForRecovery: options.recovery },
      onProgress: (step, done, total) => {
        if (step === "read back") steps.write.end();
        steps[step].update(done, total);
      },
      ...{ pid: s.pid, network: s.network, lockWaitMillis: LIMITS.lockWaitMillis },
    }, s.random);
    const recipients = [
      ...(options.recovery ? ["recovery" as const] : []),
      ...(passphrase === null ? [] : ["passphrase" as const]),
    ];
    return presentBackup({ ...created, recipients }, file, s.now(), "Written and read back.");
  } finally {
    steps.write.end();
    steps["read back"].end();
  }
}

async function verify(cli: Cli, [name = ""]: readonly string[], options: SecretOptions): Promise<Output> {
  const { s } = cli;
  const file = resolve(s.cwd, name);
  const recovery = await namedRecoveryKey(options, s);
  const progress = cli.progress("Reading");
  try {
    const found = await inspectBackup(
      file,
      (header) => backupSecret(header, recovery, options, s),
      s.random,
      (done, total) => progress.update(done, total),
    );
    return presentBackup(found, file, s.now(), "Every byte is as it was written.");
  } finally {
    progress.end();
  }
}

async function restore(cli: Cli, [name = ""]: readonly string[], options: RestoreCommandOptions): Promise<Output> {
  const { s, folder } = cli;
  const heads = (options.head ?? []).map(parseOtherHead);
  const recovery = await namedRecoveryKey(options, s);
  const kek = await chooseKek(cli.options, s);
  const progress = cli.progress("Reading");
  try {
    const restored = await restoreManager(
      {
        ...{ folder, kek: kek.open, kekPlace: kek.place, holder: { pid: s.pid, sinceMillis: s.now() } },
        file: resolve(s.cwd, name),
        secret: (header) => backupSecret(header, recovery, options, s),
        recoverySeed: recovery,
        root: rootOf(options, s),
        network: options.offline === true ? null : s.network,
        ...{ heads, isLossAccepted: options.acceptLoss === true },
        confirm: async (judgement, contents) => {
          progress.end();
          cli.say(`${plain(lossText(judgement, contents, null))}\n\n${candidatesText(judgement.candidates)}\n`);
          return await chosenDevices(cli, judgement, options.devices);
        },
        onProgress: (done, total) => progress.update(done, total),
      },
      s.now(),
      s.random,
    );
    return presentRestored(restored, folder, plain(lossText(restored, restored.contents, restored.caughtUp)), s.now());
  } finally {
    progress.end();
  }
}

/** Where the root key comes from, if the backup does not hold it. */
function rootOf(
  { rootKey, rootPassphraseFile: file, rootPassphraseFd: fd }: RestoreCommandOptions,
  s: Cli["s"],
): RestoreOptions["root"] {
  if (rootKey === undefined) return null;
  return () => importedKey(rootKey, { file, fd }, "give it with --root-passphrase-file FILE", s);
}

/** The owner's word, from the option or asked for one by one. */
async function chosenDevices(
  { s }: Cli,
  { candidates }: Judgement,
  who: string | undefined,
): Promise<readonly Candidate[]> {
  const possible = candidates.filter(({ atEdge }) => atEdge !== "gone");
  if (who === "all") return possible;
  if (who === "none") return [];
  if (who !== undefined) return [...new Set(who.split(",").map((one) => candidateNamed(candidates, one.trim())))];
  const chosen: Candidate[] = [];
  for (const one of possible) {
    const question = `Shall '${plain(one.name)}', added ${moment(one.added)}, go on?`;
    if (await s.ask.confirm(question, "say who goes on: --devices all, none, or NAME,NAME")) chosen.push(one);
  }
  return chosen;
}

function candidateNamed(candidates: readonly Candidate[], text: string): Candidate {
  const byName = candidates.filter(({ name }) => name === text);
  const isId = /^[0-9a-f]{4,32}$/i.test(text);
  const found = byName.length > 0 || !isId
    ? byName
    : candidates.filter(({ id }) => toHex(id).startsWith(text.toLowerCase()));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const what = found.length === 0 ? "There is no device" : "There are several devices";
  throw new PosternError("usage", `${what} '${text}' to go on; the list stands above`);
}
