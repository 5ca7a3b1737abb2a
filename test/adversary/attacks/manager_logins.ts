/** Lies at the manager's login, by which it learns where its edge stands. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { encodeHead, signHead } from "../../../shared/protocol/head.ts";
import type { Signer } from "../../../shared/protocol/signed.ts";
import { newestHead } from "../../../manager/heads/repository.ts";
import { currentStatement } from "../../../manager/owner/statement.ts";
import { forgeStatement, lastHead, managersSigner } from "../../threats/forge.ts";
import type { TestManager } from "../../fixtures/manager.ts";
import type { Dice } from "../dice.ts";
import type { Answer } from "../liar.ts";
import type { Scene } from "../scene.ts";
import { type Attack, flipped, twisting } from "./attack.ts";

type Login = Answer<"managerLoginData">;

function onLogin(
  name: string,
  codes: readonly ErrorCode[],
  lie: (answer: Login, scene: Scene, dice: Dice) => Login,
): Attack {
  return twisting(name, "turn", codes, (scene, dice) => ({
    managerLoginData: (answer, [owner]) => equalBytes(owner, scene.world.owner) ? lie(answer, scene, dice) : answer,
  }));
}

/** What the edge says of the next head or statement is made beforehand, with a key at hand. */
function forged(
  name: string,
  codes: readonly ErrorCode[],
  make: (scene: Scene) => Promise<(answer: Login) => Login>,
): Attack {
  return {
    ...{ name, victim: "turn", codes },
    async begin(scene) {
      const { liar } = scene;
      const lie = await make(scene);
      liar.begin({ managerLoginData: lie });
      return { hits: () => liar.hits, end: () => liar.end() };
    },
  };
}

async function nextHead(scene: Scene, signer: Signer): Promise<(answer: Login) => Login> {
  const last = await lastHead(scene.manager);
  const generation = last.generation + 1;
  const head = await signHead(encodeHead({ ...last, generation, previous: webCryptoRandom(32) }), signer);
  return (answer) => ({ ...answer, generation, head });
}

async function nextStatement({ manager }: Scene, signer?: Signer): Promise<(answer: Login) => Login> {
  const current = await currentStatement(manager.db);
  const signed = await forgeStatement(manager, { number: current.number }, signer);
  return (answer) => withStatement(answer, signed);
}

function withStatement(answer: Login, signed: Bytes): Login {
  return answer.statement === null ? answer : { ...answer, statement: { ...answer.statement, signed } };
}

const stranger = ({ world: { managers: [, other] } }: Scene): TestManager => {
  if (other === undefined) throw new Error("There is no other owner");
  return other;
};

export const MANAGER_LOGIN_ATTACKS: readonly Attack[] = [
  onLogin(
    "the manager is told that the edge is empty",
    ["rolled_back"],
    (answer) => answer.head === null ? answer : { ...answer, generation: 0, epoch: 0, head: null, statement: null },
  ),
  onLogin("the manager is shown an earlier head", ["rolled_back"], (answer, scene, dice) => {
    const other = dice.of(
      scene.liar.past("managerLoginData").filter(({ asked: [owner], answer: past }) =>
        equalBytes(owner, scene.world.owner) && past.head !== null && past.generation < answer.generation
      ),
    );
    return other === undefined ? answer : { ...other.answer, statement: answer.statement };
  }),
  onLogin(
    "a bit of the head is changed that the manager is shown",
    ["tampered", "malformed", "unsupported", "forked"],
    (answer, _scene, dice) => answer.head === null ? answer : { ...answer, head: flipped(answer.head, dice) },
  ),
  forged("the manager is shown another owner's head", ["forked", "tampered"], async (scene) => {
    const head = (await newestHead(stranger(scene).db))?.signed ?? null;
    return (answer) => ({ ...answer, head });
  }),
  forged("the manager is shown another owner's statement", ["tampered"], async (scene) => {
    const { signed } = await currentStatement(stranger(scene).db);
    return (answer) => withStatement(answer, signed);
  }),
  forged(
    "the manager is shown a next head, signed by a stolen device",
    ["tampered"],
    (scene) => nextHead(scene, scene.stolen.keys.sign),
  ),
  forged(
    "the manager is shown a next head that its own key signed",
    ["forked"],
    async (scene) => await nextHead(scene, await managersSigner(scene.manager)),
  ),
  forged(
    "the manager is shown an owner statement, signed by a stolen device",
    ["tampered"],
    (scene) => nextStatement(scene, scene.stolen.keys.sign),
  ),
];
