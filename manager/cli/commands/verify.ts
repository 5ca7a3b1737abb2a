/** `postern verify` and `postern doctor`. */
import { resolve } from "node:path";
import { openDump } from "../../doctor/dump/open_dump.ts";
import { verifyDump } from "../../doctor/verify_dump.ts";
import { verifyEdge } from "../../doctor/verify_edge.ts";
import { examine } from "../../doctor/examine.ts";
import { judgeAll } from "../../doctor/judge.ts";
import { connectEdge } from "../../edge/connect.ts";
import { type Cli, kekOf, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { presentFindings } from "../texts/findings.ts";
import { presentDump, presentEdge } from "../texts/verified.ts";
import { PosternError } from "../../../shared/errors.ts";

const VERIFY_HELP = `
Logs in, fetches every table whole, opens every row, and checks heads, roots, counts, contents, and that messages are complete. Then it
asks for single rows, and for rows that do not exist, and checks their proofs. Exits with 76 if the edge shows anything other than what
was signed. The edge can tell the manager from a device. To find out what it shows to others, use a dump, or compare heads (postern head
compare).

With --dump it reads a copy of the edge's database file instead (postern edge dump), and asks nobody. It checks owner statement and
head, the edge's own columns, every row, root and block, the history of heads, and the keys that logins are verified with. The file is
not changed. A dump from before the newest push is refused as rolled back, unless you say --old. If its epoch is past, it can be read
only until the next push has been read back.

Examples:
  $ postern verify --json
  $ postern verify --dump edge.dump`;

interface VerifyOptions {
  readonly dump?: string;
  readonly old?: boolean;
}

const DOCTOR_HELP = `
Looks at the data folder, its permissions, the database, the clock, the edge's configuration and answers, heads and alarms. For
everything that is wrong, it says what to do about it. Exits with 3 if it found something wrong, and changes nothing.

Example:
  $ postern doctor`;

export const registerVerify: Register = (parent, bind: Bind) => {
  parent.command("verify").summary("read the edge whole and check everything").description(
    "Reads the edge as a device would, or a dump of it, and checks everything.",
  )
    .option("--dump <file>", "verify this copy of the edge's database file, without the network")
    .option("--old", "the dump may be from before the newest push")
    .addHelpText("after", VERIFY_HELP).action(bind(verify));
  parent.command("doctor").summary("find what is wrong, and what to do").description(
    "Finds what is wrong with set-up, clock, permissions and connection.",
  )
    .option("--offline", "do not ask the edge").addHelpText("after", DOCTOR_HELP).action(bind(doctor));
};

async function verify(cli: Cli, _args: readonly string[], options: VerifyOptions): Promise<Output> {
  const { dump, old = false } = options;
  if (dump !== undefined) return await verifyFile(cli, resolve(cli.s.cwd, dump), old);
  if (old) throw new PosternError("usage", "--old is about a dump: give --dump FILE with it");
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Verifying");
    try {
      const link = await connectEdge(db, s.network);
      const asked = { db, link, now: s.now(), random: s.random };
      return presentEdge(await verifyEdge(asked, (done, total) => progress.update(done, total)));
    } finally {
      progress.end();
    }
  });
}

async function verifyFile(cli: Cli, file: string, isOld: boolean): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Verifying");
    try {
      await using dump = await openDump(file, cli.folder);
      const onProgress = (done: number, total: number) => progress.update(done, total);
      return presentDump(await verifyDump(db, dump, s.now(), { isOld, onProgress }), file);
    } finally {
      progress.end();
    }
  });
}

async function doctor(cli: Cli, _args: readonly string[], options: { offline?: boolean }): Promise<Output> {
  const { s, folder } = cli;
  const facts = await examine({
    folder,
    kek: () => kekOf(cli),
    uid: s.uid,
    network: s.network,
    isOffline: options.offline === true,
  });
  return presentFindings(judgeAll(facts, s.now(), s.uid), cli.folder);
}
