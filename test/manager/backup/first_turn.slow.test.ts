/** The turn that replaces an earlier life at the edge, cut off at each of its requests. */
import { assert, assertEquals } from "../../assert.ts";
import type { Interceptor } from "../../fixtures/traffic.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { restore } from "./backups.ts";
import { confirm, lost, outgoing, subjects } from "./lost.ts";

const MOST_REQUESTS = 100;

/** A turn whose commit was cut off signs another head, and sends its nodes in one body more: else `n` would never get past the commit. */
const OF_HEADS_CUT_OFF = /\/nodes\/[1-9]\d*$/;

/** The line is dead from the n-th request on, which the edge still sees or not. */
function deadFrom(n: number, isSeen: boolean): Interceptor & { readonly hasStruck: boolean } {
  let count = 0;
  const dead = () => {
    throw new TypeError("The line is dead");
  };
  return {
    request: (request) => {
      if (!OF_HEADS_CUT_OFF.test(request.url)) count++;
      return count > n || (count === n && !isSeen) ? dead() : request;
    },
    answer: (answer) => count >= n ? dead() : answer,
    get hasStruck() {
      return count >= n;
    },
  };
}

for (const isSeen of [false, true]) {
  const when = isSeen ? "lost its answer" : "did not arrive";
  Deno.test(`the first turn after a restore recovers when any request ${when} (BACKUP-14)`, async () => {
    await using before = await lost();
    const { world, phone, file } = before;
    const { manager } = await restore(world, file);
    let cuts = 0;
    for (let n = 1;; n++) {
      assert(n < MOST_REQUESTS);
      const line = deadFrom(n, isSeen);
      const hasEnded = await manager.traffic.with(line, () => manager.sync().then(() => true, () => false));
      if (line.hasStruck) cuts++;
      if (hasEnded) break;
    }
    console.log(`${cuts} cuts: ${cuts} recovered`);
    await manager.sync();
    await confirm(phone);
    assertEquals(await subjects(phone), ["after", "before"]);
    assertEquals(await outgoing(manager.db), ["sent after: held", "sent before: held", "under way: held"]);
    assertEquals((await openAlarms(manager.db)).map(({ code }) => code), ["restored"]);
    await phone.client.verifyAll();
  });
}
