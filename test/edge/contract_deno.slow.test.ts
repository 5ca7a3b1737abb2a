/** The contract of the edge over HTTP: Deno's own server, a libSQL file, durable writes. */
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { serveEdge } from "../../edge/hosts/deno.ts";
import { TestClock } from "../fixtures/clock.ts";
import { contract, OWNERS } from "./contract/suite.ts";
import { makeCast } from "./contract/target.ts";

Deno.test("contract of the edge over HTTP on Deno with a libSQL file", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "postern-edge-" });
  const cast = await makeCast(OWNERS, "https://edge.test/postern");
  const settings = {
    ...cast.settings,
    [SETTINGS.databaseUrl]: `file:${folder}/edge.db`,
    [SETTINGS.listen]: "127.0.0.1:0",
  };
  const lines: string[] = [];
  const clock = new TestClock();
  const edge = await serveEdge(readConfig(settings), { log: (line) => void lines.push(line), clock: clock.now });
  try {
    const { hostname, port } = edge.address;
    await contract(t, {
      fetch: (target, init) => fetch(`http://${hostname}:${port}${target}`, { ...init, redirect: "manual" }),
      clock,
      log: () => lines.join("\n"),
    }, cast);
  } finally {
    await edge.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
