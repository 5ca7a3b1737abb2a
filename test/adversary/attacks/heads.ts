/** Lies about heads, histories, records and statements: at login, and in the session. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { sealHpke } from "../../../shared/crypto/hpke.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { decodeSignedHead, encodeHead, type Head, signHead } from "../../../shared/protocol/head.ts";
import { decodeRow } from "../../../shared/protocol/row.ts";
import type { Signer } from "../../../shared/protocol/signed.ts";
import { wrapInfo } from "../../../shared/protocol/wrap.ts";
import { signingKey } from "../../../manager/owner/keys.ts";
import { currentStatement } from "../../../manager/owner/statement.ts";
import { forgeStatement, lastHead, managersSigner } from "../../threats/forge.ts";
import { edited } from "../../threats/edge_database.ts";
import type { TestManager } from "../../fixtures/manager.ts";
import type { Dice } from "../dice.ts";
import type { Answer } from "../liar.ts";
import type { Player, Scene } from "../scene.ts";
import { type Attack, changed, flipped, twisting, without } from "./attack.ts";

type Shown = Answer<"head"> & { readonly head: Answer<"head">["head"] };

/** A lie about the head, wherever a device is shown one. */
function onHead(
  name: string,
  codes: readonly ErrorCode[],
  lie: <A extends Shown>(answer: A, scene: Scene, dice: Dice) => A,
): Attack[] {
  const twist = (scene: Scene, dice: Dice) => ({
    head: (answer: Answer<"head">) => lie(answer, scene, dice),
    record: (answer: Answer<"record">) => lie(answer, scene, dice),
    loginData: (answer: Answer<"loginData">) => answer === null ? answer : lie(answer, scene, dice),
  });
  return [
    twisting(name, "head", codes, twist),
    twisting(`${name}, at login`, "login", codes, twist),
  ];
}

/** A lie about how a head builds on the one seen before; a path of no hashes is not worth one. */
function onPath(name: string, lie: (path: readonly Bytes[], dice: Dice) => readonly Bytes[]): Attack[] {
  return onHead(
    name,
    ["forked"],
    (answer, _scene, dice) =>
      answer.history === null || answer.history.length === 0
        ? answer
        : { ...answer, history: lie(answer.history, dice) },
  ).map(withPath);
}

/** The same, once there is a head before the one to be shown that the device has seen. */
function withPath(attack: Attack): Attack {
  return {
    ...attack,
    async begin(scene, player, dice) {
      player.newest = (await player.client.head()).generation;
      await scene.sync();
      return await attack.begin(scene, player, dice);
    },
  };
}

/** A lie about what only a login and a record tell. */
function onRecord(
  name: string,
  codes: readonly ErrorCode[],
  lie: (answer: NonNullable<Answer<"loginData">>, scene: Scene, dice: Dice, player: Player) => Answer<"loginData">,
): Attack {
  return twisting(name, "login", codes, (scene, dice, player) => ({
    loginData: (answer) => answer === null ? answer : lie(answer, scene, dice, player),
  }));
}

const earlier = (scene: Scene, generation: number, dice: Dice) =>
  dice.of([...scene.liar.past("loginData"), ...scene.liar.past("record")].flatMap(({ answer, asked }) => {
    const owner = asked[0] instanceof Uint8Array ? asked[0] : asked[0].owner;
    return answer !== null && answer.head !== null && answer.generation < generation && isOwn(scene, owner)
      ? [answer]
      : [];
  }));

const isOwn = (scene: Scene, owner: Uint8Array) => equalBytes(owner.slice(), scene.world.owner);

/** A head that says something else than the last, signed with a key at hand. */
function forged(
  name: string,
  codes: readonly ErrorCode[],
  change: (head: Head, dice: Dice) => Partial<Head>,
  signerOf: (scene: Scene) => Promise<Signer>,
): Attack {
  return {
    ...{ name, victim: "head", codes },
    async begin(scene, player, dice) {
      // A fork shows to whoever has seen the other side.
      player.newest = (await player.client.head()).generation;
      const last = await lastHead(scene.manager);
      const head = { ...last, ...change(last, dice) };
      const signed = await signHead(encodeHead(head), await signerOf(scene));
      const { generation, epoch } = head;
      const shown = { generation, epoch, head: signed };
      scene.liar.begin({
        head: (answer) => ({ ...answer, ...shown }),
        record: (answer) => ({ ...answer, ...shown }),
      });
      return { hits: () => scene.liar.hits, end: () => scene.liar.end() };
    },
  };
}

