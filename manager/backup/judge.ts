/** What a restore comes to: which devices may go on, and what was lost. Pure (spec: BACKUP-10, BACKUP-11, BACKUP-12). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { TABLE_NAMES, type TableName } from "../../shared/protocol/tables.ts";
import type { DeviceContent } from "../../shared/protocol/plaintexts.ts";
import type { DevicesTable, StreamsTable } from "../store/schema.ts";
import type { EdgeLook } from "./look.ts";
import type { SeenHeads } from "./seen_heads.ts";

/** What the backup holds, as far as the judgement rests on it. */
export interface Held {
  /** Millis: when the backup was made. */
  readonly time: number;
  /** Its newest head, 0 if none. */
  readonly generation: number;
  readonly devices: readonly DevicesTable[];
  readonly streams: readonly Pick<StreamsTable, "device" | "stream" | "number">[];
  /** Rows that the edge should hold. */
  readonly rows: Readonly<Record<TableName, number>>;
}

/** A device that the owner may confirm. */
export interface Candidate {
  readonly id: Bytes;
  readonly name: string;
  /** Millis. */
  readonly added: number;
  /**
   * What the edge's newest head says of it: `there`; `gone`, so that it was revoked since the backup and must not come back; or nothing
   * that counts.
   */
  readonly atEdge: "there" | "gone" | "unknown";
  /** Of a device that came since the backup: what it was added with. */
  readonly isNew: DeviceContent | null;
}

/** What the backup does not have. */
export interface Losses {
  /** Millis: everything since then, unless the edge still has it in its inbox. */
  readonly since: number;
  /** Whether the edge showed a head at all, and whether that is older than the backup's, which then says nothing. */
  readonly edge: "newer" | "same" | "older" | "none";
  /** Generations after the backup's newest that the edge showed. */
  readonly generations: number;
  /** Submissions that the manager had taken since. */
  readonly submissions: readonly LostSubmissions[];
  /** Rows that the edge had more (or fewer, below 0) of than the backup. */
  readonly rows: Readonly<Record<TableName, number>>;
  /** Whether devices that came or went since could be named, up to what the edge showed. */
  readonly knowsDevices: boolean;
}

export interface LostSubmissions {
  readonly device: Bytes;
  readonly stream: Bytes;
  readonly from: number;
  readonly to: number;
}

export interface Judgement {
  readonly candidates: readonly Candidate[];
  readonly losses: Losses;
  readonly seen: SeenHeads;
}

/** @param look null when the edge was not asked, or knows nothing */
export function judgeRestore(held: Held, look: EdgeLook | null, seen: SeenHeads): Judgement {
  const head = look?.head?.head ?? null;
  const edge = head === null
    ? "none"
    : head.generation > held.generation
    ? "newer"
    : head.generation === held.generation
    ? "same"
    : "older";
  const shown = edge === "newer" || edge === "same" ? look?.devices ?? null : null;
  const isNewer = head !== null && edge === "newer";
  return {
    candidates: candidatesOf(held.devices, shown, isNewer),
    losses: {
      since: held.time,
      edge,
      generations: isNewer ? head.generation - held.generation : 0,
      submissions: head === null ? [] : lostSubmissions(held.streams, head.acks),
      rows: Object.fromEntries(
        TABLE_NAMES.map((name) => [name, isNewer ? head.tables[name].count - held.rows[name] : 0]),
      ) as Record<TableName, number>,
      knowsDevices: shown !== null,
    },
    seen,
  };
}

/** A head of the very generation of the backup may be from before what the backup already knows, so that only a later one tells who went. */
function candidatesOf(
  held: readonly DevicesTable[],
  shown: readonly DeviceContent[] | null,
  isNewer: boolean,
): readonly Candidate[] {
  const there = new Map((shown ?? []).map((device) => [toHex(device.id), device]));
  const known = held.flatMap(({ id, name, added, state }): Candidate[] => {
    const isThere = there.has(toHex(id));
    // One that was being paired goes on only if that was finished since.
    if (state === "revoked" || (state === "pending" && !(isThere && isNewer))) return [];
    const atEdge = isThere ? "there" : shown !== null && isNewer ? "gone" : "unknown";
    return [{ id, name, added, atEdge, isNew: null }];
  });
  const ids = new Set(held.map(({ id }) => toHex(id)));
  const fresh = isNewer ? [...there].filter(([id]) => !ids.has(id)) : [];
  return [
    ...known,
    ...fresh.map(([, device]): Candidate => {
      return { id: device.id, name: device.name, added: device.added, atEdge: "there", isNew: device };
    }),
  ];
}

function lostSubmissions(
  streams: Held["streams"],
  acks: readonly { readonly device: Bytes; readonly stream: Bytes; readonly number: number }[],
): LostSubmissions[] {
  const name = (one: { device: Bytes; stream: Bytes }) => `${toHex(one.device)}/${toHex(one.stream)}`;
  const taken = new Map(streams.map((stream) => [name(stream), stream.number]));
  return acks.flatMap((ack) => {
    const from = (taken.get(name(ack)) ?? 0) + 1;
    return ack.number < from ? [] : [{ device: ack.device, stream: ack.stream, from, to: ack.number }];
  });
}
