/** How messages and channels are shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { ChannelSummary } from "../../messages/channels.ts";
import type { ImportedMail } from "../../messages/import.ts";
import type { OutgoingLine } from "../../messages/outgoing.ts";
import type { MessageLine } from "../../messages/read.ts";
import { isoOrNull, moment, size } from "../../text/moments.ts";
import type { Json, Output } from "../output.ts";
import { clip, count, pairs, plain, table } from "../../text/layout.ts";

const SHOWN_ID_BYTES = 6;
const SENDER_COLUMNS = 28;
const SUBJECT_COLUMNS = 48;

function messageJson(line: MessageLine): Json {
  return {
    ...{ id: toHex(line.id), channel: line.channel, position: line.position, direction: line.direction },
    ...{ date: isoOrNull(line.date), added: isoOrNull(line.added), size: line.size, sha256: toHex(line.sha256) },
    ...{ from: line.sender, to: line.recipients, subject: line.subject },
  };
}

export function presentMessages(lines: readonly MessageLine[], limit: number): Output {
  const rows = lines.map((line) => [
    toHex(line.id.subarray(0, SHOWN_ID_BYTES)),
    line.channel,
    line.direction,
    line.date === null ? "" : moment(line.date).slice(0, 16),
    size(line.size),
    clip(line.sender, SENDER_COLUMNS),
    clip(line.subject, SUBJECT_COLUMNS),
  ]);
  const more = lines.length === limit ? `\nThe newest ${limit}; for more: --limit N` : "";
  return {
    json: { messages: lines.map(messageJson) },
    text: rows.length === 0
      ? "No messages"
      : table(["ID", "CHANNEL", "WAY", "DATE", "SIZE", "FROM", "SUBJECT"], rows) + more,
  };
}

export function presentChannels(channels: readonly ChannelSummary[]): Output {
  const rows = channels.map(({ name, messages, created }) => [name, String(messages), moment(created)]);
  return {
    json: {
      channels: channels.map(({ name, messages, created }) => ({ name, messages, created: isoOrNull(created) })),
    },
    text: rows.length === 0 ? "No channels" : table(["CHANNEL", "MESSAGES", "SINCE"], rows),
  };
}

export function presentOutgoing(lines: readonly OutgoingLine[]): Output {
  const rows = lines.map((line) => [
    toHex(line.id.subarray(0, SHOWN_ID_BYTES)),
    line.state,
    moment(line.queued),
    size(line.size),
    clip(line.recipients, SENDER_COLUMNS),
    clip(line.subject, SUBJECT_COLUMNS),
  ]);
  const outgoing = lines.map((line) => ({
    ...{
      id: toHex(line.id),
      state: line.state,
      channel: line.channel,
      device: toHex(line.device),
      to: line.recipients,
    },
    ...{
      subject: line.subject,
      size: line.size,
      queued: isoOrNull(line.queued),
      attempts: line.attempts,
      detail: line.detail,
    },
  }));
  return {
    json: { outgoing },
    text: rows.length === 0 ? "No outgoing messages" : table(["ID", "STATE", "QUEUED", "SIZE", "TO", "SUBJECT"], rows),
  };
}

export function presentMessage(line: MessageLine): Output {
  return {
    json: messageJson(line),
    text: pairs([
      ["id", toHex(line.id)],
      ["channel", `${line.channel}, position ${line.position}`],
      ["direction", line.direction === "in" ? "received" : "outgoing"],
      ["from", line.sender || null],
      ["to", line.recipients || null],
      ["subject", line.subject || null],
      ["date", line.date === null ? null : moment(line.date)],
      ["size", `${line.size} bytes${line.parts > 0 ? ` in ${count(line.parts, "part")}` : ""}`],
      ["SHA-256", toHex(line.sha256)],
    ]),
  };
}

export function presentMailImport({ added, known, bytes, channels, problems }: ImportedMail): Output {
  const where = [...channels].map(([name, number]) => `${number} into ${plain(name)}`).join(", ");
  const parts = [
    `${count(added, "message")} added (${size(bytes)})${where === "" ? "" : `: ${where}`}`,
    ...(known > 0 ? [`${known} known before`] : []),
    ...(problems.length > 0 ? [`${count(problems.length, "problem")}:`] : []),
  ];
  const told = problems.map(({ source, error }) => `  ${plain(source)}: ${plain(error.message)} [${error.code}]`);
  return {
    json: {
      ...{ added, known, bytes, channels: Object.fromEntries(channels) },
      problems: problems.map(({ source, error }) => ({ source, code: error.code, message: error.message })),
    },
    text: [parts.join("; "), ...told].join("\n"),
  };
}
