/** Lookups at the PHP peer. */
import { hash } from "node:crypto";
import { concat, utf8 } from "../../shared/bytes/bytes.ts";
import { fromBase64 } from "../../shared/bytes/encoding.ts";
import type { Contestant } from "../harness/contest.ts";
import { headerOf } from "../load/answer.ts";
import { rawRequest } from "../load/request_file.ts";
import type { PhpPeer } from "../peers/php.ts";
import { RoundRobin } from "./round_robin.ts";

const SESSIONS = 512;
const ROWS = 10_000;

/** Logs in and is ready to look up. */
export async function phpLookups(peer: PhpPeer): Promise<Contestant> {
  const turns = new RoundRobin(await peer.openSessions(SESSIONS), ROWS);
  return {
    ...{ name: "PHP peer", port: peer.port, processes: peer.processes, firstRequests: 10_000 },
    prepare(count) {
      const requests = turns.next(count).map(({ session: { session, key }, counter, row }) => {
        const target = `/certificate?dn=${encodeURIComponent(nameOf(row))}`;
        const auth = hash("sha256", concat(key, utf8(`GET ${target} ${counter}`)), "hex");
        return rawRequest("GET", target, { "x-session": session, "x-counter": String(counter), "x-auth": auth });
      });
      return Promise.resolve(requests);
    },
    verify(sample) {
      const { session: { key }, counter, row } = turns.of(sample.request);
      const body = fromBase64(sample.body);
      const auth = hash("sha256", concat(key, utf8(`${counter} `), body), "hex");
      if (headerOf(sample, "x-auth") !== auth) throw new Error("the PHP peer signed wrongly");
      const { subject_dn: name } = JSON.parse(new TextDecoder().decode(body)) as { subject_dn: string };
      if (name !== nameOf(row)) throw new Error(`the PHP peer answered with ${name}`);
    },
  };
}

function nameOf(row: number): string {
  return `CN=user${row},O=Example,C=NL`;
}
