/** Text of strangers, made fit to be shown in one line of a list: on a terminal, on a web page, in a log. */

/** Control characters (they steer terminals), line and paragraph separators, and all that changes the direction of writing. */
const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

const ELLIPSIS = "\u2026";

/**
 * One line of well-formed text, of at most `maxChars` UTF-16 code units; what is longer ends in an ellipsis.
 */
export function displayText(text: string, maxChars: number): string {
  // Cut first, so that a text of megabytes costs no more than a short one; what is removed only makes it shorter.
  const start = text.slice(0, 4 * maxChars).toWellFormed();
  const line = start.replace(UNFIT, " ").replace(/\s+/gu, " ").trim();
  const cut = text.length > 4 * maxChars;
  if (line.length <= maxChars && !cut) return line;
  const room = line.slice(0, maxChars - 1);
  // Half a surrogate pair would not be well-formed.
  return room.replace(/[\ud800-\udbff]$/, "").trimEnd() + ELLIPSIS;
}

/** What a mail address looks like in a list. */
export interface DisplayAddress {
  readonly name: string;
  readonly address?: string | undefined;
}

/**
 * `Name <address>`, the name in quotes where it could be taken for an address or for several: anyone may call themselves
 * `bank@example.com`, and must not look like it.
 */
export function displayAddress({ name, address = "" }: DisplayAddress): string {
  if (name === "") return address;
  const safe = /["<>@,;:\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
  return address === "" ? safe : `${safe} <${address}>`;
}
