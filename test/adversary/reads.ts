/** What devices ask for, and whether what they were given is true at the generation that they were told. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { PosternError } from "../../shared/errors.ts";
import type { PosternDevice } from "../../shared/client/mod.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { AsOf } from "../../shared/client/verify/view.ts";
import type { Dice } from "./dice.ts";
import { CHANNELS, type Player, type Scene, SUBJECTS } from "./scene.ts";
import type { Truth } from "./truth.ts";

// A page may be shorter than asked for if it says that there may be more, which is found out by asking on. That there is no more is a
// claim (spec: READ-01, READ-09).

/** What a device accepted: of which generation, what it was, and what it should have been. */
interface Accepted {
  readonly asOf: AsOf;
  readonly found: unknown;
  readonly expected: (truth: Truth) => unknown;
}

/** One way of reading. @throws what the device throws */
export interface Read {
  readonly name: string;
  readonly run: (client: PosternDevice, scene: Scene, dice: Dice) => Promise<Accepted>;
}

const byFingerprint: Read = {
  name: "certificates.byFingerprint",
  async run(client, { cards }, dice) {
    const card = dice.of(cards);
    if (card === undefined) throw new Error("There are no certificates");
    const { found, asOf } = await client.certificates.byFingerprint(card.fingerprint);
    return { asOf, found: found?.status, expected: ({ certificates }) => certificates.get(card.hex) };
  },
};

const bySubject: Read = {
  name: "certificates.bySubject",
  async run(client, { cards }, dice) {
    const name = dice.of(SUBJECTS) ?? "";
    const subject = cards.find((card) => card.name === name)?.subject ?? "";
    const { found, asOf } = await client.certificates.bySubject(name);
    return {
      asOf,
      found: found.map(({ fingerprint, status }) => `${toHex(fingerprint)} ${status}`).sort(),
      expected: ({ subjects, certificates }) =>
        (subjects.get(subject) ?? []).map((hex) => `${hex} ${certificates.get(hex)}`).sort(),
    };
  },
};

const channels: Read = {
  name: "messages.channels",
  async run(client) {
    const { found, asOf } = await client.messages.channels();
    return {
      asOf,
      found: found.map(({ name }) => name).sort(),
      expected: (truth) => [...truth.channels.keys()].sort(),
    };
  },
};

const newest: Read = {
  name: "messages.list, the newest",
  async run(client, _scene, dice) {
    const channel = dice.of(CHANNELS) ?? "";
    const limit = 1 + dice.below(4);
    const { messages, more, asOf } = await client.messages.list(channel, { limit });
    return {
      asOf,
      found: [messages.map(({ position, sha256 }) => [position, toHex(sha256)]), more],
      expected: (truth) => {
        const all = (truth.channels.get(channel) ?? []).map(({ position, sha256 }) => [position, sha256]).reverse();
        return [all.slice(0, more ? messages.length : limit), more || all.length > limit];
      },
    };
  },
};

const following: Read = {
  name: "messages.list, after a position",
  async run(client, _scene, dice) {
    const channel = dice.of(CHANNELS) ?? "";
    const after = dice.below(8);
    const limit = 1 + dice.below(6);
    const { messages, more, asOf } = await client.messages.list(channel, { after, limit });
    return {
      asOf,
      found: [messages.map(({ position, sha256 }) => [position, toHex(sha256)]), more],
      expected: (truth) => {
        const all = (truth.channels.get(channel) ?? []).map(({ position, sha256 }) => [position, sha256] as const);
        const rest = all.filter(([position]) => position > after);
        return [rest.slice(0, more ? messages.length : limit), more || rest.length > limit];
      },
    };
  },
};

const whole: Read = {
  name: "messages.read",
  async run(client, _scene, dice) {
    const channel = dice.of(CHANNELS) ?? "";
    const { messages: [message], asOf } = await client.messages.list(channel, { limit: 1 });
    const bytes = message === undefined ? null : await client.messages.read(message);
    return {
      asOf,
      found: bytes === null ? undefined : toHex(sha256(bytes)),
      expected: (truth) => truth.channels.get(channel)?.at(-1)?.sha256,
    };
  },
};

const head: Read = {
  name: "head",
  async run(client) {
    const report = await client.head();
    return { asOf: report, found: report.epoch, expected: ({ epoch }) => epoch };
  },
};

