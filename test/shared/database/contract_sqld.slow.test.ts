/** The database contract on real libSQL servers. */
import { openDatabase } from "../../../shared/database/open.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";
import { contract } from "./contract.ts";

const sqld = needs("sqld");
const servers = [
  { name: "sqld over HTTP", over: "url", auth: false, coalesce: true },
  { name: "sqld over WebSocket", over: "wsUrl", auth: false, coalesce: true },
  { name: "sqld over HTTP with a token", over: "url", auth: true, coalesce: true },
  { name: "sqld over WebSocket with a token", over: "wsUrl", auth: true, coalesce: true },
  { name: "sqld over HTTP, each call by itself", over: "url", auth: false, coalesce: false },
] as const;

for (const { name, over, auth, coalesce } of servers) {
  sqld.test(`contract on ${name}`, async (t) => {
    const server = await start({ auth });
    try {
      const options = { coalesce, ...(auth ? { authToken: server.token } : {}) };
      await contract(t, () => openDatabase(server[over], options), { unordered: !coalesce });
    } finally {
      await server.stop();
    }
  });
}
