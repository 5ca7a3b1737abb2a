/** The whole command line: options for all, one registration a group, one place where errors end. */
import { Command, Help, type Option } from "commander";
import { VERSION } from "../../shared/version.ts";
import { binder, type Register, reportFailure, type RunState } from "./command.ts";
import { registerAlarm } from "./commands/alarm.ts";
import { registerBackup } from "./commands/backup.ts";
import { registerCert } from "./commands/cert.ts";
import { registerCompletions } from "./commands/completions.ts";
import { registerDevice } from "./commands/device.ts";
import { registerEdge } from "./commands/edge.ts";
import { registerHead } from "./commands/head.ts";
import { registerInit } from "./commands/init.ts";
import { registerInstance } from "./commands/instance.ts";
import { registerKek } from "./commands/kek.ts";
import { registerKey } from "./commands/key.ts";
import { registerLog } from "./commands/log.ts";
import { registerMessage } from "./commands/message.ts";
import { registerStatus } from "./commands/status.ts";
import { registerSync } from "./commands/sync.ts";
import { registerUpdate } from "./commands/update.ts";
import { registerVerify } from "./commands/verify.ts";
import { EXIT, EXIT_CODES_HELP } from "./exit_codes.ts";
import type { CliSurroundings } from "./surroundings.ts";

/** In the order in which help shows them: as a new owner needs them. */
const GROUPS: readonly Register[] = [
  ...[registerEdge, registerInit, registerDevice, registerCert, registerMessage, registerSync, registerStatus],
  ...[
    registerVerify,
    registerHead,
    registerAlarm,
    registerLog,
    registerBackup,
    registerKey,
    registerKek,
    registerInstance,
    registerUpdate,
  ],
  ...[registerCompletions],
];

const HELP = `
${EXIT_CODES_HELP}

Data folder: --data, or POSTERN_DATA, or $XDG_DATA_HOME/postern, or ~/.local/share/postern.
Answers go to standard output, everything else to standard error; with --json the answer is one JSON value.`;

/** The commands, not yet run. */
export function buildProgram(s: CliSurroundings, state: RunState): Command {
  const program = new Command("postern").version(VERSION, "-V, --version", "display the version");
  program.description(
    "The manager of a Postern store: it keeps the truth, and an untrusted edge holds only its ciphertext.",
  )
    .option("--data <dir>", "the data folder").option("--json", "answer in JSON").option(
      "--debug",
      "show where an error came from",
    )
    .option("--key-file <file>", "the KEK is in this key file")
    .option("--passphrase-file <file>", "the KEK is the passphrase in this file")
    .option("--passphrase-fd <n>", "the KEK is the passphrase that this descriptor gives; 0 for standard input")
    .option("--credential <name>", "the KEK is this systemd credential")
    .option("--pki-key <file>", "the KEK is the private key (RSA or EC) in this PEM file")
    .option("--pki-passphrase-file <file>", "with the passphrase of an encrypted --pki-key")
    .option("--pkcs11 <uri>", "the KEK is this key in a token: pkcs11:token=T;object=LABEL?module-path=LIBRARY")
    .option("--pkcs11-pin-file <file>", "with the PIN of the token")
    .option("--kms-key <id>", "the KEK is this key in AWS KMS (id, ARN or alias)")
    .option("--kms-region <name>", "the region of --kms-key, if AWS_REGION does not name it")
    .option("--kms-endpoint <url>", "another service than the region's own")
    .addHelpText("after", HELP);
  const bind = binder(s, state);
  for (const register of GROUPS) register(program, bind);
  for (const command of everyCommand(program)) {
    command.exitOverride().showHelpAfterError("(--help shows how)").helpCommand(false)
      .configureOutput({ writeOut: s.out, writeErr: s.err })
      .configureHelp({
        ...{ showGlobalOptions: command !== program, sortSubcommands: false },
        visibleGlobalOptions: (of) => globalOptionsOf(of),
      });
  }
  return program;
}

/** The version is displayed by the program alone. */
function globalOptionsOf(command: Command): Option[] {
  const help = new Help();
  help.showGlobalOptions = command.parent !== null;
  return help.visibleGlobalOptions(command).filter(({ long }) => long !== "--version");
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/**
 * Runs one command line.
 *
 * @param args without the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runCli(args: readonly string[], s: CliSurroundings): Promise<number> {
  const state: RunState = { exit: EXIT.ok };
  try {
    const program = buildProgram(s, state);
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync([...args], { from: "user" });
    return state.exit;
  } catch (error) {
    return reportFailure(error, args, s, state.group);
  }
}
