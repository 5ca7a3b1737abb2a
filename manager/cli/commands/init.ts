/** `postern init`: makes the owner, the keys and the database. */
import { resolve } from "node:path";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { type Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { PosternError } from "../../../shared/errors.ts";
import { requireOrigin } from "../../../shared/protocol/origin.ts";
import type { EdgeName } from "../../../shared/protocol/statement.ts";
import { createExclusive } from "../../files/durable.ts";
import { createManager } from "../../store/create.ts";
import type { Cli } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { chooseKek } from "../secrets/kek_choice.ts";
import { parseDuration } from "../../text/moments.ts";
import type { Output } from "../output.ts";
import { pairs } from "../../text/layout.ts";
import { readEdgeKey } from "../texts/edge_key.ts";
import { writeRecoveryKey } from "../texts/recovery_key.ts";

interface InitOptions {
  readonly edgeUrl: string;
  readonly edgeKey: string;
  readonly rootAlgorithm: string;
  readonly interval: string;
  readonly recoveryFile?: string;
}

const ROOT_ALGORITHMS = { ed25519: "Ed25519", p256: "ES256", p384: "ES384" } as const;
/** Below, pushes would follow each other without end; above, an edge that withholds is noticed too late. */
export const INTERVAL_BOUNDS = { min: 10_000, max: 86_400_000 } as const;

const HELP = `
Examples:
  $ postern edge keygen                       # first: the edge's key
  $ postern init --edge-url https://edge.example/postern --edge-key postern-edge:... --recovery-file recovery.txt
  $ postern init ... --key-file /mnt/usb/kek  # starts unattended; made if it is not there
  $ postern init ... --passphrase-file pass   # asked for without any of these

The recovery key opens each epoch's key, and every backup, if this machine is lost. It is shown or written once and not kept here: put
it on paper, away from this machine.`;

export const registerInit: Register = (parent, bind: Bind) => {
  parent.command("init").summary("make an owner, its keys and the manager's database")
    .description(
      "Makes an owner with a root certificate, the manager's keys and its encrypted database in the data folder.",
    )
    .requiredOption("--edge-url <url>", "where devices reach the edge, for example https://edge.example/postern")
    .requiredOption("--edge-key <key>", "the edge's public key, as postern edge keygen prints it")
    .option("--root-algorithm <name>", `of the root's key: ${Object.keys(ROOT_ALGORITHMS).join(", ")}`, "ed25519")
    .option("--interval <duration>", "between two pushes, such as 5m", "5m")
    .option("--recovery-file <file>", "write the recovery key into this new file instead of showing it")
    .addHelpText("after", HELP)
    .action(bind(init));
};

async function init(cli: Cli, _args: readonly string[], options: InitOptions): Promise<Output> {
  const { s, folder } = cli;
  const edge = edgeOf(options);
  const rootAlgorithm = rootAlgorithmOf(options.rootAlgorithm);
  const intervalMillis = parseDuration(options.interval, "--interval", INTERVAL_BOUNDS);
  const recoveryFile = options.recoveryFile === undefined ? null : resolve(s.cwd, options.recoveryFile);
  if (recoveryFile === null && (!s.isTerminal.err || cli.options.json === true)) {
    throw new PosternError(
      "usage",
      "Nobody would see the recovery key: give --recovery-file FILE, and move it away then",
    );
  }
  const kek = await chooseKek(cli.options, s);
  const created = await createManager(
    {
      folder,
      kek: kek.open,
      kekPlace: kek.place,
      owner: { edge, rootAlgorithm, intervalMillis },
      holder: { pid: s.pid, sinceMillis: s.now() },
      keepRecoveryKey: (seed, owner) => keepRecoveryKey(cli, recoveryFile, seed, owner),
    },
    s.now(),
    s.random,
  );
  const owner = toHex(created.owner);
  return {
    json: { owner, folder, edge: edge.origin, recoveryFile },
    text: [
      pairs([["owner", owner], ["data folder", folder], ["edge", edge.origin], ["recovery key", recoveryFile]]),
      "",
      "Next: set POSTERN_OWNERS at the edge to this owner id, then: postern doctor, postern sync",
    ].join("\n"),
  };
}

async function keepRecoveryKey(cli: Cli, file: string | null, seed: Redacted<Bytes>, owner: Bytes): Promise<void> {
  const text = writeRecoveryKey(reveal(seed));
  if (file === null) {
    cli.say(`Write this recovery key down and keep it away from this machine; it is not shown again:\n\n  ${text}\n`);
    return;
  }
  const lines = [`Recovery key of the Postern owner ${toHex(owner)}`, text, "Keep it away from the manager's machine."];
  await createExclusive(file, utf8(`${lines.join("\n")}\n`));
}

function edgeOf({ edgeUrl, edgeKey }: InitOptions): EdgeName {
  return { origin: edgeOrigin(edgeUrl), key: readEdgeKey(edgeKey) };
}

/** An origin as a person writes it: a slash at the end is forgiven. @throws `usage` */
export function edgeOrigin(text: string): string {
  const origin = text.trim().replace(/\/+$/, "");
  try {
    requireOrigin(origin);
    return origin;
  } catch (cause) {
    if (!(cause instanceof PosternError)) throw cause;
    throw new PosternError("usage", `--edge-url: ${cause.message}; found '${text}'`, { cause });
  }
}

function rootAlgorithmOf(text: string): (typeof ROOT_ALGORITHMS)[keyof typeof ROOT_ALGORITHMS] {
  const algorithm = Object.entries(ROOT_ALGORITHMS).find(([name]) => name === text.toLowerCase());
  if (algorithm !== undefined) return algorithm[1];
  const known = Object.keys(ROOT_ALGORITHMS).join(", ");
  throw new PosternError("usage", `--root-algorithm takes one of ${known}; found '${text}'`);
}
