/** Which stores are re-encrypted at every interval, as the owner's edge sees it. */

import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { padStore } from "../../../manager/push/plan/pad_store.ts";
import { DEFAULT_POLICY, type FullReason } from "../../../manager/push/plan/mode.ts";
import { assertEquals } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { certificate, CHANNEL, mail } from "../../threats/setting.ts";

/** Turns with nothing in between: why each was full, and how many epochs they began. */
async function turns({ manager }: World, count: number): Promise<{ reasons: (FullReason | null)[]; epochs: number }> {
  const reasons: (FullReason | null)[] = [];
  const epochs = new Set<number>();
  for (let turn = 0; turn < count; turn++) {
    const { reason, pushed } = await manager.sync();
    assertEquals(pushed.isFull, reason !== null);
    reasons.push(reason);
    epochs.add(pushed.epoch);
  }
  return { reasons, epochs: epochs.size };
}

const SMALL: FullReason = "small store";
const NOTHING = new Uint8Array(0);

Deno.test("PUSH-18 under the default policy a small store is re-encrypted at every interval, also after devices come and go", async () => {
  await using world = await World.create();
  const { manager } = world;
  manager.policy = DEFAULT_POLICY;
  const phone = await world.pair("phone");
  await manager.trust(await certificate("CN=Somebody"));
  assertEquals(await turns(world, 4), { reasons: ["first", SMALL, SMALL, SMALL], epochs: 4 });
  const laptop = await world.pair("laptop");
  assertEquals(await turns(world, 3), { reasons: ["devices changed", SMALL, SMALL], epochs: 3 });
  await manager.revoke(laptop.profile.device);
  assertEquals(await turns(world, 3), { reasons: ["devices changed", SMALL, SMALL], epochs: 3 });
  assertEquals((await manager.sync({ rotate: true })).reason, "asked");
  await manager.receive(CHANNEL, mail("one"));
  assertEquals(await turns(world, 2), { reasons: [SMALL, SMALL], epochs: 2 });
  assertEquals((await phone.client.messages.list(CHANNEL)).messages.length, 1);
});

Deno.test("PUSH-17 PUSH-18 a store that grows over the threshold begins its deltas with a stock, and loses them as it shrinks", async () => {
  await using world = await World.create();
  const { manager } = world;
  manager.policy = { ...DEFAULT_POLICY, fullUpToRows: 4 };
  await world.pair("phone");
  const ders = await Promise.all(["CN=One", "CN=Two"].map((subject) => certificate(subject)));
  const [one = NOTHING, two = NOTHING] = ders;
  await manager.trust(one);
  assertEquals((await turns(world, 2)).reasons, ["first", SMALL]);
  // A device, and each certificate twice.
  await manager.trust(two);
  assertEquals(await turns(world, 3), { reasons: ["store grew", null, null], epochs: 1 });
  const laptop = await world.pair("laptop");
  assertEquals((await turns(world, 2)).reasons, ["devices changed", null]);
  await manager.revoke(laptop.profile.device);
  assertEquals((await turns(world, 2)).reasons, ["devices changed", null]);
  await manager.forget(sha256(two));
  assertEquals((await turns(world, 2)).reasons, [SMALL, SMALL]);
  // To and fro: never more than a full push at each interval.
  await manager.trust(two);
  assertEquals((await turns(world, 1)).reasons, ["store grew"]);
  await manager.forget(sha256(two));
  assertEquals((await turns(world, 1)).reasons, [SMALL]);
  await manager.trust(two);
  assertEquals((await turns(world, 2)).reasons, ["store grew", null]);
});

Deno.test("PUSH-18 PUSH-20 padding that a cut-off push left behind is gone before a delta, which needs the places it filled", async () => {
  await using world = await World.create();
  const { manager } = world;
  manager.policy = { ...DEFAULT_POLICY, fullUpToRows: 0 };
  const phone = await world.pair("phone");
  await manager.receive(CHANNEL, mail("one"));
  await manager.sync();
  await padStore(manager.db, DEFAULT_POLICY.coverRows, webCryptoRandom);
  for (const text of ["two", "three", "four", "five", "six"]) {
    await manager.receive(CHANNEL, mail(text));
    assertEquals((await manager.sync()).reason, null);
  }
  const { messages } = await phone.client.messages.list(CHANNEL);
  assertEquals(messages.map(({ position }) => position), [6, 5, 4, 3, 2, 1]);
});
