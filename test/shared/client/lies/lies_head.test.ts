/** Lies that only an edge can tell, because it signs them: about heads and statements. Each has one name that the device gives it. */
import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { encodeCbor } from "../../../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { restart, start } from "../start.ts";
import { World } from "../world.ts";

import { naivePath } from "../../merkle/history_model.ts";
import { codeOf, type Lie, other, resigned } from "./lie.ts";

/** Lies about the newest head to a device that has seen generation 2 of epoch 1. */
const HEAD_LIES: readonly Lie[] = [
  {
    name: "an older head",
    code: "rolled_back",
    lie: (answer, { world }) => {
      return { ...answer, head: world.generations[0]?.signed ?? null, generation: 1, epoch: 1 };
    },
  },
  {
    name: "another head of the generation",
    code: "forked",
    lie: async (answer, started) => {
      const { head } = started.world.current;
      return { ...answer, head: await resigned(started, { ...head, time: head.time + 1 }) };
    },
  },
  {
    name: "a head that does not follow",
    code: "forked",
    lie: async (answer, started) => {
      const { head } = started.world.current;
      return { ...answer, head: await resigned(started, { ...head, generation: 3 }), generation: 3, epoch: 1 };
    },
  },
  {
    name: "a head that goes back in time",
    code: "rolled_back",
    lie: async (answer, started) => {
      const { head } = started.world.current;
      return {
        ...answer,
        head: await resigned(started, { ...head, generation: 4, time: head.time - 1 }),
        generation: 4,
        epoch: 1,
      };
    },
  },
  {
    name: "a head of the epoch with another key",
    code: "tampered",
    lie: async (_, started) => {
      const { world } = started;
      const { head, hash } = world.current;
      const fields = {
        ...head,
        generation: 3,
        previous: hash,
        history: world.history(),
        commitment: new Uint8Array(32),
      };
      const shown = { head: await resigned(started, fields), history: naivePath(world.heads(), 1) };
      return { ...shown, generation: 3, epoch: 1 };
    },
  },
  { name: "another generation than its head's", code: "tampered", lie: (answer) => ({ ...answer, generation: 3 }) },
  { name: "another owner's head", code: "tampered", lie: (answer) => ({ ...answer, head: other.current.signed }) },
  { name: "no head", code: "withheld", lie: (answer) => ({ ...answer, head: null }) },
  { name: "bytes that are no head", code: "malformed", lie: (answer) => ({ ...answer, head: encodeCbor([1, 2]) }) },
];

for (const { name, code, lie } of HEAD_LIES) {
  Deno.test(`head() refuses ${name} as ${code}, HEAD-02 HEAD-03`, async () => {
    const started = await start();
    await started.world.turn({ delta: true });
    await started.device.login();
    started.edge.lie = (asked, answer) => asked === "head" ? lie(answer, started) : answer;
    assertEquals(await codeOf(() => started.device.head()), code);
  });
}

Deno.test("a head that names a lower statement than was verified is rolled back, HEAD-02 STMT-02", async () => {
  const started = await start();
  const { world, edge, device } = started;
  await device.login();
  const before = world.current;
  await world.owner.restate();
  await world.turn();
  await device.head();
  edge.lie = (name, answer) => name === "login" ? { ...answer, head: before.signed, generation: 1, epoch: 1 } : answer;
  assertEquals(await codeOf(() => restart(started).login()), "rolled_back");
  edge.lie = (name, answer) => name === "login" ? { ...answer, statement: before.statement } : answer;
  assertEquals(await codeOf(() => restart(started).login()), "rolled_back");
});

Deno.test("two statements of one number are a fork, STMT-02", async () => {
  const started = await start();
  const { world, device } = started;
  await device.login();
  await world.owner.restate({ number: 1, time: 77 });
  await world.turn();
  assertEquals(await codeOf(() => restart(started).login()), "forked");
});

Deno.test("a statement that does not name the edge ends the talk with it, STMT-04", async () => {
  const started = await start();
  const { world } = started;
  Object.assign(world.owner, { edges: [{ origin: "https://elsewhere.test", key: webCryptoRandom(32) }] });
  await world.owner.restate();
  await world.turn();
  const error = await assertRejects(() => started.device.login(), "unauthorized");
  // It went to the edge that the statement names, which is not there and answers like one that does not know the owner.
  assert(started.edge.urls.some((url) => url.startsWith("https://elsewhere.test/")), started.edge.urls.join("\n"));
  assert(error.message.includes("refused"), error.message);
});

Deno.test("the edge's key follows the owner's newest statement, STMT-04", async () => {
  const started = await start();
  const { world, device } = started;
  await device.login();
  const next = await World.create(world.edge.origin);
  Object.assign(world, { edgeKey: next.edgeKey, edge: next.edge });
  Object.assign(world.owner, { edges: [next.edge] });
  await world.owner.restate();
  await world.turn();
  const again = restart(started);
  assertEquals((await again.login()).statement, 2);
  assert(started.edge.requests.includes("GET statement"));
});

Deno.test("a device follows its owner to another edge in the middle of a session, STMT-04", async () => {
  const { world, edge, device, chain } = await start();
  await device.login();
  const moved = { ...world.edge, origin: "https://moved.test/postern" };
  Object.assign(world, { edge: moved });
  Object.assign(world.owner, { edges: [moved] });
  await world.owner.restate();
  await world.turn();
  edge.urls.length = 0;
  assertEquals((await device.certificates.byFingerprint(chain.root.fingerprint)).found?.der, chain.root.der);
  const hosts = edge.urls.map((url) => new URL(url).hostname);
  assertEquals(hosts, ["edge.test", "edge.test", "moved.test", "moved.test", "moved.test"]);
});
