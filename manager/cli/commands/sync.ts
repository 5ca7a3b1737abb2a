/** `postern sync`, `rotate` and `run`: turns with the edge, once or as a service. */
import type { Database } from "../../../shared/database/database.ts";
import { notifier } from "../../service/notify.ts";
import { runService } from "../../service/loop.ts";
import { runTurn, type TurnDone } from "../../service/turn.ts";
import { presentReport, presentTurn } from "../texts/turn.ts";
import { META, readNumber } from "../../store/meta.ts";
import { openAlarms } from "../../sync/alarms.ts";
import type { SyncStep } from "../../sync/sync.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { EXIT } from "../exit_codes.ts";
import { type Output, render } from "../output.ts";
import { presentUpdateReport } from "../texts/update.ts";
import { UpdateService } from "../../update/service.ts";
import type { UpdateReport } from "../../update/unattended.ts";
import { count } from "../../text/layout.ts";
import { LIMITS } from "../../../shared/limits.ts";

const RUN_HELP = `
A turn takes the inbox, pushes, and reads back. Turns come at the interval (postern settings --interval), a little earlier or later
each time. After a failure the next one comes sooner, and then later and later. Ctrl-C or SIGTERM ends the service after the turn under
way; if a turn is cut off, the next one continues it. With --json, each turn is one JSON value on a line.

Between turns it looks for releases, as postern update configure --auto says. If --restart is set there, it ends with 75 after a switch,
to be started again.

Examples:
  $ postern run
  $ systemctl enable --now postern           # docs/owners/pi.md`;

export const registerSync: Register = (parent, bind: Bind) => {
  parent.command("sync").summary("one turn with the edge, for cron").description(
    "One turn: takes the inbox, pushes, reads back.",
  )
    .addHelpText(
      "after",
      "\nExamples:\n  $ postern sync\n  */5 * * * *  postern sync --key-file ~/.postern-kek   # cron",
    ).action(bind(sync));
  parent.command("rotate").summary("a turn that re-encrypts everything anew").description(
    "A turn under a new sym key and new index tokens, whatever changed.",
  )
    .addHelpText("after", "\nExample:\n  $ postern rotate").action(bind(rotate));
  parent.command("run").summary("the service: a turn at each interval").description(
    "Runs as a service until it is stopped.",
  )
    .addHelpText("after", RUN_HELP).action(bind(run));
};

async function sync(cli: Cli): Promise<Output> {
  return await oneTurn(cli, false);
}

async function rotate(cli: Cli): Promise<Output> {
  return await oneTurn(cli, true);
}

async function oneTurn(cli: Cli, isRotation: boolean): Promise<Output> {
  return await withManager(cli, async (db) => {
    const done = await turn(cli, db, isRotation);
    await tellAlarms(cli, db);
    return presentTurn(done);
  });
}

async function turn(cli: Cli, db: Database, rotate: boolean): Promise<TurnDone> {
  const { s, folder } = cli;
  const progress = cli.progress("Pushing");
  const onStep = (step: SyncStep) => {
    if (step.step !== "inbox") progress.update(step.done, step.total);
  };
  try {
    const { network, pid } = s;
    return await runTurn({ db, folder, pid, network, onStep, lockWaitMillis: LIMITS.lockWaitMillis }, { rotate });
  } finally {
    progress.end();
  }
}

async function run(cli: Cli): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const notify = notifier(s.env("NOTIFY_SOCKET"));
    const intervalMillis = () => readNumber(db, META.intervalMillis);
    cli.say(`Serving ${cli.folder}; a turn now, and then about every ${(await intervalMillis()) / 1_000} s`);
    await notify("ready");
    const tell = (output: Output) =>
      s.out(
        render({ ...output, text: `${new Date(s.now()).toISOString()} ${output.text}` }, cli.options.json === true),
      );
    const report = (one: UpdateReport) => tell(presentUpdateReport(one));
    const updating = { db, dataFolder: cli.folder, network: s.network, pid: s.pid, report };
    await using updates = new UpdateService(updating, s.stop);
    await runService({
      network: s.network,
      turn: async () => {
        await updates.startIfWanted();
        return await turn(cli, db, false);
      },
      intervalMillis,
      report: (report) => {
        const output = presentReport(report);
        tell(output);
        void notify({ status: output.text });
      },
      stop: updates.stop,
    });
    const restarts = await updates.ended();
    await notify("stopping");
    cli.say(restarts ? "Stopped, to be started anew in the version that is installed now" : "Stopped");
    return { json: null, text: "", isSilent: true, ...(restarts ? { exit: EXIT.restart } : {}) };
  });
}

async function tellAlarms(cli: Cli, db: Database): Promise<void> {
  const alarms = await openAlarms(db);
  if (alarms.length > 0) cli.say(`${count(alarms.length, "alarm")} for you: postern alarm list`);
}
