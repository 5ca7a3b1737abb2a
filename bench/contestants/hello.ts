/** The load generator's own ceiling: a server that only says hello. */
import type { Contestant } from "../harness/contest.ts";
import { rawRequest } from "../load/request_file.ts";
import type { Server } from "../servers/spawn.ts";

export function helloContestant(server: Server): Contestant {
  return {
    ...{ name: "hello", port: server.port, processes: [server.pid], firstRequests: 1, isRepeating: true },
    prepare: () => Promise.resolve([rawRequest("GET", "/", {})]),
    verify({ body }) {
      if (atob(body) !== "hello") throw new Error(`hello answered ${body}`);
    },
  };
}
