/** Attacks on submissions: dropped on the way in, and anything at all on the way to the manager. */
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Dice } from "../dice.ts";
import type { Answer } from "../liar.ts";
import type { Scene } from "../scene.ts";
import { type Attack, changed, flipped } from "./attack.ts";

type Inbox = Answer<"list">;

const LATER = "the next head does not acknowledge it";
const ONCE = "each submission is taken once, in order, or waits";

/** The edge says that it holds what it threw away. */
const dropped: Attack = {
  ...{ name: "a submission is dropped", victim: "submit", codes: [], later: LATER },
  begin(scene) {
    let hits = 0;
    const { lies } = scene.world.edge;
    lies.submit = () => {
      hits += 1;
      return Promise.resolve();
    };
    return { hits: () => hits, end: () => void delete lies.submit };
  },
};

/** How much of what was handed in must be taken although the edge lies: all of it, not all, or nothing new. */
type Taken = "all" | "some" | "nothing new";

/** Shown to the manager in its turn. */
function onInbox(
  name: string,
  codes: readonly ErrorCode[],
  taken: Taken,
  lie: (entries: Inbox["entries"], scene: Scene, dice: Dice) => Inbox["entries"],
): Attack {
  return {
    ...{ name, victim: "turn", codes, later: ONCE },
    async begin(scene, player, dice) {
      const { liar, world } = scene;
      // Something to lie about, under a head that is not overdue.
      await scene.sync();
      const { handedIn, book } = scene;
      for (let count = 0; count < 3; count++) await scene.handIn(player, "chat");
      const before = handedIn.filter((one) => book.isTaken(one)).length;
      const wanted = { all: handedIn.length, some: null, "nothing new": before }[taken];
      liar.begin({
        list: (answer, [principal]) => {
          if (!principal.manager || !equalBytes(principal.owner, world.owner)) return answer;
          const entries = lie(answer.entries, scene, dice);
          return entries === answer.entries ? answer : { ...answer, entries };
        },
      });
      const judge = async () => {
        const now = handedIn.filter((one) => book.isTaken(one)).length;
        if (wanted === null ? now >= handedIn.length : now !== wanted) return `${now} submissions were taken`;
        return await scene.contradiction();
      };
      return { hits: () => liar.hits, end: () => liar.end(), judge };
    },
  };
}

/** Everything that the manager was shown before. */
const shown = (scene: Scene) =>
  scene.liar.past("list").filter(({ asked: [principal] }) => principal.manager).flatMap(({ answer }) => answer.entries);

/** As if they had arrived so. */
function inThisOrder(entries: Inbox["entries"]): Inbox["entries"] {
  return entries.map(([, signed], index) => [index + 1, signed]);
}

export const INBOX_ATTACKS: readonly Attack[] = [
  dropped,
  onInbox("submissions are kept from the manager", [], "nothing new", (entries) => entries.length === 0 ? entries : []),
  onInbox(
    "submissions come in another order",
    [],
    "all",
    (entries) => entries.length < 2 ? entries : inThisOrder([...entries].reverse()),
  ),
  onInbox(
    "submissions come twice",
    [],
    "all",
    (entries) => entries.length === 0 ? entries : inThisOrder([...entries, ...entries]),
  ),
  onInbox("submissions of before come again", [], "all", (entries, scene) => {
    const past = shown(scene);
    return past.length === 0 ? entries : inThisOrder([...past, ...entries]);
  }),
  onInbox(
    "a bit of a submission is changed",
    ["tampered", "withheld"],
    "some",
    (entries, _scene, dice) =>
      entries.length === 0
        ? entries
        : changed(entries, dice, ([arrival, signed]) => [arrival, flipped(signed, dice)] as const),
  ),
];
