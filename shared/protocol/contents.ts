/** Any plaintext by its kind, and the place where it belongs (shared/spec/rows.md, "Plaintexts"). */
import { type Bytes, concat, equalBytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/hash.ts";
import { isPosternError, PosternError } from "../errors.ts";
import { readCertificate } from "../x509/certificate.ts";
import {
  type CertificateContent,
  type ChannelContent,
  decodeCertificate,
  decodeChannel,
  decodeDevice,
  decodeMessage,
  decodePart,
  type DeviceContent,
  type MessageContent,
  type PartContent,
} from "./plaintexts.ts";
import { type ChangesContent, decodeChanges, decodeCover, decodeReceipt, type ReceiptContent } from "./records.ts";
import { type TableNumber, TABLES } from "./tables.ts";
import type { ListName } from "./token.ts";

/** What a row holds. */
export type RowContent =
  | { readonly kind: "device"; readonly device: DeviceContent }
  | { readonly kind: "certificate"; readonly certificate: CertificateContent }
  | { readonly kind: "channel"; readonly channel: ChannelContent }
  | { readonly kind: "message"; readonly message: MessageContent }
  | { readonly kind: "part"; readonly part: PartContent }
  | { readonly kind: "receipt"; readonly receipt: ReceiptContent }
  | { readonly kind: "changes"; readonly changes: ChangesContent }
  | { readonly kind: "cover"; readonly zeros: number };

/** Which tables a kind of plaintext may stand in; cover rows fit everywhere. */
const TABLE_OF: Readonly<Record<Exclude<RowContent["kind"], "cover">, TableNumber>> = {
  device: TABLES.devices,
  certificate: TABLES.certificates,
  channel: TABLES.messages,
  message: TABLES.messages,
  part: TABLES.messages,
  receipt: TABLES.messages,
  changes: TABLES.changes,
};

/**
 * Decodes the plaintext of a row of this table.
 *
 * @throws `malformed` for another form, or a kind that does not belong to the table
 */
export function decodeContent(table: TableNumber, plaintext: Bytes): RowContent {
  const content = decodeByKind(plaintext);
  if (content.kind !== "cover" && TABLE_OF[content.kind] !== table) {
    throw new PosternError("malformed", `Table ${table} holds no ${content.kind}`);
  }
  return content;
}

function decodeByKind(plaintext: Bytes): RowContent {
  const kind = kindOf(plaintext);
  switch (kind) {
    case "device":
      return { kind, device: decodeDevice(plaintext) };
    case "certificate":
      return { kind, certificate: decodeCertificate(plaintext) };
    case "channel":
      return { kind, channel: decodeChannel(plaintext) };
    case "message":
      return { kind, message: decodeMessage(plaintext) };
    case "part":
      return { kind, part: decodePart(plaintext) };
    case "receipt":
      return { kind, receipt: decodeReceipt(plaintext) };
    case "changes":
      return { kind, changes: decodeChanges(plaintext) };
    case "cover":
      return { kind, zeros: decodeCover(plaintext) };
    default:
      throw new PosternError("malformed", "A row holds something of an unknown kind");
  }
}

/** The short text that an array of that kind opens with; whether it is one, and what follows, is for the codec of that kind. */
function kindOf(plaintext: Bytes): string {
  const length = Math.max(0, (plaintext[1] ?? 0) - 0x60);
  return String.fromCharCode(...plaintext.subarray(2, 2 + length));
}

/** A place in a list. */
export interface Place {
  readonly list: ListName;
  readonly number: number;
}

/**
 * The lists that a content may stand in under this number, likelier ones first; empty when the number cannot be its. A cover row has
 * none: it says nothing of where it stands.
 */
// spec: ROW-10
export function listsOf(content: RowContent, number: number): ListName[] {
  switch (content.kind) {
    case "device":
      return number === 0 ? [{ kind: "device", name: content.device.id }] : [];
    case "certificate":
      return certificateLists(content.certificate.der, number);
    case "channel":
      return number >= 1 ? [{ kind: "channels", name: "" }] : [];
    case "message":
      return number === content.message.position ? [{ kind: "channel", name: content.message.channel }] : [];
    case "part":
      return number === content.part.index ? [{ kind: "message", name: content.part.message }] : [];
    case "receipt": {
      const { device, stream } = content.receipt;
      return number === content.receipt.number ? [{ kind: "receipt", name: concat(device, stream) }] : [];
    }
    case "changes":
      return number === content.changes.generation ? [{ kind: "generations", name: "" }] : [];
    case "cover":
      return [];
  }
}

function certificateLists(der: Bytes, number: number): ListName[] {
  const byFingerprint: ListName[] = number === 0 ? [{ kind: "fingerprint", name: sha256(der) }] : [];
  const subject = subjectOf(der);
  return subject === null ? byFingerprint : [...byFingerprint, { kind: "subject", name: subject }];
}

/** Null for a certificate that cannot be read: it may be kept as blocked, and is found by its fingerprint alone. */
function subjectOf(der: Bytes): string | null {
  try {
    return readCertificate(der).subject;
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return null;
  }
}

/** Kinds of lists in which cover rows may stand among the others (spec: ROW-13). */
export const COVERED_LISTS = ["subject", "channels", "channel"] as const;
export type CoveredList = (typeof COVERED_LISTS)[number];

/** True when a content belongs to this list under this number, or is a cover row where one may be. */
// spec: ROW-10, ROW-13
export function standsIn(content: RowContent, { list, number }: Place): boolean {
  if (content.kind === "cover") return COVERED_LISTS.some((kind) => kind === list.kind);
  return listsOf(content, number).some((own) => sameList(own, list));
}

/** True for the same kind and name. */
export function sameList(a: ListName, b: ListName): boolean {
  if (a.kind !== b.kind) return false;
  if (typeof a.name === "string" || typeof b.name === "string") return a.name === b.name;
  return equalBytes(a.name, b.name);
}
