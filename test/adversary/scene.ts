/** One episode: an edge that may lie, an owner with devices, a stranger on the same edge, and what is true. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { CopyInProcess, type CopyStore, type PosternDevice } from "../../shared/client/mod.ts";
import { type Alarm, clearAlarms, openAlarms } from "../../manager/sync/alarms.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import type { TestDevice } from "../fixtures/device.ts";
import type { TestEdge } from "../fixtures/edge.ts";
import type { TestManager } from "../fixtures/manager.ts";
import { World } from "../fixtures/world.ts";
import { certificate } from "../threats/setting.ts";
import { Liar, type Past } from "./liar.ts";
import { type Handed, TruthBook } from "./truth.ts";

export const CHANNELS: readonly string[] = ["mail", "chat"];
/** Names that certificates may have; more than there are certificates, so that some are asked for in vain. */
export const SUBJECTS: readonly string[] = ["CN=Ada", "CN=Bob", "CN=Cyd", "CN=Dan", "CN=Eve"];

/** A certificate to be handed in or trusted, made once for all episodes: keys are slow to make. */
export interface Card {
  readonly der: Bytes;
  readonly fingerprint: Bytes;
  readonly hex: string;
  /** As people write it. */
  readonly name: string;
  /** Canonical. */
  readonly subject: string;
}

/** A certificate that a device handed in: each with a note like no other. */
export interface HandedCertificate extends Handed {
  readonly note: string;
}

/** A message that a device handed in: each like no other. */
export interface HandedMessage extends Handed {
  /** SHA-256 of the whole, in hexadecimal. */
  readonly hash: string;
}

/** What an edge can keep of the life before a restore. */
export interface FormerLife {
  readonly edge: TestEdge;
  readonly logins: readonly Past<"loginData">[];
  readonly proven: readonly Past<"proven">[];
}

/** A device as the model knows it. */
export interface Player {
  readonly device: TestDevice;
  /** The device's program as it runs now, with its session. */
  client: PosternDevice;
  /** The newest generation that it accepted. */
  newest: number;
  /** Where its local copy lies. */
  readonly copy: CopyStore;
}

const CARDS_EACH = 3;
let deck: readonly Card[] | null = null;

export class Scene implements AsyncDisposable {
  readonly book = new TruthBook();
  readonly liar = new Liar();
  readonly handedIn: HandedMessage[] = [];
  readonly certificates: HandedCertificate[] = [];
  readonly players: Player[] = [];
  /** A device that the owner has revoked: its keys are the adversary's. */
  stolen: TestDevice;
  /** What the edge could keep of the life before the last restore, if there was one. */
  former: FormerLife | null = null;
  #messages = 0;
  #notes = 0;
  #devices = 0;

  readonly world: World;
  readonly cards: readonly Card[];

  private constructor(fields: Pick<Scene, "world" | "cards" | "stolen">) {
    this.world = fields.world;
    this.cards = fields.cards;
    this.stolen = fields.stolen;
  }

  static async create(): Promise<Scene> {
    const cards = deck ??= await makeDeck();
    const world = await World.create({ owners: 2 });
    const [, other] = world.managers;
    if (other === undefined) throw new Error("A scene has two owners");
    const stranger = await world.pair("stranger", {}, other);
    const stolen = await world.pair("lost");
    const scene = new Scene({ world, cards, stolen });
    scene.liar.attach(world.edge);
    for (const name of ["phone", "laptop"]) scene.players.push(await pairPlayer(world, name));
    for (const manager of world.managers) {
      for (const channel of CHANNELS) await manager.receive(channel, scene.mail("first"));
      for (const { der } of cards.slice(0, 4)) await manager.trust(der);
    }
    await other.sync();
    await scene.sync();
    await stolen.client.login();
    await world.manager.revoke(stolen.profile.device);
    await scene.sync();
    await stranger.client.verifyAll();
    return scene;
  }

  get manager(): TestManager {
    return this.world.manager;
  }

  /** The manager's program ends, and is started again on its folder. */
  async reopenManager(): Promise<void> {
    const { manager, world } = this;
    await manager[Symbol.asyncDispose]();
    world.managers[0] = await manager.reopened(manager.folder);
  }

  /** A message like no other. */
  mail(about: string, size = 20): Bytes {
    const subject = `${about} ${++this.#messages}`;
    return utf8(`From: a@example.org\r\nTo: b@example.org\r\nSubject: ${subject}\r\n\r\n${"x".repeat(size)}\r\n`);
  }

  /** A name that no device has yet. */
  deviceName(): string {
    return `device ${++this.#devices}`;
  }

  /** A turn of the owner's manager; what it signed is written down whether the turn ends well or not. */
  async sync(options: { readonly rotate?: boolean } = {}): Promise<void> {
    try {
      await this.manager.sync(options);
    } finally {
      await this.book.write(this.manager);
    }
  }

  /** A device hands in a message like no other. @throws `stale` under an overdue head */
  async handIn({ client }: Player, channel: string): Promise<void> {
    const raw = this.mail("out");
    const { stream, number } = await client.submit.message({ channel, raw });
    this.handedIn.push({ stream: toHex(stream), number, hash: toHex(sha256(raw)) });
  }

  /** A device hands in a certificate, with a note like no other. @throws `stale` under an overdue head */
  async handInCertificate({ client }: Player, der: Bytes): Promise<void> {
    const note = `note ${++this.#notes}`;
    const { stream, number } = await client.submit.certificate(der, note);
    this.certificates.push({ stream: toHex(stream), number, note });
  }

  /** Of messages that devices handed in: one that the manager holds otherwise than its newest head acknowledges; null if none. */
  async contradiction(): Promise<string | null> {
    const { rows } = await this.manager.db.execute<{ sha256: Bytes; count: number }>({
      sql: "SELECT sha256, COUNT(*) AS count FROM messages GROUP BY sha256",
      params: [],
    });
    const counts = new Map(rows.map((row) => [toHex(row.sha256), row.count]));
    for (const one of this.handedIn) {
      const [count, isTaken] = [counts.get(one.hash) ?? 0, this.book.isTaken(one)];
      if (count === (isTaken ? 1 : 0)) continue;
      return `a message that is ${isTaken ? "" : "not "}acknowledged is there ${count} times`;
    }
    return null;
  }

  /** What the owner is told, which is cleared. */
  async takeAlarms(): Promise<readonly Alarm[]> {
    const { db } = this.manager;
    const alarms = await openAlarms(db);
    if (alarms.length > 0) await clearAlarms(db, alarms, this.world.clock.now());
    return alarms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

/** Pairs a device; the next turn pushes it. */
export async function pairPlayer(world: World, name: string): Promise<Player> {
  const copy = new CopyInProcess();
  const device = await world.pair(name, { copy });
  return { device, client: device.client, newest: 0, copy };
}

async function makeDeck(): Promise<Card[]> {
  const cards: Card[] = [];
  for (let copy = 0; copy < CARDS_EACH; copy++) {
    for (const name of SUBJECTS.slice(0, -1)) {
      const der = await certificate(name);
      const fingerprint = sha256(der);
      cards.push({ der, fingerprint, hex: toHex(fingerprint), name, subject: readCertificate(der).subject });
    }
  }
  return cards;
}
