/** Authenticated lookups, the everyday request: signed request and answer, one certificate by its subject out of 10,000. */
import { edgeLookups } from "./contestants/edge_lookups.ts";
import { startFloor } from "./contestants/floor.ts";
import { helloContestant } from "./contestants/hello.ts";
import { phpLookups } from "./contestants/php_lookups.ts";
import { startBenchEdge } from "./fixtures/bench_edge.ts";
import { absenceNote, type Bench, type BenchContext, isAbsent } from "./harness/bench.ts";
import { answerBytes, type Contestant, holdContest } from "./harness/contest.ts";
import { cpuMicros, loadNotes, loadTable, ratioTarget } from "./harness/load_tables.ts";
import { profileUnderLoad } from "./harness/profile_load.ts";
import { type BenchReport, hasMissed } from "./harness/report.ts";
import { startServer } from "./servers/spawn.ts";

const CERTIFICATES = 10_000;
const DEVICES = 32;
const CONNECTIONS = 32;

async function run(context: BenchContext): Promise<BenchReport> {
  const { rounds, seconds, log } = context;
  const edge = await startBenchEdge(context, { certificates: CERTIFICATES, ed25519: DEVICES, es256: 0 });
  const ours = edgeLookups("edge", edge.server, await edge.lookups());
  const floor = await startFloor(await context.folder(), CERTIFICATES, await answerBytes(ours));
  context.atEnd(() => floor.server.stop());
  const hello = await startServer("hello.ts");
  context.atEnd(() => hello.stop());
  const peer = await context.peer();
  const contestants: Contestant[] = [ours, floor.contestant, helloContestant(hello)];
  if (!isAbsent(peer)) contestants.push(await phpLookups(peer));
  const options = { rounds, seconds, connections: CONNECTIONS, log };
  const results = await holdContest(contestants, options);
  const unmeasured = isAbsent(peer) ? peer.absent : undefined;
  const targets = [
    ratioTarget(results, {
      ...{ what: "requests/s against the PHP peer", of: "edge", against: "PHP peer", bound: "at least", wanted: 3.5 },
      ...{ by: ({ perSecond }) => perSecond, unmeasured },
    }),
    ratioTarget(results, {
      ...{
        what: "CPU a request against the PHP peer",
        of: "edge",
        against: "PHP peer",
        bound: "at most",
        wanted: 0.25,
      },
      ...{ by: cpuMicros, unmeasured },
    }),
    ratioTarget(results, {
      ...{ what: "requests/s against the floor", of: "edge", against: "floor", bound: "at least", wanted: 0.6 },
      by: ({ perSecond }) => perSecond,
    }),
  ];
  return {
    targets,
    tables: [loadTable(`Lookups, ${CONNECTIONS} connections, one process each (the peer as it is)`, results)],
    notes: [
      ...(isAbsent(peer) ? [absenceNote(peer)] : []),
      ...loadNotes(results),
      "hello is the load generator's own ceiling",
    ],
    profiles: hasMissed(targets) ? [await profileUnderLoad("the edge under lookups", edge.server, ours, options)] : [],
  };
}

export const lookups: Bench = {
  name: "lookups",
  summary: "Authenticated lookups of one certificate by subject out of 10,000, against the PHP peer and a bare floor.",
  defaults: { rounds: 5, seconds: 10 },
  run,
};
