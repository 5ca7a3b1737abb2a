/** Logins and challenges at the edge. */
import { fromBase64, toHex } from "../../shared/bytes/encoding.ts";
import { pathOf } from "../../shared/protocol/paths.ts";
import { decodeAs } from "../../shared/protocol/shapes.ts";
import { ANSWERS, MEDIA } from "../../shared/protocol/wire.ts";
import { type PreparedLogin, prepareLogin, readLogin } from "../fixtures/edge_login.ts";
import type { BenchDevice, BenchOwner } from "../fixtures/owner.ts";
import { inBatches } from "../harness/batches.ts";
import type { Contestant } from "../harness/contest.ts";
import { headerOf } from "../load/answer.ts";
import { rawRequest } from "../load/request_file.ts";
import type { Server } from "../servers/spawn.ts";

/** Logins prepared at once. */
const AT_ONCE = 32;

/** Logins of these devices in turn; challenges are fetched and signed while nothing is timed. */
export function edgeLogins(
  name: string,
  server: Server,
  owner: BenchOwner,
  devices: readonly BenchDevice[],
): Contestant {
  const path = pathOf("login", { owner: owner.id });
  let prepared: readonly PreparedLogin[] = [];
  return {
    ...{ name, port: server.port, processes: [server.pid], firstRequests: 6_000 },
    async prepare(count) {
      prepared = await inBatches(count, AT_ONCE, async (number) => {
        const device = devices[number % devices.length];
        if (device === undefined) throw new Error("There is no device to log in");
        return await prepareLogin(owner, device);
      });
      return prepared.map(({ body }) => rawRequest("POST", path, { "content-type": MEDIA.cbor }, body));
    },
    async verify(sample) {
      const login = prepared[sample.request];
      if (login === undefined) throw new Error(`There was no login ${sample.request}`);
      const body = fromBase64(sample.body);
      await readLogin(owner, login, { body, header: (header) => headerOf(sample, header) });
    },
  };
}

/** Challenges: every one of those looked at must be another. */
export function edgeChallenges(server: Server, owner: BenchOwner): Contestant {
  const path = pathOf("challenge", { owner: owner.id });
  const seen = new Set<string>();
  return {
    ...{ name: "edge", port: server.port, processes: [server.pid], firstRequests: 1, isRepeating: true },
    prepare: () => Promise.resolve([rawRequest("GET", path, {})]),
    verify({ body }) {
      const challenge = toHex(decodeAs(ANSWERS.challenge, fromBase64(body), "challenge").challenge);
      if (seen.has(challenge)) throw new Error("The edge gave one challenge twice");
      seen.add(challenge);
    },
  };
}
