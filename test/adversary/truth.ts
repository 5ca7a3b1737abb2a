/**
 * What is true: the manager's own database at the moment in which it signed a head. It is the one that nobody lies to; all that a device
 * accepts is held against the generation that it says it is of.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { headAlarm } from "../../manager/heads/forks.ts";
import { newestHead } from "../../manager/heads/repository.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import type { TestManager } from "../fixtures/manager.ts";

/** One message in its channel. */
export interface TrueMessage {
  readonly position: number;
  /** SHA-256 of the whole, in hexadecimal. */
  readonly sha256: string;
}

/** A submission that a device handed in, by its place. */
export interface Handed {
  /** In hexadecimal. */
  readonly stream: string;
  readonly number: number;
}

/** What a device must find at one generation. */
export interface Truth {
  readonly generation: number;
  readonly epoch: number;
  readonly nextDue: number;
  /** Up to which number a stream was taken by then, by its name in hexadecimal. */
  readonly taken: ReadonlyMap<string, number>;
  /** Whether the manager knew of a fork that the owner has not cleared. */
  readonly isForked: boolean;
  /** `blocked`, `usable` or `waiting`, by fingerprint in hexadecimal. */
  readonly certificates: ReadonlyMap<string, string>;
  /** Fingerprints, sorted, by subject as it was made. */
  readonly subjects: ReadonlyMap<string, readonly string[]>;
  /** In the order of their positions, by channel. */
  readonly channels: ReadonlyMap<string, readonly TrueMessage[]>;
}

const STATUS = ["blocked", "usable", "waiting"];

/** The truth of every generation that was signed. */
export class TruthBook {
  readonly #pages = new Map<number, Truth>();

  /** How far streams were ever acknowledged: a head has room for a device's last ones alone. */
  readonly #taken = new Map<string, number>();

  /** Whether a head acknowledged a submission. */
  isTaken({ stream, number }: Handed): boolean {
    return number <= (this.#taken.get(stream) ?? 0);
  }

  at(generation: number): Truth | undefined {
    return this.#pages.get(generation);
  }

  /** To be called after each turn, also after one that failed: what it signed last is what the manager holds now. */
  async write(manager: TestManager): Promise<void> {
    const signed = await newestHead(manager.db);
    if (signed === null || this.#pages.has(signed.generation)) return;
    const { head } = decodeSignedHead(signed.signed);
    for (const { stream, number } of head.acks) this.#taken.set(toHex(stream), number);
    this.#pages.set(head.generation, {
      ...{ generation: head.generation, epoch: head.epoch, nextDue: head.nextDue },
      taken: new Map(this.#taken),
      ...await certificatesOf(manager),
      channels: await channelsOf(manager),
      isForked: await headAlarm(manager.db) !== null,
    });
  }
}

async function certificatesOf(manager: TestManager): Promise<Pick<Truth, "certificates" | "subjects">> {
  const { rows } = await manager.db.execute<{ fingerprint: Bytes; status: number; subject: string }>({
    sql: "SELECT fingerprint, status, subject FROM certificates ORDER BY hex(fingerprint)",
    params: [],
  });
  const certificates = new Map<string, string>();
  const subjects = new Map<string, string[]>();
  for (const { fingerprint, status, subject } of rows) {
    certificates.set(toHex(fingerprint), STATUS[status] ?? "");
    subjects.set(subject, [...subjects.get(subject) ?? [], toHex(fingerprint)]);
  }
  return { certificates, subjects };
}

async function channelsOf(manager: TestManager): Promise<Truth["channels"]> {
  const { rows } = await manager.db.execute<{ name: string; position: number; sha256: Bytes }>({
    sql: `SELECT channels.name, messages.position, messages.sha256 FROM messages
      JOIN channels ON channels.number = messages.channel ORDER BY messages.position`,
    params: [],
  });
  const channels = new Map<string, TrueMessage[]>();
  for (const { name, position, sha256 } of rows) {
    channels.set(name, [...channels.get(name) ?? [], { position, sha256: toHex(sha256) }]);
  }
  return channels;
}
