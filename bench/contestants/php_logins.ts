/** Logins and challenges at the PHP peer. */
import { fromBase64 } from "../../shared/bytes/encoding.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import type { Contestant } from "../harness/contest.ts";
import type { Sample } from "../load/plan.ts";
import { rawRequest } from "../load/request_file.ts";
import type { PeerLogin, PhpPeer } from "../peers/php.ts";

/** P-256 logins, challenges fetched and signed while nothing is timed. */
export function phpLogins(peer: PhpPeer): Contestant {
  let prepared: readonly PeerLogin[] = [];
  return {
    ...{ name: "PHP peer, P-256", port: peer.port, processes: peer.processes, firstRequests: 4_000 },
    async prepare(count) {
      prepared = await peer.prepareLogins(count);
      return prepared.map(({ body }) =>
        rawRequest("POST", "/login", { "content-type": "application/json" }, utf8(body))
      );
    },
    verify(sample) {
      const { session, key, device } = jsonOf(sample) as PeerAnswer;
      const isRight = device?.fingerprint === prepared[sample.request]?.fingerprint &&
        /^[0-9a-f]{32}$/.test(session ?? "");
      if (!isRight || fromBase64(key ?? "").length !== 32) throw new Error("the PHP peer logged somebody else in");
    },
  };
}

interface PeerAnswer {
  readonly session?: string;
  readonly key?: string;
  readonly device?: { readonly fingerprint?: string };
}

/** Challenges: every one of those looked at must be another. */
export function phpChallenges(peer: PhpPeer): Contestant {
  const seen = new Set<string>();
  return {
    ...{ name: "PHP peer", port: peer.port, processes: peer.processes, firstRequests: 1, isRepeating: true },
    prepare: () => Promise.resolve([rawRequest("GET", "/challenge", {})]),
    verify(sample) {
      const { challenge = "" } = jsonOf(sample) as { challenge?: string };
      if (fromBase64(challenge).length !== 32 || seen.has(challenge)) {
        throw new Error("the PHP peer gave no new challenge");
      }
      seen.add(challenge);
    },
  };
}

function jsonOf({ body }: Sample): unknown {
  return JSON.parse(new TextDecoder().decode(fromBase64(body)));
}
