/** Acknowledgements: up to which number the manager has taken a device's submissions (shared/spec/head.md). */
import * as v from "valibot";
import { type Bytes, compareBytes, concat } from "../bytes/bytes.ts";
import type { CborInput } from "../bytes/cbor.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { bytesOf, positive } from "./shapes.ts";

/** Everything of this device and stream is taken up to and including `number`, whose submission has this hash. */
export interface Acknowledgement {
  readonly device: Bytes;
  readonly stream: Bytes;
  readonly number: number;
  readonly hash: Bytes;
}

export const acksTuple = v.pipe(
  v.array(v.strictTuple([bytesOf(16), bytesOf(16), positive, bytesOf(32)])),
  v.maxLength(LIMITS.maxAcknowledgements),
);

export function encodeAcks(acks: readonly Acknowledgement[]): CborInput[] {
  return acks.map(({ device, stream, number, hash }) => [device, stream, number, hash]);
}

/** @throws `malformed` unless sorted strictly by device and stream, which makes the list unique and canonical */
export function decodeAcks(fields: v.InferOutput<typeof acksTuple>): Acknowledgement[] {
  const acks = fields.map(([device, stream, number, hash]) => ({ device, stream, number, hash }));
  acks.forEach((ack, index) => {
    const before = acks[index - 1];
    if (before !== undefined && compareAcks(before, ack) >= 0) {
      throw new PosternError("malformed", "Acknowledgements are not sorted, or one stands twice");
    }
  });
  return acks;
}

/** The order of acknowledgements in a head. */
export function compareAcks(a: Acknowledgement, b: Acknowledgement): number {
  return compareBytes(concat(a.device, a.stream), concat(b.device, b.stream));
}
