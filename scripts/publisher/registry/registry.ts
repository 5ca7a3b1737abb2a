/**
 * A publisher's registry, in a folder: `registry.json` with the one secret (secret.ts), and `registry.db`, a libSQL file with who is
 * registered (schema.ts). Every change is one transaction and is on the disk before anything is handed out, so a crash leaves the
 * registry as it was or as it shall be, and no leaf is ever given out twice.
 */
import { join } from "node:path";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { failedConstraint } from "../../../shared/database/failures.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { compile, query } from "../../../shared/database/query.ts";
import { PosternError } from "../../../shared/errors.ts";
import {
  instanceIdOf,
  judgeRenewal,
  readRegistrationRequest,
  type RegistrationRequest,
} from "../../../shared/manifest/registration_request.ts";
import type { KnownInstance, RecipientSource } from "../recipients.ts";
import { type InstancesTable, REGISTRY_MIGRATIONS, tables } from "./schema.ts";
import type { RegistrySecret } from "./secret.ts";

export const SECRET_FILE = "registry.json";
export const DATABASE_FILE = "registry.db";

/** Rows that are in memory at once. */
const PAGE_ROWS = 20_000;
/** A request has 1.4 KiB. */
const PAGE_REQUESTS = 256;
const LEAF_BYTES = 4;
const BEFORE_ALL = new Uint8Array(0);

/** An instance as it is registered. */
export type Registered = Readonly<Pick<InstancesTable, keyof InstancesTable>>;

/** A request, and what was read from it. */
export interface HandedIn {
  readonly bytes: Bytes;
  readonly read: RegistrationRequest;
}

/** What a request came to: `new` the first time, `newer` with newer keys, `same` if nothing changed. */
export interface Registering {
  readonly outcome: "new" | "newer" | "same";
  readonly instance: Registered;
}

const one = query((p: { id: Bytes }) => tables.selectFrom("instances").selectAll().where("id", "=", p.id).limit(1));
const requestOf = query((p: { id: Bytes }) => tables.selectFrom("requests").select("request").where("id", "=", p.id));
const insert = query((p: Registered) =>
  tables.insertInto("instances").values({
    ...{ id: p.id, leaf: p.leaf, mdk_version: p.mdk_version, key_version: p.key_version, registered: p.registered },
    ...{ revoked: p.revoked, revoked_key_version: p.revoked_key_version },
  })
);
const insertRequest = query((p: { id: Bytes; request: Bytes }) =>
  tables.insertInto("requests").values({ id: p.id, request: p.request })
);
const replaceRequest = query((p: { id: Bytes; before: Bytes; request: Bytes }) =>
  tables.updateTable("requests").set({ request: p.request }).where("id", "=", p.id).where("request", "=", p.before)
);
const setMdkVersion = query((p: { id: Bytes; mdk_version: number }) =>
  tables.updateTable("instances").set({ mdk_version: p.mdk_version }).where("id", "=", p.id)
);
const setKeyVersion = query((p: { id: Bytes; key_version: number }) =>
  tables.updateTable("instances").set({ key_version: p.key_version }).where("id", "=", p.id)
);
const setRevoked = query((p: { id: Bytes; revoked: number; revoked_key_version: number }) =>
  tables.updateTable("instances").set({ revoked: p.revoked, revoked_key_version: p.revoked_key_version })
    .where("id", "=", p.id).where("revoked", "is", null)
);
const requests = query((p: { after: Bytes; limit: number }) =>
  tables.selectFrom("requests").innerJoin("instances", "instances.id", "requests.id")
    .select(["requests.id as id", "requests.request as request"]).where("requests.id", ">", p.after)
    .where("instances.revoked", "is", null).orderBy("requests.id").limit(p.limit)
);
const revokedLeaves = query((p: { key_version: number }) =>
  tables.selectFrom("instances").select("leaf").where("revoked", "is not", null)
    .where("revoked_key_version", "=", p.key_version).orderBy("leaf")
);
const counted = compile(
  tables.selectFrom("instances").select(({ fn }) => [
    fn.countAll<number>().as("all"),
    fn.count<number>("revoked").as("revoked"),
  ]),
);

