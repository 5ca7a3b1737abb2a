/** What a bench is, and what it is given. */
import type { PhpPeer } from "../peers/php.ts";
import type { BenchReport } from "./report.ts";

/** One bench; `deno task bench NAME` runs it. */
export interface Bench {
  readonly name: string;
  /** One or two sentences: what is measured, against what. */
  readonly summary: string;
  /** What the command line does not say. */
  readonly defaults: { readonly rounds: number; readonly seconds: number };
  run(context: BenchContext): Promise<BenchReport>;
}

/** What a bench is run with. */
export interface BenchContext {
  readonly rounds: number;
  readonly seconds: number;
  /** Whether sizes are asked for, too, that take long to build. */
  readonly large: boolean;
  readonly log: (line: string) => void;
  /** The PHP peer, started when first asked for and shared by all benches of a run; or why there is none. */
  peer(): Promise<PhpPeer | PeerAbsent>;
  /** A new folder that is removed at the end of the bench. */
  folder(): Promise<string>;
  /** Runs when the bench has ended, however it ended; the latest first. */
  atEnd(clean: () => Promise<void>): void;
}

/** Why there is no peer. */
export interface PeerAbsent {
  readonly absent: string;
}

export function isAbsent(peer: PhpPeer | PeerAbsent): peer is PeerAbsent {
  return "absent" in peer;
}

/** The note for a report without the peer: loud, since half of the targets are about it. */
export function absenceNote({ absent }: PeerAbsent): string {
  return `THE PHP PEER WAS NOT MEASURED: ${absent}. Ratios are against the floor only.`;
}
