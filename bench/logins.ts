/** Durable logins, challenges collected and signed before the timed part, against the PHP peer. */
import { edgeLogins } from "./contestants/edge_logins.ts";
import { phpLogins } from "./contestants/php_logins.ts";
import { startBenchEdge } from "./fixtures/bench_edge.ts";
import { absenceNote, type Bench, type BenchContext, isAbsent } from "./harness/bench.ts";
import { type Contestant, holdContest } from "./harness/contest.ts";
import { loadNotes, loadTable, ratioTarget } from "./harness/load_tables.ts";
import { profileUnderLoad } from "./harness/profile_load.ts";
import { type BenchReport, hasMissed } from "./harness/report.ts";

const DEVICES = 16;
const CONNECTIONS = 32;
/** Challenges are good for a minute, within which they are collected, signed and used up. */
const MAX_LOGINS = 50_000;

async function run(context: BenchContext): Promise<BenchReport> {
  const { rounds, seconds, log } = context;
  const { owner, server, ed25519, es256 } = await startBenchEdge(context, {
    ...{ certificates: 0, ed25519: DEVICES, es256: DEVICES },
  });
  const ours = edgeLogins("edge, Ed25519", server, owner, ed25519);
  const peer = await context.peer();
  const contestants: Contestant[] = [ours, edgeLogins("edge, P-256", server, owner, es256)];
  if (!isAbsent(peer)) contestants.push(phpLogins(peer));
  const options = { rounds, seconds, connections: CONNECTIONS, log, maxRequests: MAX_LOGINS };
  const results = await holdContest(contestants, options);
  const target = (of: string, wanted: number) =>
    ratioTarget(results, {
      ...{ what: `${of}: logins/s against the peer's P-256 logins`, of, against: "PHP peer, P-256", wanted },
      ...{ bound: "at least", by: ({ perSecond }) => perSecond, unmeasured: isAbsent(peer) ? peer.absent : undefined },
    });
  const targets = [target("edge, Ed25519", 2.5), target("edge, P-256", 1.7)];
  return {
    targets,
    tables: [
      loadTable(`Logins, ${CONNECTIONS} connections, durable (synchronous FULL; the peer flushes at commit)`, results),
    ],
    notes: [...(isAbsent(peer) ? [absenceNote(peer)] : []), ...loadNotes(results)],
    profiles: hasMissed(targets)
      ? [await profileUnderLoad("the edge under Ed25519 logins", server, ours, options)]
      : [],
  };
}

export const logins: Bench = {
  name: "logins",
  summary: "Durable logins with Ed25519 and P-256 certificates, against the PHP peer's P-256 logins.",
  defaults: { rounds: 5, seconds: 10 },
  run,
};
