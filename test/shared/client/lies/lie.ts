/** What the tests of lying edges share. */
import { assert } from "../../../assert.ts";
import { type Bytes } from "../../../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../../shared/bytes/cbor.ts";
import { type ErrorCode, isPosternError } from "../../../../shared/errors.ts";
import { encodeHead, signHead } from "../../../../shared/protocol/head.ts";
import type { Answer } from "../scripted_edge.ts";
import { type Started } from "../start.ts";
import { World } from "../world.ts";

/** A lie, and what the device calls it. */
export interface Lie {
  readonly name: string;
  readonly code: ErrorCode;
  /** Changes the answers of this name. */
  readonly lie: (answer: Answer, started: Started) => Answer | Promise<Answer>;
}

/** The code of the failure. */
export async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "nothing was noticed";
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.code;
  }
}

/** Changes one field of a record's clear part: 0 device id, 2 key, 3 suite, 4 encapsulated, 5 wrapped. */
export function changeExtra(record: unknown, field: number, value: CborInput): Bytes {
  const row = decodeCbor(record as Bytes) as CborInput[];
  const extra = [...row[4] as CborInput[]];
  extra[field] = value;
  row[4] = extra;
  return encodeCbor(row);
}

/** The last bit changed. */
export const flip = (bytes: unknown) =>
  (bytes as Bytes).map((byte, at, all) => at === all.length - 1 ? byte ^ 1 : byte);
/** Another owner, who is real, with a device that is. */
export const other = await World.create("https://other.test");
export const theirs = await other.pair("stranger");
await other.turn();
assert(theirs.name === "stranger");

/** The head with other fields, signed as if by the manager. */
export async function resigned(
  started: Started,
  fields: Parameters<Started["world"]["owner"]["head"]>[0],
): Promise<Bytes> {
  const { head } = started.world.current;
  return await signHead(encodeHead({ ...head, ...fields }), started.world.owner.manager.sign);
}
