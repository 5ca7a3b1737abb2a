import type { Email } from "postal-mime";
import type { MessageSkeleton } from "./skeleton.ts";

/**
 * What is wrong with a message, as far as its summary is concerned.
 *
 * - `header`: no header, lines in it that are no fields, or more than `LIMITS.maxSummaryHeaderBytes`
 * - `charset`: a character set that this runtime does not know, or bytes that are not text in the one that was named
 * - `date`: a Date header that cannot be read, or without a known time zone
 * - `mime`: a multipart message without its delimiters or its end, nested or divided beyond the limits
 */
export type MailDamage = "charset" | "date" | "header" | "mime";

export interface Diagnosis {
  readonly skeleton: MessageSkeleton;
  readonly email: Email;
  /** The parser gave up on the whole and read the header alone. */
  readonly broken: boolean;
  readonly dateDamaged: boolean;
}

const FIELD = /^[!-9;-~]+[ \t]*:/;
const latin1 = new TextDecoder("latin1");

/** The kinds of damage, sorted, each once. */
export function findDamage({ skeleton, email, broken, dateDamaged }: Diagnosis): MailDamage[] {
  const found = new Set<MailDamage>();
  if (dateDamaged) found.add("date");
  if (skeleton.cut === "header") found.add("header");
  if (broken || skeleton.cut === "parts") found.add("mime");
  // An mbox separator that was left in front of the message is common, and harms nothing.
  const lines = email.headerLines.filter(({ line }, i) => i > 0 || !/^>?From /.test(line));
  if (lines.length === 0 || !lines.every(({ line }) => FIELD.test(line))) found.add("header");
  const text = latin1.decode(skeleton.whole);
  if (hasUnknownCharset(text) || shownTexts(email).some((shown) => shown.includes("\ufffd"))) found.add("charset");
  if (lacksDelimiters(email, text)) found.add("mime");
  return [...found].sort();
}

function shownTexts(email: Email): string[] {
  const addresses = [email.from ?? [], email.to ?? []].flat().flatMap((entry) => entry.group ?? [entry]);
  return [email.subject ?? "", ...addresses.map(({ name }) => name)];
}

/** Labels in encoded words (RFC 2047) and in charset parameters, of all headers. */
function hasUnknownCharset(text: string): boolean {
  const labels = new Set<string>();
  for (const [, label = ""] of text.matchAll(/=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?[bq]\?/gi)) {
    labels.add(label.toLowerCase());
  }
  for (const [, label = ""] of text.matchAll(/;\s*charset\s*=\s*"?([^\s;"]{1,64})/gi)) labels.add(label.toLowerCase());
  return [...labels].some((label) => !isKnownCharset(label));
}

function isKnownCharset(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/** Whether a multipart message names no boundary, or the boundary never comes, or never comes to its end. */
function lacksDelimiters(email: Email, text: string): boolean {
  const type = email.headers.find(({ key }) => key === "content-type")?.value ?? "";
  if (!/^multipart\//i.test(type)) return false;
  const boundary = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(type);
  // A boundary in pieces (RFC 2231) is legal and rare; the parser joins it, and it is not looked for here.
  if (!boundary) return !/;\s*boundary\*/i.test(type);
  const value = boundary[2] ?? (boundary[1] ?? "").replace(/\\(.)/g, "$1");
  const encoded = latin1.decode(new TextEncoder().encode(value));
  return value === "" || !`\n${text}`.includes(`\n--${encoded}--`);
}