const PAGE = `SELECT max(id) AS last, group_concat(lower(hex(id)) || ' ' || mdk_version || ' ' || key_version || ' ' ||
  registered || ' ' || ifnull(revoked, ''), char(10)) AS lines
  FROM (SELECT * FROM instances WHERE id > ? AND (revoked IS NOT NULL) >= ? ORDER BY id LIMIT ?)`;

/** An instance as it is listed. */
export interface Listed {
  /** Hex. */
  readonly id: string;
  readonly mdkVersion: number;
  readonly keyVersion: number;
  /** Millis. */
  readonly registered: number;
  readonly revoked: number | null;
}

function readLine(line: string): Listed {
  const [id = "", mdkVersion, keyVersion, registered, revoked = ""] = line.split(" ");
  const numbers = { mdkVersion: Number(mdkVersion), keyVersion: Number(keyVersion), registered: Number(registered) };
  return { id, ...numbers, revoked: revoked === "" ? null : Number(revoked) };
}

export class Registry implements AsyncDisposable {
  readonly #db: Database;
  readonly #secret: RegistrySecret;

  private constructor(db: Database, secret: RegistrySecret) {
    this.#db = db;
    this.#secret = secret;
  }

  /** Opens what a folder holds. @throws `storage` and what opening a database throws */
  static async open(folder: string, secret: RegistrySecret): Promise<Registry> {
    const db = await openDatabase(`file:${join(folder, DATABASE_FILE)}`);
    try {
      await migrate(db, REGISTRY_MIGRATIONS);
    } catch (error) {
      await db.close();
      throw error;
    }
    return new Registry(db, secret);
  }

  get secret(): RegistrySecret {
    return this.#secret;
  }

  /** @throws `not_found` */
  async find(id: Bytes): Promise<Registered> {
    const { rows: [found] } = await this.#db.execute(one.bind({ id }));
    if (found !== undefined) return found;
    throw new PosternError("not_found", `the registry has no instance ${toHex(id)}: see instance.ts list`);
  }

