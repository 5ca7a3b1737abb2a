/** Challenges, which the edge makes without its database, against the PHP peer, which stores each. */
import { edgeChallenges } from "./contestants/edge_logins.ts";
import { phpChallenges } from "./contestants/php_logins.ts";
import { startBenchEdge } from "./fixtures/bench_edge.ts";
import { absenceNote, type Bench, type BenchContext, isAbsent } from "./harness/bench.ts";
import { type Contestant, holdContest } from "./harness/contest.ts";
import { loadNotes, loadTable, ratioTarget } from "./harness/load_tables.ts";
import { profileUnderLoad } from "./harness/profile_load.ts";
import { type BenchReport, hasMissed } from "./harness/report.ts";

const CONNECTIONS = 32;

async function run(context: BenchContext): Promise<BenchReport> {
  const { rounds, seconds, log } = context;
  const { owner, server } = await startBenchEdge(context, { certificates: 0, ed25519: 1, es256: 0 });
  const ours = edgeChallenges(server, owner);
  const peer = await context.peer();
  const contestants: Contestant[] = [ours];
  if (!isAbsent(peer)) contestants.push(phpChallenges(peer));
  const options = { rounds, seconds, connections: CONNECTIONS, log };
  const results = await holdContest(contestants, options);
  const targets = [
    ratioTarget(results, {
      ...{ what: "challenges/s against the PHP peer", of: "edge", against: "PHP peer", bound: "at least", wanted: 5 },
      ...{ by: ({ perSecond }) => perSecond, unmeasured: isAbsent(peer) ? peer.absent : undefined },
    }),
  ];
  return {
    targets,
    tables: [loadTable(`Challenges, ${CONNECTIONS} connections`, results)],
    notes: [...(isAbsent(peer) ? [absenceNote(peer)] : []), ...loadNotes(results)],
    profiles: hasMissed(targets) ? [await profileUnderLoad("the edge under challenges", server, ours, options)] : [],
  };
}

export const challenges: Bench = {
  name: "challenges",
  summary: "Challenges a second, sealed and stored nowhere, against the PHP peer, which stores each.",
  defaults: { rounds: 5, seconds: 10 },
  run,
};
