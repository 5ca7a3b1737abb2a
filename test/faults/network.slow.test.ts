/** The network cut, slowed, reset, half-open, at every request of a turn; of the other operations with `deno task test:faults --all`. */
import { assert, assertEquals } from "../assert.ts";
import { Household } from "./household.ts";
import { needs } from "../tools/needs.ts";
import { DATABASE_FAULTS, NETWORK_FAULTS, PATIENCE_MILLIS, strikeRequests, UNAVAILABLE } from "./network.ts";
import { OPERATIONS } from "./operations.ts";

Deno.test("a network that is cut, slowed, reset or half-open at any request of a turn loses nothing and does nothing twice", async () => {
  const struck = await Promise.all(NETWORK_FAULTS.map((fault) => strikeRequests(fault, OPERATIONS.inbox)));
  for (const [index, { name }] of NETWORK_FAULTS.entries()) {
    assert((struck[index] ?? 0) > 5, `${name}: only ${struck[index]}`);
  }
  console.log(`${struck.reduce((sum, steps) => sum + steps, 0)} network faults: all recovered`);
});

/** Requests apart that are played here; those that a server holds open last as long as the edge waits for one. */
const STRIDES: Readonly<Record<string, number>> = { reset: 6, "cut before the answer leaves": 8 };

needs("sqld").test(
  "a network between edge and database that is cut or reset loses nothing and does nothing twice",
  async () => {
    const plays = DATABASE_FAULTS.flatMap((fault) => {
      const [name = ""] = fault.name.split(",");
      const stride = STRIDES[name];
      return stride === undefined ? [] : [strikeRequests(fault, OPERATIONS.inbox, stride)];
    });
    const struck = await Promise.all(plays);
    assertEquals([struck.length, struck.every((count) => count > 1)], [2, true]);
    console.log(`${struck.reduce((sum, steps) => sum + steps, 0)} faults between edge and database: all recovered`);
  },
);

Deno.test("a network that stays half-open ends a turn with network, and the turn after it is whole", async () => {
  await using household = await Household.open("file");
  await OPERATIONS.inbox.prepare(household);
  const { target } = household.front;
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  household.front.target = silent.addr.port;
  try {
    const { code, out } = await household.run(["sync"], { patienceMillis: PATIENCE_MILLIS });
    assertEquals([code, JSON.parse(out).error.code], [UNAVAILABLE, "network"]);
  } finally {
    silent.close();
    household.front.target = target;
  }
  await household.requireRecovered("half-open for a whole turn");
});
