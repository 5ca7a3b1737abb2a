/**
 * Sizes of proofs and times of verifying them, in a process of its own.
 *
 *   deno run -A bench/proofs/measure.ts ROWS SAMPLES     prints a ProofResult
 */
import { decodeCbor, encodeCbor } from "../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import type { ProofNode } from "../../shared/merkle/proof_node.ts";
import { TOKEN_BYTES } from "../../shared/merkle/tree_hash.ts";
import { verifyProof } from "../../shared/merkle/verify_proof.ts";
import { quantile } from "../harness/stats.ts";
import { besideList, keepWays, proveAbsent, type Proven, provePresent, type Ways } from "./prove_rows.ts";
import { SortedRows } from "./sorted_rows.ts";

/** Of one kind of lookup. */
export interface ProofFigures {
  /** CBOR. */
  readonly medianBytes: number;
  readonly mostBytes: number;
  readonly medianNodes: number;
  /** Of decoding and verifying, milliseconds. */
  readonly medianMillis: number;
  readonly p99Millis: number;
  readonly slowestMillis: number;
}

/** What was measured at one size. */
export interface ProofResult {
  readonly rows: number;
  readonly samples: number;
  readonly present: ProofFigures;
  readonly absent: ProofFigures;
}

/** Rounds over all samples before those that count: V8 compiles what runs often. */
const WARM_ROUNDS = 3;

function run(count: number, samples: number): ProofResult {
  const rows = new SortedRows(count);
  // Rows from all over the tree; of a small one, some more than once.
  const present = Array.from({ length: samples }, (_, i) => rows.at(Math.floor(i * count / samples)));
  const absent = Array.from({ length: samples }, () => webCryptoRandom(TOKEN_BYTES));
  const ways = keepWays(rows, [
    ...present.map(({ key }) => key),
    ...absent.flatMap((token) => besideList(rows, token)),
  ]);
  return {
    ...{ rows: count, samples },
    present: figures(ways, present.map((row) => provePresent(ways, row))),
    absent: figures(ways, absent.map((token) => proveAbsent(ways, rows, token))),
  };
}

function figures({ root }: Ways, proven: readonly Proven[]): ProofFigures {
  const encoded = proven.map(({ proof }) => encodeCbor(proof));
  const verifyAll = () =>
    Float64Array.from(proven, ({ claim }, i) => {
      const bytes = encoded[i] ?? new Uint8Array(0);
      const started = performance.now();
      verifyProof(decodeCbor(bytes) as ProofNode[], claim, root);
      return performance.now() - started;
    }).sort();
  for (let round = 0; round < WARM_ROUNDS; round++) verifyAll();
  const millis = verifyAll();
  const bytes = Float64Array.from(encoded, ({ length }) => length).sort();
  const nodes = Float64Array.from(proven, ({ proof }) => proof.length).sort();
  return {
    ...{ medianBytes: quantile(bytes, 0.5), mostBytes: quantile(bytes, 1), medianNodes: quantile(nodes, 0.5) },
    ...{ medianMillis: quantile(millis, 0.5), p99Millis: quantile(millis, 0.99), slowestMillis: quantile(millis, 1) },
  };
}

if (import.meta.main) {
  const [rows = 0, samples = 0] = Deno.args.map(Number);
  console.log(JSON.stringify(run(rows, samples)));
}
