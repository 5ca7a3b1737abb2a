/** `postern alarm` and `postern clock`: what the owner must see, and the owner's word about it. */
import { adviceFor } from "../../../shared/client/advice.ts";
import { issueStatement } from "../../owner/statement.ts";
import { clearForks } from "../../heads/forks.ts";
import { type Alarm, clearAlarms, openAlarms } from "../../sync/alarms.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Output } from "../output.ts";
import { count, plain } from "../../text/layout.ts";
import { PosternError } from "../../../shared/errors.ts";

const CLOCK_HELP = `
The manager does not sign a head that is dated before an earlier one, or long after it, because a clock that is wrong for a moment
would bind every later head. If the clock is right and the last head's time was wrong, or if the manager was off for more than 30
days, it needs your word. Your word becomes a new owner statement.

Example:
  $ date -u && postern clock confirm --yes`;

export const registerAlarm: Register = (parent, bind: Bind) => {
  const alarm = parent.command("alarm").summary("what needs your attention").description(
    "Alarms: what you must see, until you clear it.",
  );
  alarm.command("list").summary("list open alarms").description("Lists the alarms that you have not cleared.")
    .addHelpText("after", "\nExample:\n  $ postern alarm list").action(bind(list));
  alarm.command("clear").summary("clear open alarms").description(
    "Clears open alarms, once you have dealt with them: those of these numbers, or all but forks. Forks only with --forks: " +
      "devices that were told of them see that with the next head.",
  )
    .argument("[numbers...]", "as postern alarm list shows them").option(
      "--forks",
      "forks, all of them, and nothing else",
    )
    .addHelpText("after", "\nExamples:\n  $ postern alarm clear 3\n  $ postern alarm clear --forks").action(
      bind(clear),
    );
  const clock = parent.command("clock").summary("your word that the clock is right").description(
    "The manager's clock.",
  );
  clock.command("confirm").summary("let the manager sign with the present time").description(
    "Confirms that this machine's clock is right.",
  )
    .option("--yes", "do not ask").addHelpText("after", CLOCK_HELP).action(bind(confirm));
};

async function list(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => {
    const alarms = await openAlarms(db);
    return {
      json: {
        alarms: alarms.map(({ id, code, text, raised }) => ({
          ...{ id, code, text, raised: isoOrNull(raised) },
          advice: adviceFor(code),
        })),
      },
      text: alarms.length === 0
        ? "No alarms"
        : alarms.map(({ id, code, text, raised }) =>
          `${id}  ${moment(raised)}  ${code}\n  ${plain(text)}${adviceLine(code)}`
        )
          .join("\n"),
    };
  });
}

function adviceLine(code: string): string {
  const advice = adviceFor(code);
  return advice === null ? "" : `\n  -> ${advice}`;
}

async function clear(cli: Cli, numbers: readonly string[], options: { forks?: boolean }): Promise<Output> {
  const isForks = options.forks === true;
  if (isForks && numbers.length > 0) {
    throw new PosternError("usage", "Forks are cleared all at once: --forks, or numbers");
  }
  return await withManager(cli, async (db) => {
    const now = cli.s.now();
    const open = await openAlarms(db);
    const meant = numbers.length > 0
      ? numbers.map((number) => numbered(open, number))
      : open.filter(({ code }) => (code === "forked") === isForks);
    if (isForks) await clearForks(db, now);
    const cleared = await clearAlarms(db, meant, now);
    return { json: { cleared }, text: `${count(cleared, "alarm")} cleared` };
  });
}

/** @throws `not_found`; `usage` for a fork, which needs its own word */
function numbered(open: readonly Alarm[], number: string): Alarm {
  const found = open.find(({ id }) => String(id) === number);
  if (found === undefined) throw new PosternError("not_found", `No open alarm has the number '${number}'`);
  if (found.code === "forked") {
    throw new PosternError("usage", `Alarm ${number} is a fork: postern alarm clear --forks`);
  }
  return found;
}

async function confirm(cli: Cli, _args: readonly string[], options: { yes?: boolean }): Promise<Output> {
  const { s } = cli;
  const now = s.now();
  return await withManager(cli, async (db) => {
    const isRight = options.yes === true || await s.ask.confirm(`Is it ${moment(now)} now?`, "say --yes");
    if (!isRight) throw new PosternError("clock", "Set this machine's clock first; nothing was changed");
    const { number } = await issueStatement(db, {}, s.now());
    return {
      json: { time: isoOrNull(now), statement: number },
      text: `The time ${moment(now)} is confirmed by owner statement ${number}. Next: postern sync`,
    };
  });
}
