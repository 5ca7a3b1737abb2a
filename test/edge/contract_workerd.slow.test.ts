/** The contract of the edge on workerd, the runtime of Cloudflare Workers, with a real libSQL server that wants a token. */
import { SETTINGS } from "../../edge/config.ts";
import { needs } from "../tools/needs.ts";
import { start as startSqld } from "../tools/sqld.ts";
import { start as startWorkerd } from "../tools/workerd.ts";
import { contract, OWNERS } from "./contract/suite.ts";
import { makeCast } from "./contract/target.ts";

needs("workerd", "sqld").test("contract of the edge on workerd with sqld", async (t) => {
  const cast = await makeCast(OWNERS, "https://edge.test/postern");
  const sqld = await startSqld({ auth: true });
  try {
    const settings = { [SETTINGS.databaseUrl]: sqld.url, [SETTINGS.databaseToken]: sqld.token };
    const workerd = await startWorkerd({ env: { ...cast.settings, ...settings } });
    try {
      await contract(t, {
        fetch: (target, init) => fetch(workerd.origin + target, { ...init, redirect: "manual" }),
        clock: null,
        log: () => logged(workerd.output()),
      }, cast);
    } finally {
      await workerd.stop();
    }
  } finally {
    await sqld.stop();
  }
});

/** What the worker wrote, without workerd's own lines about its port and settings. */
function logged(output: string): string {
  return output.split("\n").filter((line) => line !== "" && !/^(?:\{"event":|service edge: )/.test(line)).join("\n");
}
