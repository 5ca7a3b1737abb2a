/** The contract of the edge, in this process, at the root of an origin and below a base path. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { createEdge } from "../../edge/app.ts";
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { EdgeStore } from "../../edge/store/store.ts";
import { TestClock } from "../fixtures/clock.ts";
import { contract, OWNERS } from "./contract/suite.ts";
import { makeCast } from "./contract/target.ts";

for (const origin of ["https://edge.test", "https://site.test/some/where"]) {
  Deno.test(`contract of the edge in process at ${origin}`, async (t) => {
    const cast = await makeCast(OWNERS, origin);
    const database = await openDatabase(":memory:");
    const lines: string[] = [];
    const clock = new TestClock();
    const edge = await createEdge({
      config: readConfig({ ...cast.settings, [SETTINGS.databaseUrl]: ":memory:" }),
      store: await EdgeStore.open(database),
      clock: clock.now,
      random: webCryptoRandom,
      log: (line) => void lines.push(line),
    });
    try {
      await contract(t, {
        fetch: (target, init) => edge.fetch(new Request(new URL(origin).origin + target, init)),
        clock,
        log: () => lines.join("\n"),
      }, cast);
    } finally {
      await database.close();
    }
  });
}