function stranger({ world: { managers } }: Scene): TestManager {
  const [, manager] = managers;
  if (manager === undefined) throw new Error("There is no other owner");
  return manager;
}

const stolenKey = (scene: Scene) => Promise.resolve(scene.stolen.keys.sign);
const ownKey = (scene: Scene) => managersSigner(scene.manager);
const strangersKey = (scene: Scene) => managersSigner(stranger(scene));
const strangersRootKey = async (scene: Scene) => (await signingKey(stranger(scene).db, "root")).sign;
const strangersRoot = async (scene: Scene) => (await currentStatement(stranger(scene).db)).root;
const following = (head: Head): Partial<Head> => ({ generation: head.generation + 1, previous: webCryptoRandom(32) });
const otherwise = (head: Head): Partial<Head> => ({ time: head.time + 1 });

/** Another device's record, as the edge told it at a login. */
function recordOfAnother(scene: Scene, own: Bytes, dice: Dice): NonNullable<Answer<"loginData">> | undefined {
  return dice.of(
    scene.liar.past("loginData").flatMap(({ asked: [, device], answer }) =>
      answer === null || equalBytes(device, own) ? [] : [answer]
    ),
  );
}

/** The device's own record with its wrapped sym key replaced by one that the edge knows: HPKE does not say who wrapped. */
async function wrappedAnew(record: Bytes, { device }: Player, head: Bytes): Promise<Bytes> {
  const { extra } = decodeRow(record);
  if (extra === null) throw new Error("A record has what a login needs");
  const { suite } = device.keys;
  const info = wrapInfo(decodeSignedHead(head).head, device.profile.device, suite);
  const { encapsulated, ciphertext } = await sealHpke(
    suite,
    device.keys.kemPublicKey ?? device.keys.publicKey,
    info,
    webCryptoRandom(32),
  );
  return edited(record, (fields) => {
    const kept = fields[4];
    if (!Array.isArray(kept)) throw new Error("A record has what a login needs");
    const told = [...kept.slice(0, 4), encapsulated, ciphertext];
    return [...fields.slice(0, 4), told, ...fields.slice(5)];
  });
}

const wrapped: Attack = {
  name: "the sym key is one that the edge made",
  victim: "login",
  codes: ["tampered"],
  async begin(scene, player) {
    const { owner, device } = player.device.profile;
    const past = scene.liar.past("loginData").findLast(({ asked }) => equalBytes(asked[1], device))?.answer ?? null;
    if (past === null || past.head === null || !isOwn(scene, owner)) return null;
    const record = await wrappedAnew(past.record, player, past.head);
    scene.liar.begin({ loginData: (answer) => answer === null ? answer : { ...answer, record } });
    return { hits: () => scene.liar.hits, end: () => scene.liar.end() };
  },
};

/** A next statement, signed with a key at hand; it carries the certificate of the owner's root or of another one. */
function statement(
  name: string,
  codes: readonly ErrorCode[],
  signerOf: (scene: Scene) => Promise<Signer>,
  rootOf: (scene: Scene) => Promise<Bytes | undefined> = () => Promise.resolve(undefined),
): Attack {
  return {
    ...{ name, victim: "login", codes },
    async begin(scene) {
      const current = await currentStatement(scene.manager.db);
      const [signer, root] = [await signerOf(scene), await rootOf(scene)];
      const signed = await forgeStatement(scene.manager, { number: current.number + 1 }, signer, root);
      scene.liar.begin({
        loginData: (answer) => answer === null ? answer : { ...answer, statement: signed },
        publicStatement: () => signed,
      });
      return { hits: () => scene.liar.hits, end: () => scene.liar.end() };
    },
  };
}

