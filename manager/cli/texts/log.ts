/** How events of the audit trail are shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { Checkpoint, StoredEvent, TrailChecked } from "../../audit/chain.ts";
import { EVENT_KINDS } from "../../audit/kinds.ts";
import { count, plain } from "../../text/layout.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Json, Output } from "../output.ts";

/** A checkpoint as people note it (spec: AUDIT-02). */
export function checkpointText({ number, hash }: Checkpoint): string {
  return `${number}:${toHex(hash)}`;
}

export function presentEvents(events: readonly StoredEvent[], checked: TrailChecked | null): Output {
  const lines = events.map(({ number, time, kind, subject, detail }) =>
    `${String(number).padStart(6)}  ${moment(time)}  ${kind.padEnd(17)} ${plain(subject)}${detailText(detail)}`
  );
  return {
    json: {
      events: events.map(({ number, time, kind, subject, detail, hash }) => ({
        ...{ number, time: isoOrNull(time), kind, subject, detail: readDetail(detail) as Json },
        hash: hash === null ? null : toHex(hash),
      })),
      ...checked === null ? {} : { verified: checked.events, checkpoint: checkpointText(checked.newest) },
    },
    text: [
      ...lines.length === 0 ? ["No events"] : lines,
      ...checked === null ? [] : [checkedText(checked)],
    ].join("\n"),
  };
}

export function presentChecked(checked: TrailChecked, noted: readonly Checkpoint[]): Output {
  const notes = noted.length === 0 ? "" : `, through ${count(noted.length, "noted checkpoint")}`;
  return {
    json: { ok: true, events: checked.events, checkpoint: checkpointText(checked.newest), noted: noted.length },
    text: `${checkedText(checked)}${notes}`,
  };
}

export function presentKinds(): Output {
  return {
    json: { ...EVENT_KINDS },
    text: Object.entries(EVENT_KINDS).map(([kind, what]) => `${kind.padEnd(18)} ${what}`).join("\n"),
  };
}

function checkedText({ events, newest }: TrailChecked): string {
  return `${count(events, "event")}, an unbroken chain up to ${checkpointText(newest)}`;
}

function detailText(detail: string): string {
  const read = readDetail(detail);
  if (typeof read !== "object" || read === null) return `  ${plain(detail)}`;
  const shown = Object.entries(read).map(([name, value]) => `${name}=${plain(String(value))}`).join(" ");
  return shown === "" ? "" : `  ${shown}`;
}

/** The triggers and this program wrote it, but a damaged file must not end the listing. */
function readDetail(detail: string): unknown {
  try {
    return JSON.parse(detail);
  } catch {
    return detail;
  }
}
