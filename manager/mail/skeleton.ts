/**
 * The part of a message that a summary needs: its header, and the delimiter and header of each MIME part, without any content.
 *
 * A message of 25 MiB comes down to a few kilobytes, so that parsing costs nothing and hostile content never reaches the
 * parser; and what does reach it is bounded.
 */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { LIMITS } from "../../shared/limits.ts";

export interface MessageSkeleton {
  /** The header of the message, with the empty line that ends it. */
  readonly header: Bytes;
  /** The header and, for a multipart message, everything that may be a part's delimiter and header. */
  readonly whole: Bytes;
  /** Where a limit cut something off. */
  readonly cut: "header" | "parts" | null;
}

const LF = 10;
const CR = 13;
const DASH = 45;

const latin1 = new TextDecoder("latin1");

/** Cuts the content out of a message. The bytes that remain are unchanged and in their order. */
export function messageSkeleton(raw: Bytes): MessageSkeleton {
  const headerEnd = endOfHeader(raw, 0, LIMITS.maxSummaryHeaderBytes);
  const header = raw.slice(0, headerEnd.at);
  // Anything that is not multipart has no parts, whatever its lines begin with: a patch is full of "---".
  if (!headerEnd.found || !/multipart\//i.test(latin1.decode(header))) {
    return { header, whole: header, cut: headerEnd.at === raw.length || headerEnd.found ? null : "header" };
  }
  const pieces: Uint8Array[] = [header];
  let kept = 0;
  let parts = 0;
  for (let at = headerEnd.at; at < raw.length;) {
    if (raw[at] !== DASH || raw[at + 1] !== DASH) {
      at = nextLine(raw, at);
      continue;
    }
    const room = LIMITS.maxSummaryPartsBytes - kept;
    const end = endOfHeader(raw, at, room);
    if (++parts > LIMITS.maxSummaryParts || (!end.found && end.at !== raw.length)) {
      return { header, whole: concat(...pieces), cut: "parts" };
    }
    pieces.push(raw.subarray(at, end.at));
    kept += end.at - at;
    at = end.at;
  }
  return { header, whole: concat(...pieces), cut: null };
}

/** The offset behind the first empty line, looking no further than `maxBytes`. */
function endOfHeader(raw: Bytes, from: number, maxBytes: number): { at: number; found: boolean } {
  const limit = Math.min(raw.length, from + maxBytes);
  for (let at = from; at < limit;) {
    const next = nextLine(raw, at);
    if (next > limit) break;
    if (isEmptyLine(raw, at, next)) return { at: next, found: true };
    at = next;
  }
  return { at: limit, found: false };
}

function nextLine(raw: Bytes, at: number): number {
  const newline = raw.indexOf(LF, at);
  return newline < 0 ? raw.length : newline + 1;
}

/** Some gateways end lines in CR CR LF; postal-mime takes such a line for empty too. */
function isEmptyLine(raw: Bytes, at: number, next: number): boolean {
  if (raw[next - 1] !== LF) return false;
  for (let i = at; i < next - 1; i++) if (raw[i] !== CR) return false;
  return true;
}