  /**
   * Registers an instance, or takes in its newer keys; whoever is registered keeps the leaf.
   *
   * @throws `revoked` for an instance that was; `rolled_back` for older keys or other keys of one version (spec: REG-04)
   */
  async register({ bytes, read }: HandedIn, now: number, random: RandomBytes): Promise<Registering> {
    const id = instanceIdOf(read.identityKey);
    for (;;) {
      const [{ rows: [known] }, { rows: [before] }] = await this.#db.batch([one.bind({ id }), requestOf.bind({ id })]);
      if (known !== undefined && before !== undefined) return await this.#renew(known, before.request, { bytes, read });
      const instance = {
        ...{ id, leaf: this.#drawLeaf(random), mdk_version: read.keys.version, registered: now },
        ...{ key_version: this.#secret.generation.keyVersion, revoked: null, revoked_key_version: null },
      };
      try {
        await this.#db.batch([insert.bind(instance), insertRequest.bind({ id, request: bytes })]);
        return { outcome: "new", instance };
      } catch (error) {
        // The leaf is somebody's, or another process registers the same instance: draw, or look, again.
        if (failedConstraint(error)?.kind !== "unique") throw error;
      }
    }
  }

  async #renew(known: Registered, before: Bytes, { bytes, read }: HandedIn): Promise<Registering> {
    if (known.revoked !== null) throw new PosternError("revoked", `instance ${toHex(known.id)} was revoked`);
    const { keys, time } = await readRegistrationRequest(before);
    const outcome = judgeRenewal({ instance: known.id, keys, time }, read);
    const key_version = this.#secret.generation.keyVersion;
    const [{ changes }] = await this.#db.batch([
      replaceRequest.bind({ id: known.id, before, request: bytes }),
      setMdkVersion.bind({ id: known.id, mdk_version: read.keys.version }),
      setKeyVersion.bind({ id: known.id, key_version }),
    ]);
    if (changes !== 1) throw new PosternError("conflict", "another process registers the same instance; do it again");
    return { outcome, instance: { ...known, mdk_version: read.keys.version, key_version } };
  }

  /** Evenly from all leaves (spec: COVER-02). The tables refuse one that was ever given out. */
  #drawLeaf(random: RandomBytes): number {
    const { depth } = this.#secret.generation;
    const bits = new DataView(random(LEAF_BYTES).buffer).getUint32(0);
    return Math.floor(bits / 2 ** (32 - depth));
  }

  /** Revokes; one that was revoked stays so, from when it was. @throws `not_found` */
  async revoke(id: Bytes, now: number): Promise<Registered> {
    const revoked_key_version = this.#secret.generation.keyVersion;
    await this.#db.execute(setRevoked.bind({ id, revoked: now, revoked_key_version }));
    return await this.find(id);
  }

  /**
   * All that were ever registered, by id, in pages. A page comes as one text: five times as fast as a row after the other (measured at a
   * million: 1.0 s instead of 5.1).
   */
  async *all(onlyRevoked: boolean): AsyncGenerator<readonly Listed[]> {
    for (let after: Bytes = BEFORE_ALL;;) {
      const params = [after, onlyRevoked ? 1 : 0, PAGE_ROWS];
      const { rows: [page] } = await this.#db.execute<{ last: Bytes | null; lines: string | null }>({
        sql: PAGE,
        params,
      });
      if (page === undefined || page.last === null || page.lines === null) return;
      yield page.lines.split("\n").map(readLine);
      after = page.last;
    }
  }

  /** Counts. */
  async count(): Promise<{ readonly all: number; readonly revoked: number }> {
    const { rows: [counts] } = await this.#db.execute(counted);
    return counts ?? { all: 0, revoked: 0 };
  }

  /** The newest request of everybody who is not revoked, read and verified again. */
  async *requests(): AsyncGenerator<HandedIn> {
    for (let after: Bytes = BEFORE_ALL;;) {
      const { rows } = await this.#db.execute(requests.bind({ after, limit: PAGE_REQUESTS }));
      const last = rows.at(-1);
      if (last === undefined) return;
      for (const { id, request } of rows) {
        const read = await readRegistrationRequest(request);
        if (equalBytes(instanceIdOf(read.identityKey), id)) yield { bytes: request, read };
        else throw new PosternError("storage", `the registry's request of ${toHex(id)} is another instance's`);
      }
      after = last.id;
    }
  }

  /** Notes that an instance was given the present generation of the manifest key. */
  async noteAnswered(id: Bytes): Promise<void> {
    await this.#db.execute(setKeyVersion.bind({ id, key_version: this.#secret.generation.keyVersion }));
  }

  /** What encryption needs: for whom the next release is. */
  async recipients(): Promise<RecipientSource> {
    const { product, keyVersion } = this.#secret.generation;
    // Whoever was revoked under an earlier key was never given this one.
    const { rows } = await this.#db.execute(revokedLeaves.bind({ key_version: keyVersion }));
    const secret = this.#secret.cover();
    const revoked = rows.map(({ leaf }) => leaf);
    return { product, keyVersion, secret, revoked, instances: () => this.#instances() };
  }

  async *#instances(): AsyncGenerator<KnownInstance> {
    for await (const { read: { identityKey, keys } } of this.requests()) {
      const id = instanceIdOf(identityKey);
      const { version, xwing, x25519 } = keys;
      yield { id: toHex(id), entrySecret: this.#secret.entrySecret(id), mdkVersion: version, xwing, x25519 };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.close();
  }
}
