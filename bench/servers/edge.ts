/** The edge itself, with the settings that stand in the environment. */
import { readConfig } from "../../edge/config.ts";
import { serveEdge } from "../../edge/hosts/deno.ts";
import { serveControl } from "./control.ts";

if (import.meta.main) {
  const edge = await serveEdge(readConfig(Deno.env.toObject()), { log: (line) => console.error(line) });
  await serveControl({ port: edge.address.port });
  await edge.stop();
}
