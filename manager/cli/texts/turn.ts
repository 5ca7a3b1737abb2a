/** One line for what a turn did. Pure. */
import type { Json, Output } from "../output.ts";
import { count } from "../../text/layout.ts";
import { duration } from "../../text/moments.ts";
import type { TurnReport } from "../../service/loop.ts";
import type { TurnDone } from "../../service/turn.ts";

const REASONS: Readonly<Record<NonNullable<TurnDone["reason"]>, string>> = {
  "first": "the first push",
  "edge lost": "the edge had lost it",
  "asked": "as asked",
  "no proofs": "the edge had no proofs for it",
  "devices changed": "the devices changed",
  "small store": "a small store hides what changed",
  "store grew": "the store is not a small one any more",
  "epoch too old": "the epoch was old",
  "key used up": "the key was used up",
};

/** What a turn did, for people and machines. */
export function presentTurn(done: TurnDone): Output {
  const { pushed, inbox, reason, millis } = done;
  return {
    json: {
      ok: true,
      generation: pushed.generation,
      epoch: pushed.epoch,
      full: pushed.isFull,
      reason,
      rows: pushed.rows,
      removed: pushed.removed,
      inbox: {
        ...{ done: inbox.done, held: inbox.held, refused: inbox.refused, ignored: inbox.ignored, gaps: inbox.gaps },
        contradicting: inbox.contradicting,
      },
      recovered: done.hasRecovered,
      millis: Math.round(millis),
    },
    text: turnLine(done),
  };
}

/** For example: `generation 12, epoch 3: 284 rows anew (the devices changed); inbox: 2 taken; read back; 0.8 s`. */
export function turnLine({ pushed, reason, inbox, millis, hasRecovered }: TurnDone): string {
  const sent = pushed.isFull
    ? `${count(pushed.rows, "row")} anew${reason === null ? "" : ` (${REASONS[reason]})`}`
    : pushed.rows + pushed.removed === 0
    ? "nothing new"
    : `${count(pushed.rows, "row")} changed${pushed.removed > 0 ? `, ${pushed.removed} removed` : ""}`;
  const parts = [sent, ...inboxParts(inbox), "read back", duration(millis)];
  if (hasRecovered) parts.unshift("went on after a crash");
  return `generation ${pushed.generation}, epoch ${pushed.epoch}: ${parts.join("; ")}`;
}

function inboxParts({ done, held, refused, ignored, gaps, contradicting }: TurnDone["inbox"]): string[] {
  const parts = [
    ...(done > 0 ? [`${done} taken`] : []),
    ...(held > 0 ? [`${held} held for you`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(ignored > 0 ? [`${ignored} not from your devices`] : []),
    ...(contradicting.length > 0 ? [`${count(contradicting.length, "stream")} after a head that is not ours`] : []),
    ...(gaps.length > 0 ? [`${count(gaps.length, "stream")} with a gap`] : []),
  ];
  return parts.length === 0 ? [] : [`inbox: ${parts.join(", ")}`];
}

/** The same with when the next turn is, and for a turn that failed. */
export function presentReport(report: TurnReport): Output {
  const next = `next in ${duration(report.nextMillis)}`;
  if (report.ok) {
    const { json, text } = presentTurn(report.done);
    return { json: { ...json as Record<string, Json>, nextMillis: report.nextMillis }, text: `${text}; ${next}` };
  }
  const { error, failures, nextMillis } = report;
  return {
    json: { ok: false, error: { code: error.code, message: error.message }, failures, nextMillis },
    text: `failed (${error.code}${failures > 1 ? `, ${failures} times now` : ""}): ${error.message}; ${next}`,
  };
}
