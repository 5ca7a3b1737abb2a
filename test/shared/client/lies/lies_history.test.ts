/** Lies about what a head builds on, which only its history gives away: to a device that missed some generations (READ-07). */
import { assertEquals } from "../../../assert.ts";
import { createMemory, MemoryInProcess } from "../../../../shared/client/memory/memory.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { naivePath, naiveRoot } from "../../merkle/history_model.ts";
import { codeOf, type Lie, resigned } from "./lie.ts";
import { restart, start, type Started } from "../start.ts";

/** Lies to a device that has seen generation 2 of epoch 1, at generation 5. */
const HISTORY_LIES: readonly Lie[] = [
  { name: "no path", code: "withheld", lie: (answer) => ({ ...answer, history: null }) },
  { name: "an empty path", code: "forked", lie: (answer) => ({ ...answer, history: [] }) },
  {
    name: "the path of another head",
    code: "forked",
    lie: (answer, { world }) => ({ ...answer, history: naivePath(world.heads().slice(0, 4), 2) }),
  },
  {
    name: "the path to an earlier head",
    code: "forked",
    lie: (answer, { world }) => ({ ...answer, history: naivePath(world.heads().slice(0, 3), 1) }),
  },
  {
    name: "a head on another history, with its path",
    code: "forked",
    lie: async (answer, started) => {
      const heads = started.world.heads().slice(0, 4).with(1, sha256(new Uint8Array(1)));
      const history = { size: 4, root: naiveRoot(heads) };
      const head = await resigned(started, { ...started.world.current.head, history });
      return { ...answer, head, history: naivePath(heads, 1) };
    },
  },
  {
    name: "a head on a history that starts again",
    code: "forked",
    lie: async (answer, started) => {
      const heads = started.world.heads().slice(2, 4);
      const history = { size: 2, root: naiveRoot(heads) };
      return { ...answer, head: await resigned(started, { ...started.world.current.head, history }), history: [] };
    },
  },
  { name: "a path of texts", code: "malformed", lie: (answer) => ({ ...answer, history: ["hash"] }) },
];

async function atFive(): Promise<Started> {
  const started = await start();
  await started.world.turn({ delta: true });
  await started.device.login();
  for (let generation = 3; generation <= 5; generation++) await started.world.turn({ delta: true });
  return started;
}

for (const { name, code, lie } of HISTORY_LIES) {
  Deno.test(`head(), login() and a read refuse ${name} as ${code}, READ-07`, async () => {
    const started = await atFive();
    const { device, edge } = started;
    edge.lie = (asked, answer) => asked === "head" || asked === "login" ? lie(answer, started) : answer;
    assertEquals(await codeOf(() => device.head()), code);
    assertEquals(await codeOf(() => device.messages.list("mail")), code);
    assertEquals(await codeOf(() => restart(started).login()), code);
    // Nothing of it is remembered: the truth is still believed.
    edge.lie = (_, answer) => answer;
    assertEquals((await device.head()).generation, 5);
    assertEquals((await restart(started).login()).generation, 5);
  });
}

Deno.test("a record that comes with the path of another head is refused, READ-07", async () => {
  const started = await atFive();
  const { device, edge, world } = started;
  await world.turn();
  edge.lie = (asked, answer) => asked === "record" ? { ...answer, history: [] } : answer;
  assertEquals(await codeOf(() => device.head()), "forked");
});

Deno.test("a device says at login, and for heads and records, which head it has seen, READ-07", async () => {
  const started = await atFive();
  const { device, edge, world } = started;
  const seen: unknown[] = [];
  edge.lie = (asked, answer) => {
    if (asked === "login") seen.push(answer["history"]);
    return answer;
  };
  edge.urls.length = 0;
  await device.head();
  await world.turn();
  await device.head();
  const asked = edge.urls.map((url) => url.slice(url.lastIndexOf("/") + 1));
  assertEquals(asked, ["head?seen=2", "head?seen=5", "record?seen=5"]);
  await world.turn();
  await restart(started).login();
  assertEquals(seen, [naivePath(world.heads().slice(0, 6), 5)]);
});

Deno.test("a device that was paired some generations ago checks that they follow what pairing named, READ-07 PAIR-02", async () => {
  const started = await start();
  const late = await started.world.pair("late");
  await started.world.turn();
  await started.world.turn();
  const memory = new MemoryInProcess();
  await createMemory(memory, late.state);
  const lateStarted = { ...started, paired: late, memory };
  const { edge } = started;
  edge.lie = (asked, answer) => asked === "login" ? { ...answer, history: null } : answer;
  assertEquals(await codeOf(() => restart(lateStarted).login()), "withheld");
  edge.lie = (asked, answer) => asked === "login" ? { ...answer, history: [] } : answer;
  assertEquals(await codeOf(() => restart(lateStarted).login()), "forked");
  edge.lie = (_, answer) => answer;
  assertEquals((await restart(lateStarted).login()).generation, 3);
});