const login: Read = {
  name: "login",
  async run(client) {
    const report = await client.login();
    return { asOf: report, found: report.epoch, expected: ({ epoch }) => epoch };
  },
};

const everything: Read = {
  name: "verifyAll",
  async run(client) {
    const { asOf, contents } = await client.verifyAll();
    return {
      asOf,
      found: [contents.certificates, contents.messages],
      expected: ({ certificates, channels }) => [
        certificates.size,
        [...channels.values()].reduce((sum, messages) => sum + messages.length, 0),
      ],
    };
  },
};

/** Most of what a copy holds, once it has followed: each row of it was verified by the root that the manager signed. */
const copied: Read = {
  name: "copy",
  async run({ copy }, { cards }, dice) {
    if (copy === null) throw new Error("There is no copy");
    const { asOf } = await copy.sync();
    const channel = dice.of(CHANNELS) ?? "";
    const { messages, more } = await copy.messages.list(channel, { limit: 20 });
    const statuses: unknown[] = [];
    for (const { fingerprint } of cards) {
      statuses.push((await copy.certificates.byFingerprint(fingerprint)).found?.status);
    }
    return {
      asOf,
      found: [statuses, messages.map(({ position, sha256 }) => [position, toHex(sha256)])],
      expected: ({ certificates, channels }) => [
        cards.map(({ hex }) => certificates.get(hex)),
        (channels.get(channel) ?? []).map(({ position, sha256 }) => [position, sha256]).reverse()
          .slice(0, more ? messages.length : undefined),
      ],
    };
  },
};

/** A copy that was lost, or is the first. */
const copiedAnew: Read = { ...copied, name: "copy, anew" };

/** What is reported beside what is shown ends the read with its code; an epoch that turned is no lie, and hides what is in it. */
const pending: Read = {
  name: "certificates.pending",
  async run(client, { certificates }) {
    const { found, ignored, faults, asOf } = await client.certificates.pending();
    const reported = [...faults, ...ignored].find(({ code }) => code !== "epoch_gone");
    if (reported !== undefined) throw new PosternError(reported.code, reported.message);
    return {
      asOf,
      found: [found.map(({ note }) => note).sort(), found.length + ignored.length],
      expected: ({ taken }) => {
        const left = certificates.filter(({ stream, number }) => number > (taken.get(stream) ?? 0));
        const shown = new Set(found.map(({ note }) => note));
        return [left.map(({ note }) => note).filter((note) => shown.has(note)).sort(), left.length];
      },
    };
  },
};

/** Reads that ask for single answers, and so rest on proofs. */
export const LOOKUPS: readonly Read[] = [byFingerprint, bySubject, channels, newest, following, whole];
export const READS: readonly Read[] = [...LOOKUPS, ...LOOKUPS, head, login, everything, pending, copied];
export const HEADS: readonly Read[] = [head];
export const LOGINS: readonly Read[] = [login];
export const TABLES: readonly Read[] = [everything, everything, copiedAnew];
export const COPIES: readonly Read[] = [copied];
export const PENDING: readonly Read[] = [pending];

/**
 * Runs a read as this player; what is wrong with what it accepted, or null.
 *
 * @throws what the device throws
 */
export async function readAs(player: Player, read: Read, scene: Scene, dice: Dice): Promise<string | null> {
  // A login is that of the device's program started again, which remembers what it saw.
  if (read === login) player.client = player.device.start();
  if (read === copiedAnew) {
    await player.copy.clear();
    player.client = player.device.start();
  }
  const { asOf, found, expected } = await read.run(player.client, scene, dice);
  const truth = scene.book.at(asOf.generation);
  if (truth === undefined) return `${read.name}: there is no generation ${asOf.generation}`;
  if (asOf.generation < player.newest) {
    return `${read.name}: generation ${asOf.generation} after ${player.newest} was seen`;
  }
  player.newest = asOf.generation;
  const isOverdue = scene.world.clock.now() > truth.nextDue + LIMITS.headGraceMillis;
  if (isOverdue !== (asOf.freshness === "overdue")) return `${read.name}: said to be ${asOf.freshness}, and is not`;
  if (truth.isForked !== (asOf.alarm !== null)) {
    return `${read.name}: an alarm of a fork is ${asOf.alarm === null ? "missing" : "false"}`;
  }
  const [was, should] = [JSON.stringify(found), JSON.stringify(expected(truth))];
  return was === should ? null : `${read.name}: ${was} instead of ${should} at generation ${asOf.generation}`;
}
