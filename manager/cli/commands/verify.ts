/** `postern verify` and `postern doctor`. */
import { verifyEdge } from "../../doctor/verify_edge.ts";
import { examine } from "../../doctor/examine.ts";
import { judgeAll } from "../../doctor/judge.ts";
import { connectEdge } from "../../edge/connect.ts";
import { type Cli, kekOf, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Output } from "../output.ts";
import { count, pairs } from "../../text/layout.ts";
import { presentFindings } from "../texts/findings.ts";

const VERIFY_HELP = `
Logs in, fetches every table whole, opens every row, and checks heads, roots, counts, content, and that messages are complete. Exits
with 76 when the edge shows anything else than what was signed.

Example:
  $ postern verify --json`;

const DOCTOR_HELP = `
Looks at the data folder, its permissions, the database, the clock, the edge's configuration and answers, heads and alarms, and says
for everything that is wrong what to do about it. Exits with 3 when it found something wrong; changes nothing.

Example:
  $ postern doctor`;

export const registerVerify: Register = (parent, bind: Bind) => {
  parent.command("verify").summary("read the edge whole and check everything").description(
    "Reads the edge as a device would, and checks everything.",
  )
    .addHelpText("after", VERIFY_HELP).action(bind(verify));
  parent.command("doctor").summary("find what is wrong, and what to do").description(
    "Finds what is wrong with set-up, clock, permissions and connection.",
  )
    .option("--offline", "without asking the edge").addHelpText("after", DOCTOR_HELP).action(bind(doctor));
};

async function verify(cli: Cli): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Verifying");
    try {
      const link = await connectEdge(db, s.network);
      const { head, counts, rows } = await verifyEdge(db, link, s.now(), (done, total) => progress.update(done, total));
      return {
        json: {
          verified: true,
          generation: head.generation,
          epoch: head.epoch,
          time: isoOrNull(head.time),
          nextDue: isoOrNull(head.nextDue),
          rows,
          contents: { ...counts },
          classicalDevices: head.classical,
        },
        text: pairs([
          ["verified", `generation ${head.generation}, epoch ${head.epoch}, signed ${moment(head.time)}`],
          ["rows", `${count(rows, "row")}: every MAC, every place, every root`],
          ["devices", String(counts.devices)],
          ["certificates", String(counts.certificates)],
          ["messages", `${counts.messages} in ${count(counts.channels, "channel")}, complete with all parts`],
          ["next head due", moment(head.nextDue)],
        ]),
      };
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
  return presentFindings(judgeAll(facts, s.now()), cli.folder);
}
