/** Drafts: what is to be handed in, before anything is cut or sealed, and its form in the device's memory. */
import * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { bytesOf, bytesUpTo, decodeAs, textUpTo, uint } from "../../protocol/shapes.ts";
import { readCertificate } from "../../x509/certificate.ts";

export type Draft =
  | { readonly kind: "certificate"; readonly der: Bytes; readonly note: string }
  | { readonly kind: "message"; readonly channel: string; readonly date: number | null; readonly raw: Bytes }
  | { readonly kind: "ping"; readonly nonce: Bytes };

const draftTuple = v.union([
  v.strictTuple([v.literal("certificate"), bytesUpTo(LIMITS.maxCertificateBytes), textUpTo(LIMITS.maxNoteChars)]),
  v.strictTuple([
    v.literal("message"),
    textUpTo(LIMITS.maxChannelBytes, 1),
    v.nullable(uint),
    bytesUpTo(LIMITS.maxMessageBytes),
  ]),
  v.strictTuple([v.literal("ping"), bytesOf(32)]),
]);
/** A whole message with its channel and date. */
const MAX_DRAFT_BYTES = LIMITS.maxMessageBytes + 1_024;

/** Refuses what the manager would refuse. @throws `malformed`, `too_large`, `usage` */
export function requireDraft(draft: Draft): void {
  switch (draft.kind) {
    case "certificate":
      readCertificate(draft.der);
      if (draft.note.length > LIMITS.maxNoteChars) {
        throw new PosternError("usage", `A note has at most ${LIMITS.maxNoteChars} characters`);
      }
      break;
    case "message":
      requireMessage(draft.channel, draft.date, draft.raw);
      break;
    case "ping":
      break;
  }
}

// spec: ROW-02, ROW-11
function requireMessage(channel: string, date: number | null, raw: Bytes): void {
  const bytes = new TextEncoder().encode(channel).length;
  if (bytes < 1 || bytes > LIMITS.maxChannelBytes || channel.normalize("NFC") !== channel) {
    throw new PosternError("usage", `A channel's name is NFC text of 1 to ${LIMITS.maxChannelBytes} bytes`);
  }
  if (date !== null && !(Number.isSafeInteger(date) && date >= 0)) {
    throw new PosternError("usage", "The date of a message is whole milliseconds since 1970, or null");
  }
  if (raw.length > LIMITS.maxMessageBytes) {
    throw new PosternError(
      "too_large",
      `A message has at most ${LIMITS.maxMessageBytes} bytes; this one ${raw.length}`,
    );
  }
}

export function encodeDraft(draft: Draft): Bytes {
  switch (draft.kind) {
    case "certificate":
      return encodeCbor([draft.kind, draft.der, draft.note]);
    case "message":
      return encodeCbor([draft.kind, draft.channel, draft.date, draft.raw]);
    case "ping":
      return encodeCbor([draft.kind, draft.nonce]);
  }
}

/** @throws `malformed`, `too_large` */
export function decodeDraft(bytes: Bytes): Draft {
  const fields = decodeAs(draftTuple, bytes, "draft", { maxBytes: MAX_DRAFT_BYTES });
  switch (fields[0]) {
    case "certificate":
      return { kind: fields[0], der: fields[1], note: fields[2] };
    case "message":
      return { kind: fields[0], channel: fields[1], date: fields[2], raw: fields[3] };
    case "ping":
      return { kind: fields[0], nonce: fields[1] };
  }
}
