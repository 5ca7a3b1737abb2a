/** AlgorithmIdentifier (RFC 5280 section 4.1.1.2): an algorithm's number and its parameters, which stay as they are. */
import type { Bytes } from "../bytes/bytes.ts";
import { DerReader, type Element, readOid, TAG } from "./read.ts";

/** An algorithm, dotted, with the one element of its parameters if there is one; `der` is all of it. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly parameters: Element | undefined;
  readonly der: Bytes;
}

/** Reads an AlgorithmIdentifier from its SEQUENCE. */
export function readAlgorithm(sequence: Element, what: string): AlgorithmIdentifier {
  const reader = new DerReader(sequence.content, what);
  const oid = readOid(reader.expect(TAG.oid, what).content, what);
  const parameters = reader.done ? undefined : reader.next();
  reader.end();
  return { oid, parameters, der: sequence.whole };
}
