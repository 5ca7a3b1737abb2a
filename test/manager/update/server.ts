/** A web server over a folder, real, on a free port of this machine; it can misbehave. */
import { join } from "node:path";

/** What to answer in the place of the file; undefined for the file. */
export type Misbehave = (place: string, request: Request) => Response | Promise<Response> | undefined;

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Paths asked for, with the range where one was. */
  readonly asked: string[];
  misbehave: Misbehave;
}

export function serveFolder(folder: string): TestServer {
  const server: { asked: string[]; misbehave: Misbehave } = { asked: [], misbehave: () => undefined };
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const place = new URL(request.url).pathname.slice(1);
    const range = request.headers.get("range");
    server.asked.push(range === null ? place : `${place} ${range}`);
    return await server.misbehave(place, request) ?? await answer(join(folder, place), range);
  });
  return Object.assign(server, {
    url: `http://127.0.0.1:${http.addr.port}`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  });
}

async function answer(path: string, range: string | null): Promise<Response> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch {
    return new Response("none", { status: 404 });
  }
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (range === null) return new Response(bytes);
  const headers = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.subarray(from), { status: 206, headers });
}
