/** What was true before the manager was restored from a backup, shown after it; nothing is shown where it never was. */
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { Answer } from "../liar.ts";
import type { FormerLife, Player } from "../scene.ts";
import { type Attack, type Lie, twisting, type Victim } from "./attack.ts";
import { standIn } from "./worlds.ts";

type Login = NonNullable<Answer<"loginData">>;

function onLogin(name: string, codes: readonly ErrorCode[], lie: (answer: Login, former: Login) => Login): Attack {
  return {
    ...{ name, victim: "login", codes },
    begin({ liar, former }, player) {
      const told = former === null ? undefined : lastLogin(former, player);
      if (told === undefined) return null;
      liar.begin({ loginData: (answer) => answer === null ? answer : lie(answer, told) });
      return { hits: () => liar.hits, end: () => liar.end() };
    },
  };
}

/** What this device was told at its last login before the restore. */
function lastLogin({ logins }: FormerLife, { device }: Player): Login | undefined {
  return logins.findLast(({ asked }) => equalBytes(asked[1], device.profile.device))?.answer ?? undefined;
}

/** The edge as it was when the manager was lost. */
function wholeEdge(name: string, victim: Victim): Attack {
  return {
    ...{ name, victim, codes: ["rolled_back"] },
    begin(scene): Lie | null {
      const { former } = scene;
      if (former === null) return null;
      // The manager fills it anew: from then on it is not of that life any more.
      if (victim === "turn") scene.former = null;
      return standIn(scene, former.edge);
    },
  };
}

const rows = twisting(
  "an answer of the incarnation before is given",
  "lookup",
  ["tampered", "withheld", "rolled_back"],
  (scene, dice) => ({
    proven: (answer, asked) => {
      const other = dice.of(
        scene.former?.proven.filter((past) =>
          equalBytes(past.asked[0].owner, asked[0].owner) && past.asked[1].table === asked[1].table &&
          past.answer.rows.length > 0
        ) ?? [],
      );
      if (asked[0].manager || other === undefined) return answer;
      return { ...other.answer, generation: answer.generation, epoch: answer.epoch };
    },
  }),
);

export const INCARNATION_ATTACKS: readonly Attack[] = [
  onLogin("a login of the incarnation before is shown", ["rolled_back"], (_answer, former) => former),
  onLogin("a head of the incarnation before is shown", ["rolled_back", "tampered", "forked"], (answer, former) => ({
    ...answer,
    head: former.head,
  })),
  onLogin("an owner statement of the incarnation before is shown", ["rolled_back"], (answer, former) => ({
    ...answer,
    statement: former.statement,
  })),
  onLogin("a record of the incarnation before is shown", ["tampered"], (answer, former) => ({
    ...answer,
    record: former.record,
  })),
  {
    ...rows,
    begin: (scene, player, dice) => scene.former === null ? null : rows.begin(scene, player, dice),
  },
  wholeEdge("the whole edge goes back to the incarnation before", "any read"),
  wholeEdge("the whole edge goes back to the incarnation before, at the manager's turn", "turn"),
];
