/** An owner with devices and contents, sealed and signed generation by generation as a manager does it; nothing is stored anywhere. */
import { NOW, OwnerFixture } from "../../fixtures/owner.ts";
import { type Bytes, compareBytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { createDeviceKeys, type DeviceKeys } from "../../../shared/client/identity/device_keys.ts";
import { acceptGrant, pairingRequest } from "../../../shared/client/identity/pair.ts";
import type { DeviceProfile } from "../../../shared/client/identity/profile.ts";
import type { DeviceState } from "../../../shared/client/memory/state.ts";
import { secretKey, type SymKey } from "../../../shared/crypto/brand.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { sealHpke } from "../../../shared/crypto/hpke.ts";
import { hpkePublicKeyOfSpki } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { generateX25519, type X25519KeyPair } from "../../../shared/crypto/x25519.ts";
import { appendToHistory, EMPTY_HISTORY, type History, historyRoot } from "../../../shared/merkle/history.ts";
import { rootOfSorted } from "../../../shared/merkle/sorted_root.ts";
import { treeKey } from "../../../shared/merkle/tree_hash.ts";
import type { Acknowledgement } from "../../../shared/protocol/acknowledgement.ts";
import { deriveEpochKeys, type EpochKeys } from "../../../shared/protocol/epoch_keys.ts";
import { type Head, type HeadAlarm, sealHeadSecrets } from "../../../shared/protocol/head.ts";
import { encodePairingGrant, pairingText, parsePairingText } from "../../../shared/protocol/pairing.ts";
import {
  contentLeaf,
  encodeCertificate,
  encodeChannel,
  encodeDevice,
  encodeMessage,
  encodePart,
} from "../../../shared/protocol/plaintexts.ts";
import { encodeChanges, encodeCover } from "../../../shared/protocol/records.ts";
import { type DeviceExtra, rowHash, sealRow } from "../../../shared/protocol/row.ts";
import type { EdgeName } from "../../../shared/protocol/statement.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../../../shared/protocol/tables.ts";
import { type ListName, LISTS, rowKey } from "../../../shared/protocol/token.ts";
import { wrapInfo } from "../../../shared/protocol/wrap.ts";
import { partCount } from "../../../shared/client/verify/verify_message.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";

export { NOW };
/** Heads come this often in the tests, Millis. */
export const INTERVAL = 300_000;

/** A paired device, as both sides know it. */
export interface WorldDevice {
  readonly profile: DeviceProfile;
  readonly keys: DeviceKeys;
  /** As pairing left it. */
  readonly state: DeviceState;
  readonly name: string;
}

/** A plaintext and where it stands. */
export interface WorldContent {
  readonly table: TableName;
  readonly list: ListName;
  readonly number: number;
  readonly plaintext: Bytes;
}

/** A row in its place in the tree. */
export interface WorldRow {
  readonly key: Bytes;
  readonly token: Bytes;
  readonly number: number;
  readonly bytes: Bytes;
}

/** Everything that a generation consists of. */
export interface Generation {
  readonly head: Head;
  readonly signed: Bytes;
  readonly hash: Bytes;
  readonly keys: EpochKeys;
  readonly statement: Bytes;
  readonly tables: Readonly<Record<TableName, readonly WorldRow[]>>;
}

/** How a generation differs from an ordinary one. */
export interface TurnOptions {
  /** Stay in the epoch, with its sealed rows where nothing changed. */
  readonly delta?: boolean;
  readonly fields?: Partial<Head>;
  readonly alarm?: HeadAlarm;
}

export class World {
  readonly owner: OwnerFixture;
  readonly edgeKey: X25519KeyPair;
  readonly edge: EdgeName;
  readonly devices: WorldDevice[] = [];
  readonly contents: WorldContent[] = [];
  readonly generations: Generation[] = [];
  acks: Acknowledgement[] = [];
  /** Time of the next head, Millis. */
  time = NOW;
  #symKey: SymKey = secretKey<"SymKey">(webCryptoRandom(32));
  #covers = 1;

  private constructor(owner: OwnerFixture, edge: EdgeName, edgeKey: X25519KeyPair) {
    this.owner = owner;
    this.edge = edge;
    this.edgeKey = edgeKey;
  }

  static async create(origin = "https://edge.test/postern"): Promise<World> {
    const edgeKey = await generateX25519();
    const edge = { origin, key: edgeKey.publicKey };
    return new World(await OwnerFixture.create(edge), edge, edgeKey);
  }

  /** The newest generation. */
  get current(): Generation {
    const newest = this.generations.at(-1);
    if (newest === undefined) throw new Error("nothing was published yet");
    return newest;
  }

  /** Pairs a device as its owner would; it is in from the next turn on. */
  async pair(name = "device", keys?: DeviceKeys): Promise<WorldDevice> {
    const own = keys ?? await createDeviceKeys({ extractable: true }, webCryptoRandom);
    const request = await pairingRequest(own, name, webCryptoRandom);
    const { statement } = this.owner;
    const newest = this.generations.at(-1);
    const grant = encodePairingGrant({
      ...{ owner: this.owner.id, device: webCryptoRandom(16), registration: this.devices.length + 1 },
      ...{ certificate: null, origin: this.edge.origin, edgeKey: this.edge.key },
      statement: { number: statement.number, hash: statement.hash },
      newest: newest === undefined ? null : { generation: newest.head.generation, head: newest.hash },
      request: sha256(parsePairingText(request)),
    });
    const { profile, state } = await acceptGrant(own, request, pairingText(grant));
    const device = { profile, keys: own, state, name };
    this.devices.push(device);
    return device;
  }

  /** Takes a device out, from the next turn on. */
  revoke(device: WorldDevice): void {
    this.devices.splice(this.devices.indexOf(device), 1);
  }

  addCertificate(der: Bytes, status: 0 | 1 | 2, { isAnchor = false, number = 0 } = {}): void {
    const { fingerprint, subject } = readCertificate(der);
    const plaintext = encodeCertificate({
      der,
      status,
      added: NOW,
      origin: "owner",
      note: "",
      isAnchor,
      reason: "",
    });
    this.contents.push(
      { table: "certificates", list: LISTS.fingerprint(fingerprint), number: 0, plaintext },
      { table: "certificates", list: LISTS.subject(subject), number, plaintext },
    );
  }

  addChannel(name: string): void {
    const number = this.contents.filter(({ list }) => list.kind === "channels").length + 1;
    const plaintext = encodeChannel({ name, created: NOW });
    this.contents.push({ table: "messages", list: LISTS.channels, number, plaintext });
  }

  /** Puts a message into a channel; returns its id. */
  addMessage(channel: string, position: number, raw: Bytes): Bytes {
    const id = webCryptoRandom(16);
    const parts = partCount(raw.length);
    const plaintext = encodeMessage({
      ...{ id, channel, position, direction: "in", date: NOW, added: NOW, size: raw.length, sha256: sha256(raw) },
      ...{ summary: { from: "a", to: "b", subject: "c" }, parts, inline: parts === 0 ? raw : null },
    });
    this.contents.push({ table: "messages", list: LISTS.channel(channel), number: position, plaintext });
    for (let index = 0; index < parts; index++) {
      const start = index * LIMITS.messagePartBytes;
      const bytes = raw.slice(start, start + LIMITS.messagePartBytes);
      this.contents.push({
        ...{ table: "messages", list: LISTS.message(id), number: index },
        plaintext: encodePart({ message: id, index, bytes }),
      });
    }
    return id;
  }

  /** Publishes the next generation: a new epoch unless it is a delta. */
  async turn({ delta = false, fields = {}, alarm }: TurnOptions = {}): Promise<Generation> {
    const before = this.generations.at(-1);
    const generation = fields.generation ?? (before?.head.generation ?? 0) + 1;
    const epoch = delta && before !== undefined ? before.head.epoch : fields.epoch ?? (before?.head.epoch ?? 0) + 1;
    if (!delta || before === undefined) this.#symKey = secretKey<"SymKey">(webCryptoRandom(32));
    const context = { owner: this.owner.id, incarnation: this.owner.incarnation, epoch };
    const keys = await deriveEpochKeys(this.#symKey, context, null);
    const tables = await this.#sealTables(keys, generation, delta && before !== undefined ? before : null);
    const state = (name: TableName) =>
      rootOfSorted(tables[name].map(({ key, bytes }) => ({ key, rowHash: rowHash(bytes) })));
    const head = await this.owner.head({
      ...{ generation, epoch, previous: before?.hash ?? null, commitment: keys.commitment },
      tables: {
        ...{ devices: state("devices"), certificates: state("certificates") },
        ...{ messages: state("messages"), changes: state("changes") },
      },
      ...{ time: this.time, nextDue: this.time + INTERVAL, acks: this.acks },
      history: this.history(),
      sealed: await sealHeadSecrets(
        keys,
        generation,
        { contentRoot: this.#contentRoot(), alarm: alarm ?? null, listed: null },
        webCryptoRandom,
      ),
      ...fields,
    });
    this.time += INTERVAL;
    const published = { ...head, keys, statement: this.owner.statement.signed, tables };
    this.generations.push(published);
    return published;
  }

  /** The hashes of all heads of the present incarnation, in their order: what the next head's history is made of. */
  heads(): Bytes[] {
    const { incarnation } = this.owner;
    return this.generations.filter(({ head }) => equalBytes(head.incarnation, incarnation)).map(({ hash }) => hash);
  }

  /** What the next head says of {@link heads}. */
  history(): Head["history"] {
    const history = historyOf(this.heads());
    return { size: history.size, root: historyRoot(history) };
  }

  async #sealTables(keys: EpochKeys, generation: number, before: Generation | null): Promise<Generation["tables"]> {
    const changes = encodeChanges({ generation, changes: [] });
    const log = {
      table: "changes",
      list: { kind: "generations", name: "" },
      number: generation,
      plaintext: changes,
    } as const;
    const tables: Record<TableName, WorldRow[]> = { devices: [], certificates: [], messages: [], changes: [] };
    for (const name of TABLE_NAMES) {
      const contents = name === "devices"
        ? this.#deviceContents()
        : this.contents.filter(({ table }) => table === name);
      for (const content of name === "changes" ? [log] : contents) {
        tables[name].push(await this.#seal(keys, content, before));
      }
      if (before !== null && name === "changes") tables[name].push(...before.tables.changes);
    }
    for (let index = 0; index < this.#covers; index++) tables.messages.push(await this.#cover(keys));
    for (const name of TABLE_NAMES) tables[name].sort((a, b) => compareBytes(a.key, b.key));
    return tables;
  }

  async #cover(keys: EpochKeys): Promise<WorldRow> {
    const place = { table: TABLES.messages, token: webCryptoRandom(32), number: 0 };
    const bytes = await sealRow(keys, place, null, encodeCover(200), webCryptoRandom);
    return { ...place, key: treeKey(place.token, 0), bytes };
  }

  async #seal(keys: EpochKeys, content: WorldContent, before: Generation | null): Promise<WorldRow> {
    const place = rowKey(keys, content.list, content.number);
    const key = treeKey(place.token, place.number);
    const known = before?.tables[content.table].find((row) => compareBytes(row.key, key) === 0);
    if (known !== undefined) return known;
    const extra = content.table === "devices" ? await this.#extra(keys, content.list.name as Bytes) : null;
    return { ...place, key, bytes: await sealRow(keys, place, extra, content.plaintext, webCryptoRandom) };
  }

  #deviceContents(): WorldContent[] {
    return this.devices.map(({ profile, keys, name }) => ({
      ...{ table: "devices", list: LISTS.device(profile.device), number: 0 },
      plaintext: encodeDevice({
        ...{ id: profile.device, registration: profile.registration, name, publicKey: keys.publicKey },
        ...{ certificate: null, suite: keys.suite, kemPublicKey: keys.kemPublicKey, added: NOW },
      }),
    }));
  }

  async #extra(keys: EpochKeys, id: Bytes): Promise<DeviceExtra> {
    const device = this.devices.find(({ profile }) => compareBytes(profile.device, id) === 0);
    if (device === undefined) throw new Error("no such device");
    const { suite, publicKey, kemPublicKey } = device.keys;
    const recipient = kemPublicKey ?? hpkePublicKeyOfSpki(publicKey).publicKey;
    const { encapsulated, ciphertext } = await sealHpke(
      suite,
      recipient,
      wrapInfo(keys, id, suite),
      this.#symKey.slice(),
    );
    return {
      ...{ device: id, registration: device.profile.registration, publicKey, suite, encapsulated, wrapped: ciphertext },
    };
  }

  #contentRoot(): Bytes {
    const leaves = [...this.#deviceContents(), ...this.contents].map(({ list, number, plaintext }) => {
      const { key, value } = contentLeaf(list, number, plaintext);
      return { key, rowHash: value };
    });
    return rootOfSorted(leaves.sort((a, b) => compareBytes(a.key, b.key))).root;
  }
}

function historyOf(heads: readonly Bytes[]): History {
  return heads.reduce<History>((history, head) => appendToHistory(history, head).history, EMPTY_HISTORY);
}
