/** Answers everything with one word: what the load generator can reach at most. */
import { Hono } from "hono";
import { serveControl } from "./control.ts";

if (import.meta.main) {
  const app = new Hono();
  app.get("/", (c) => c.text("hello"));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  await serveControl({ port: server.addr.port });
  await server.shutdown();
}
