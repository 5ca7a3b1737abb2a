/** What a device notes of a copy that it has proven by its contents, since no head names the roots of rows that it sealed itself. */
// spec: COPY-04
import * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { constantTimeEqual } from "../../crypto/equal.ts";
import { hmacSha256 } from "../../crypto/hash.ts";
import { PosternError } from "../../errors.ts";
import type { TableState } from "../../protocol/head.ts";
import { LABELS } from "../../protocol/labels.ts";
import { bytesOf, decodeAs, uint } from "../../protocol/shapes.ts";
import { TABLES } from "../../protocol/tables.ts";
import type { View } from "../verify/view.ts";

/** The tables whose rows a device may seal itself. */
export type NotedStates = Readonly<Record<"certificates" | "messages", TableState>>;

const state = <const N extends number>(number: N) => v.strictTuple([v.literal(number), uint, bytesOf(32)]);
const noteTuple = v.strictTuple([v.strictTuple([state(2), state(3)]), bytesOf(32)]);

/** The note on a copy of the head of a view. */
export function makeNote(view: View, states: NotedStates): Bytes {
  return encodeCbor([fieldsOf(states), macOf(view, states)]);
}

/** What a note says. @throws `malformed`; `tampered` for one that no device of the owner's made, or made of another head */
export function readNote(view: View, note: Bytes): NotedStates {
  const [[certificates, messages], mac] = decodeAs(noteTuple, note, "note on a copy");
  const states = {
    certificates: { count: certificates[1], root: certificates[2] },
    messages: { count: messages[1], root: messages[2] },
  };
  if (constantTimeEqual(mac, macOf(view, states))) return states;
  throw new PosternError("tampered", "The note on the local copy is not of this copy");
}

function macOf({ keys, head }: View, states: NotedStates): Bytes {
  const { owner, incarnation, epoch, tables } = keys;
  const note = [LABELS.copy, owner, incarnation, epoch, head.hash, fieldsOf(states)];
  return hmacSha256(tables[TABLES.devices].mac, encodeCbor(note));
}

function fieldsOf({ certificates, messages }: NotedStates): [number, number, Bytes][] {
  return [
    [TABLES.certificates, certificates.count, certificates.root],
    [TABLES.messages, messages.count, messages.root],
  ];
}
