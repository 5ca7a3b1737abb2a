/** Attacks on what devices are shown of submissions that no head covers yet. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { decodeSignedSubmission } from "../../../shared/protocol/submission.ts";
import type { Dice } from "../dice.ts";
import type { Answer } from "../liar.ts";
import type { Player, Scene } from "../scene.ts";
import { type Attack, changed, flipped } from "./attack.ts";

type Entries = Answer<"list">["entries"];
type Lie = (
  entries: Entries,
  setting: { readonly scene: Scene; readonly player: Player; readonly dice: Dice },
) => Entries;

/** What has to be pending for a lie to be about something: nothing more, since every submission makes the turns to come dearer. */
type Setting = "own" | "another's" | "two of another's" | "whatever is there";

/** Shown to one device, once something was handed in. */
function onPending(
  name: string,
  setting: Setting,
  codes: readonly ErrorCode[],
  lie: Lie,
  later: Pick<Attack, "later" | "settled"> = {},
): Attack {
  return {
    ...{ name, victim: "pending", codes, ...later },
    async begin(scene, player, dice) {
      const { liar, world, cards } = scene;
      const other = scene.players.find((one) => one !== player);
      const card = dice.of(cards);
      if (other === undefined || card === undefined) return null;
      if (!await handIn(scene, setting, player, other, card.der)) return null;
      liar.begin({
        list: (answer, [principal]) => {
          if (principal.manager || !equalBytes(principal.owner, world.owner)) return answer;
          const entries = lie(answer.entries, { scene, player, dice });
          return entries === answer.entries ? answer : { ...answer, entries };
        },
      });
      return { hits: () => liar.hits, end: () => liar.end() };
    },
  };
}

/** Of two in one stream, the second is one that other devices cannot open. False under an overdue head. */
async function handIn(scene: Scene, setting: Setting, player: Player, other: Player, der: Bytes): Promise<boolean> {
  try {
    if (setting === "own") await scene.handInCertificate(player, der);
    if (setting === "another's" || setting === "two of another's") await scene.handInCertificate(other, der);
    if (setting === "two of another's") await scene.handIn(other, "chat");
    return true;
  } catch (error) {
    if (!isPosternError(error, "stale")) throw error;
    return false;
  }
}

/** As if they had arrived so. */
function inThisOrder(signed: readonly Bytes[]): Entries {
  return signed.map((bytes, index) => [index + 1, bytes] as const);
}

const bytesOf = (entries: Entries) => entries.map(([, signed]) => signed);
const deviceOf = ([, signed]: Entries[number]) => decodeSignedSubmission(signed).submission.device;
const isOf = ({ device }: Player) => (entry: Entries[number]) => equalBytes(deviceOf(entry), device.profile.device);

/** Those that another one follows in their stream. */
function followed(entries: Entries): Entries {
  const streams = entries.map(([, signed]) => toHex(decodeSignedSubmission(signed).submission.stream));
  return entries.filter((_, index) => streams.lastIndexOf(streams[index] ?? "") > index);
}

/** Under a signature that is none. */
function forged([, signed]: Entries[number]): Bytes {
  const { bytes } = decodeSignedSubmission(signed);
  return encodeCbor([bytes, webCryptoRandom(64)]);
}

/** What no head before the next one can show. */
const SEEN_LATER = "the next head acknowledges what was not shown";

async function namesWhatWasHidden(scene: Scene, { client }: Player): Promise<string | null> {
  await scene.sync();
  const { unseen } = await client.certificates.pending();
  return unseen.length > 0 ? null : "the next head names nothing that was hidden";
}

export const PENDING_ATTACKS: readonly Attack[] = [
  // The first of a stream shows later alone, if its device has as many streams as a head acknowledges.
  onPending("a pending submission is left out", "two of another's", ["withheld"], (entries, { dice }) => {
    const left = dice.of(followed(entries));
    return left === undefined ? entries : entries.filter((one) => one !== left);
  }, {
    later: SEEN_LATER,
    settled: (scene, player, wrong) => wrong === null ? Promise.resolve(null) : namesWhatWasHidden(scene, player),
  }),
  onPending("the device's own newest pending submission is left out", "own", ["withheld"], (entries, { player }) => {
    const own = entries.findLast(isOf(player));
    return own === undefined ? entries : entries.filter((one) => one !== own);
  }),
  onPending("the newest pending submissions of another are left out", "another's", [], (entries, { player, dice }) => {
    const others = entries.filter((one) => !isOf(player)(one));
    const hidden = new Set(others.slice(dice.below(others.length)));
    return hidden.size === 0 ? entries : entries.filter((one) => !hidden.has(one));
  }, { later: SEEN_LATER, settled: namesWhatWasHidden }),
  onPending(
    "pending submissions come in another order",
    "two of another's",
    ["withheld", "tampered"],
    (entries) => followed(entries).length === 0 ? entries : inThisOrder(bytesOf(entries).reverse()),
  ),
  onPending("a pending submission comes twice", "another's", ["tampered"], (entries, { dice }) => {
    const twice = dice.of(entries);
    return twice === undefined ? entries : inThisOrder([...bytesOf(entries), twice[1]]);
  }),
  onPending(
    "a bit of a pending submission is changed",
    "another's",
    ["tampered", "withheld", "malformed", "not_found"],
    (entries, { dice }) =>
      entries.length === 0
        ? entries
        : changed(entries, dice, ([arrival, signed]) => [arrival, flipped(signed, dice)] as const),
  ),
  onPending(
    "a pending submission is signed by nobody",
    "another's",
    ["tampered", "withheld"],
    (entries, { dice }) =>
      entries.length === 0 ? entries : changed(entries, dice, (one) => [one[0], forged(one)] as const),
  ),
  onPending(
    "submissions of before are pending again",
    "whatever is there",
    ["tampered", "not_found"],
    (entries, { scene }) => {
      const past = scene.liar.past("list").filter(({ asked: [principal] }) => principal.manager);
      const before = past.flatMap(({ answer }) => bytesOf(answer.entries));
      return before.length === 0 ? entries : inThisOrder([...before, ...bytesOf(entries)]);
    },
    { later: "what a head acknowledges is left out", settled: (_scene, _player, wrong) => Promise.resolve(wrong) },
  ),
];
