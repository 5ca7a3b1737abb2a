/** Promise: the edge cannot turn back time or stop it unnoticed. As far as a device goes that was away: heads build on what it saw. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import type { TestEdge } from "../fixtures/edge.ts";
import { pushedWorld, type Setting } from "./setting.ts";

type Path = readonly Bytes[] | null;

/** What an edge shows in the place of the path from the head that the device saw to the one that it shows. */
const LIES: readonly { readonly name: string; readonly code: ErrorCode; readonly change: (path: Path) => Path }[] = [
  { name: "no path", code: "withheld", change: () => null },
  { name: "an empty path", code: "forked", change: () => [] },
  { name: "a path without its end", code: "forked", change: (path) => path?.slice(0, -1) ?? null },
  { name: "a path of another history", code: "forked", change: (path) => path?.map(() => webCryptoRandom(32)) ?? null },
  { name: "a path in the other order", code: "forked", change: (path) => path?.toReversed() ?? null },
];

function lie(edge: TestEdge, change: (path: Path) => Path): void {
  edge.lies.head = async (store, ...asked) => {
    const answer = await store.head(...asked);
    return { ...answer, history: change(answer.history) };
  };
  edge.lies.record = async (store, ...asked) => {
    const answer = await store.record(...asked);
    return { ...answer, history: change(answer.history) };
  };
  edge.lies.loginData = async (store, ...asked) => {
    const answer = await store.loginData(...asked);
    return answer === null ? null : { ...answer, history: change(answer.history) };
  };
}

function honest({ lies }: TestEdge): void {
  delete lies.head;
  delete lies.record;
  delete lies.loginData;
}

/** The device saw generation 2; there are six. */
async function atSix(): Promise<Setting> {
  const setting = await pushedWorld();
  const { world, device } = setting;
  await world.manager.sync();
  assertEquals((await device.client.login()).generation, 2);
  for (let generation = 3; generation <= 6; generation++) await world.manager.sync();
  return setting;
}

for (const { name, code, change } of LIES) {
  Deno.test(`login() and head() throw ${code} when the edge shows ${name} to a head seen before (READ-07)`, async () => {
    await using setting = await atSix();
    const { device, world } = setting;
    lie(world.edge, change);
    await assertRejects(() => device.client.head(), code);
    await assertRejects(() => device.start().login(), code);
    honest(world.edge);
    assertEquals((await device.client.head()).generation, 6);
    assertEquals((await device.start().login()).generation, 6);
  });
}

Deno.test("head() throws forked or withheld when a copy of the manager goes on from before what was seen (READ-07)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const copy = await world.copyManager();
  const edge = await world.copyEdge();
  await world.manager.sync();
  assertEquals((await device.client.login()).generation, 2);
  world.replaceEdge(edge);
  for (let generation = 2; generation <= 4; generation++) await copy.sync();
  // Its generation 2 is another one than the device saw, which the path of its own does not hide.
  await assertRejects(() => device.start().login(), "forked");
});
