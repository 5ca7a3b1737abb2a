/** The database contract on every kind of database there is: files, encrypted files, and real libSQL servers. */
import { openDatabase } from "../../../shared/database/open.ts";
import { needs } from "../../tools/needs.ts";
import { start } from "../../tools/sqld.ts";
import { contract } from "./contract.ts";

for (const encrypted of [false, true]) {
  Deno.test(`contract on an embedded ${encrypted ? "encrypted " : ""}file`, async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const options = encrypted ? { encryptionKey: new Uint8Array(32).fill(7) } : {};
      await contract(t, () => openDatabase(`file:${folder}/data.db`, options));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

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
