/** How backups and restores are shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { RecipientKind } from "../../backup/header.ts";
import type { Candidate, Judgement } from "../../backup/judge.ts";
import type { BackupContents } from "../../backup/read.ts";
import type { Restored } from "../../backup/restore.ts";
import { lostHeads } from "../../backup/seen_heads.ts";
import { count, pairs, table } from "../../text/layout.ts";
import { isoOrNull, moment, relative, size } from "../../text/moments.ts";
import type { Json, Output } from "../output.ts";

type Found = BackupContents & { readonly size: number; readonly recipients: readonly RecipientKind[] };

const OPENED_BY: Readonly<Record<RecipientKind, string>> = {
  recovery: "the recovery key",
  passphrase: "its passphrase",
};

function rowsOf({ tables }: BackupContents, name: string): number {
  return tables.find((one) => one.name === name)?.count ?? 0;
}

function backupJson(backup: Found): { readonly [name: string]: Json } {
  const { owner, time, head, statement, devices, hasRoot, tables } = backup;
  return {
    owner: toHex(owner),
    time: isoOrNull(time),
    generation: head?.generation ?? 0,
    headTime: isoOrNull(head?.time ?? null),
    statement: statement.number,
    incarnation: toHex(statement.incarnation),
    openedBy: [...backup.recipients],
    bytes: backup.size,
    hasRoot,
    devices: devices.map(({ id, name, state }) => ({ id: toHex(id), name, state })),
    rows: Object.fromEntries(tables.map(({ name, count }) => [name, count])),
  };
}

/** What a backup holds, and how old it is. */
export function presentBackup(backup: Found, file: string, now: number, done: string): Output {
  const { owner, time, head, statement, devices, hasRoot } = backup;
  const active = devices.filter(({ state }) => state === "active").map(({ name }) => name);
  const contents = [
    count(rowsOf(backup, "messages"), "message"),
    count(rowsOf(backup, "certificates"), "certificate"),
    count(active.length, "device"),
  ].join(", ");
  return {
    json: { file, verified: true, ...backupJson(backup) },
    text: [
      pairs([
        ["file", `${file}, ${size(backup.size)}`],
        ["owner", toHex(owner)],
        ["made", `${moment(time)}, ${relative(time, now)}`],
        ["newest head", head === null ? "none" : `generation ${head.generation}, ${moment(head.time)}`],
        ["statement", `${statement.number}`],
        ["holds", contents],
        ["devices", active.length === 0 ? "none" : active.join(", ")],
        ["root key", hasRoot ? "in it: who opens the backup is the owner" : "not in it: it is kept elsewhere"],
        ["opened by", backup.recipients.map((kind) => OPENED_BY[kind]).join(" or ")],
      ]),
      "",
      done,
    ].join("\n"),
  };
}

const AT_EDGE: Readonly<Record<Candidate["atEdge"], string>> = {
  there: "there",
  gone: "revoked since: cannot go on",
  unknown: "not known",
};

/** The list that the owner decides on. */
export function candidatesText(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return "The backup has no devices.";
  const rows = candidates.map(({ id, name, added, atEdge, isNew }) => [
    ...[name, moment(added), isNew === null ? "in the backup" : "paired since"],
    ...[AT_EDGE[atEdge], toHex(id)],
  ]);
  return table(["NAME", "ADDED", "FROM", "AT THE EDGE", "ID"], rows);
}

function lossesJson({ losses, seen }: Judgement): Json {
  const { since, edge, generations, submissions, rows, knowsDevices } = losses;
  return {
    since: isoOrNull(since),
    edge,
    generations,
    submissions: submissions.map(({ device, stream, from, to }) => {
      return { device: toHex(device), stream: toHex(stream), from, to };
    }),
    rows: { ...rows },
    knowsDevices: knowsDevices && lostHeads(seen).length === 0,
    heads: seen.heads.map(({ generation, incarnation, result }) => {
      return { generation, incarnation: incarnation === null ? null : toHex(incarnation), result };
    }),
    notShown: seen.lead,
  };
}

/** What was restored, what was lost, and what is to be done now. */
export function presentRestored(restored: Restored, folder: string, lost: string, now: number): Output {
  const { contents, confirmed, candidates, incarnation, held } = restored;
  const names = confirmed.map(({ name }) => name);
  const left = candidates.filter(({ id }) => !confirmed.some((one) => toHex(one.id) === toHex(id)));
  return {
    json: {
      owner: toHex(contents.owner),
      folder,
      incarnation: toHex(incarnation),
      statement: restored.statement,
      base: restored.base,
      backup: { time: isoOrNull(contents.time), generation: contents.head?.generation ?? 0 },
      devices: confirmed.map(({ id, name, isNew }) => ({ id: toHex(id), name, new: isNew !== null })),
      revoked: left.map(({ id, name }) => ({ id: toHex(id), name })),
      lost: lossesJson(restored),
      readBack: restored.caughtUp === null ? null : { ...restored.caughtUp },
      held,
      startedOver: restored.hasRestarted,
    },
    text: [
      pairs([
        ["owner", toHex(contents.owner)],
        ["data folder", folder],
        ["backup", `${moment(contents.time)}, ${relative(contents.time, now)}`],
        ["incarnation", toHex(incarnation)],
        ["go on", names.length === 0 ? "no device" : names.join(", ")],
        ["revoked", left.length === 0 ? null : left.map(({ name }) => name).join(", ")],
        ["held mail", held === 0 ? null : `${held}: postern message list --outgoing, then postern message release`],
      ]),
      "",
      lost,
      "",
      "Next: stop whatever is left of the old manager, then postern sync. Each device asks once whether the manager was",
      "restored, and shows this incarnation.",
    ].join("\n"),
  };
}
