/** How the manager's standing is shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { isOverdue, type Overview } from "../../doctor/overview.ts";
import { duration, isoOrNull, moment, relative } from "../../text/moments.ts";
import type { Output } from "../output.ts";
import { count, pairs } from "../../text/layout.ts";
import { writeEdgeKey } from "./edge_key.ts";

export function presentStatus(overview: Overview, folder: string, now: number): Output {
  const { head, certificates, outgoing, alarms, changes } = overview;
  const devices = byState(overview);
  return {
    json: {
      owner: toHex(overview.owner),
      folder,
      edge: { url: overview.origin, key: writeEdgeKey(overview.edgeKey) },
      statement: overview.statement,
      intervalSeconds: overview.intervalMillis / 1_000,
      generation: head?.head.generation ?? 0,
      epoch: head?.head.epoch ?? 0,
      committed: head?.isCommitted ?? false,
      headTime: isoOrNull(head?.head.time ?? null),
      nextDue: isoOrNull(head?.head.nextDue ?? null),
      overdue: isOverdue(overview, now),
      rows: overview.entries,
      changes,
      devices,
      certificates: { ...certificates },
      messages: overview.messages,
      outgoing: { ...outgoing },
      openPush: overview.hasOpenPush,
      alarms: alarms.length,
    },
    text: pairs([
      ["owner", toHex(overview.owner)],
      ["data folder", folder],
      ["edge", overview.origin],
      ["pushed", pushedText(overview, now)],
      [
        "next head due",
        head === null
          ? null
          : `${moment(head.head.nextDue)}, ${relative(head.head.nextDue, now)}${
            isOverdue(overview, now) ? ": OVERDUE" : ""
          }`,
      ],
      ["interval", duration(overview.intervalMillis)],
      [
        "devices",
        `${devices.active} active${devices.pending > 0 ? `, ${devices.pending} waiting for confirmation` : ""}`,
      ],
      [
        "certificates",
        `${certificates.usable} usable, ${certificates.waiting} waiting, ${certificates.blocked} blocked`,
      ],
      ["messages", messagesText(overview)],
      ["to push", changesText(overview)],
      ["alarms", alarms.length === 0 ? "none" : `${alarms.length}: postern alarm list`],
    ]),
  };
}

function pushedText({ head, hasOpenPush }: Overview, now: number): string {
  if (head === null) return "never: postern sync";
  const { generation, epoch, time } = head.head;
  const state = head.isCommitted ? "" : ", signed but not confirmed by the edge";
  return `generation ${generation}, epoch ${epoch}, ${relative(time, now)}${state}${
    hasOpenPush ? ", a push is open" : ""
  }`;
}

function messagesText({ messages, outgoing }: Overview): string {
  const waiting = ["queued", "held", "failed"].flatMap((state) =>
    (outgoing[state] ?? 0) > 0 ? [`${outgoing[state]} ${state}`] : []
  );
  return `${messages}${waiting.length > 0 ? `; to be sent: ${waiting.join(", ")}` : ""}`;
}

function changesText({ changes, entries }: Overview): string {
  if (changes === null) return `everything, ${count(entries, "row")}, in a new epoch`;
  return changes === 0 ? "nothing new" : `${count(changes, "change")} of ${count(entries, "row")}`;
}

function byState({ devices }: Overview): { active: number; pending: number; revoked: number } {
  const of = (state: string) => devices.filter((device) => device.state === state).length;
  return { active: of("active"), pending: of("pending"), revoked: of("revoked") };
}