export const HEAD_ATTACKS: readonly Attack[] = [
  ...onHead("an earlier head is shown", ["rolled_back", "tampered", "forked"], (answer, scene, dice) => {
    const other = earlier(scene, answer.generation, dice);
    if (other === undefined) return answer;
    return { ...answer, generation: other.generation, epoch: other.epoch, head: other.head };
  }),
  ...onHead("an earlier head is shown as that of now", ["rolled_back", "tampered", "forked"], (answer, scene, dice) => {
    const other = earlier(scene, answer.generation, dice);
    return other === undefined ? answer : { ...answer, head: other.head };
  }),
  ...onHead("no head is shown", ["withheld"], (answer) => ({ ...answer, head: null })),
  ...onHead(
    "a bit of the head is changed",
    ["tampered", "malformed", "rolled_back", "withheld", "unsupported"],
    (answer, _scene, dice) => answer.head === null ? answer : { ...answer, head: flipped(answer.head, dice) },
  ),
  ...onHead("another owner's head is shown", ["tampered", "rolled_back", "withheld"], (answer, scene, dice) => {
    const other = dice.of(scene.liar.past("loginData").filter(({ asked }) => !isOwn(scene, asked[0])));
    return other === undefined || other.answer === null ? answer : { ...answer, head: other.answer.head };
  }),
  ...onHead("a generation is named that the head is not of", ["tampered", "withheld", "rolled_back"], (answer) => ({
    ...answer,
    generation: answer.generation + 1,
  })),
  ...onHead("an epoch is named that the head is not of", ["tampered", "withheld", "rolled_back"], (answer) => ({
    ...answer,
    epoch: answer.epoch + 1,
  })),
  ...onHead(
    "the path through history is kept back",
    ["withheld"],
    (answer) => answer.history === null ? answer : { ...answer, history: null },
  ).map(withPath),
  ...onPath("the path through history is changed", (path, dice) => changed(path, dice, (hash) => flipped(hash, dice))),
  ...onPath("the path through history is cut", without),
  ...onPath("the path through history goes on", (path) => [...path, webCryptoRandom(32)]),
  forged("a head of now is signed by a stolen device", ["tampered"], otherwise, stolenKey),
  forged("a next head is signed by a stolen device", ["tampered"], following, stolenKey),
  forged("a next head is signed by another owner's manager", ["tampered"], following, strangersKey),
  forged("the manager's key signed another head of now", ["forked"], otherwise, ownKey),
  forged("the manager's key signed a next head on another", ["forked"], following, ownKey),
  forged("a head leads into another epoch's past", ["rolled_back", "tampered"], (head) => ({
    ...{ generation: head.generation + 2, epoch: head.epoch - 1 },
  }), ownKey),
  onRecord("another device's record is shown", ["tampered"], (answer, scene, dice, { device }) => {
    const other = recordOfAnother(scene, device.profile.device, dice);
    return other === undefined ? answer : { ...answer, record: other.record };
  }),
  onRecord("an earlier record is shown", ["tampered"], (answer, scene, dice, { device: { profile } }) => {
    const other = dice.of(
      scene.liar.past("loginData").flatMap(({ asked: [, device], answer: past }) =>
        past !== null && equalBytes(device, profile.device) && past.epoch < answer.epoch ? [past] : []
      ),
    );
    return other === undefined ? answer : { ...answer, record: other.record };
  }),
  onRecord("a bit of the record is changed", ["tampered", "unsupported"], (answer, _scene, dice) => ({
    ...answer,
    record: flipped(answer.record, dice),
  })),
  onRecord("another key is to verify the login", ["unauthorized"], (answer, scene) => ({
    ...answer,
    publicKey: scene.stolen.keys.publicKey,
  })),
  wrapped,
  statement("the owner statement is signed by a stolen device", ["tampered", "malformed"], stolenKey),
  statement("the owner statement is signed by the manager alone", ["tampered", "malformed"], ownKey),
  statement("the owner statement is signed by another owner's root", ["tampered"], strangersRootKey),
  statement("the owner statement carries the root that signed it", ["tampered"], strangersRootKey, strangersRoot),
  onRecord(
    "a bit of the owner statement is changed",
    ["tampered", "malformed", "unsupported", "untrusted", "rolled_back", "forked"],
    (answer, _scene, dice) =>
      answer.statement === null ? answer : { ...answer, statement: flipped(answer.statement, dice) },
  ),
  onRecord("another owner's statement is shown", ["tampered"], (answer, scene, dice) => {
    const other = dice.of(scene.liar.past("loginData").filter(({ asked }) => !isOwn(scene, asked[0])));
    const statement = other?.answer?.statement;
    return statement === undefined ? answer : { ...answer, statement };
  }),
];
