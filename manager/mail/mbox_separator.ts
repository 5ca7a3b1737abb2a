/**
 * Which lines that begin with "From " separate messages.
 *
 * RFC 4155 (appendix A) asks for an address and an asctime date, and that such lines of a body are quoted; writers differ on
 * all three. A line counts as a separator when two of these agree: it ends in a date, an empty line is before it, a header
 * field follows it. Prose such as "From what I heard: ..." has none of them, and a quoted line never gets here.
 */

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const TIME = "\\d{1,2}:\\d{2}(?::\\d{2})?";
const ZONE = "(?:[A-Za-z]{1,5}|[+-]\\d{4})";

/** As by asctime, with the time zones that some writers put before or after the year. */
const ASCTIME = `${DAY} +${MONTH} +\\d{1,2} +${TIME}(?: +${ZONE})? +\\d{4}(?: +${ZONE})?`;
/** As in a Date header, which some exporters use. */
const HEADER_DATE = `${DAY}, +\\d{1,2} +${MONTH} +\\d{2,4} +${TIME}(?: +${ZONE})?`;

const ENDS_IN_DATE = new RegExp(` (?:${ASCTIME}|${HEADER_DATE})(?: remote from \\S+)? *$`);
/** Nothing after "From", a dash, or an address, alone or with something numeric that is no known form of a date. */
const UNDATED = /^From +(?:|-|[^\s@]+@[^\s@]+(?: [^\d]*\d.*)?) *$/;
const HEADER_FIELD = /^[!-9;-~]{1,100}[ \t]*:/;

/** A longer line is no separator: an address has at most 320 characters. In bytes. */
export const MAX_SEPARATOR_BYTES = 1_024;
/** How much of the following line decides whether it is a header field. In bytes. */
export const FIELD_LOOKAHEAD_BYTES = 128;

/** What stands around a line that begins with "From ". */
export interface Surroundings {
  /** Nothing but empty lines came before it in this file. */
  readonly first: boolean;
  /** The line before it is empty. */
  readonly afterBlank: boolean;
  /** The beginning of the next line. */
  readonly next: string;
}

/** Judges a line that begins with "From ", given without its line end. */
export function isSeparator(line: string, around: Surroundings): boolean {
  if (around.first) return true;
  const beforeField = HEADER_FIELD.test(around.next);
  if (ENDS_IN_DATE.test(line)) return around.afterBlank || beforeField;
  return around.afterBlank && beforeField && UNDATED.test(line);
}
