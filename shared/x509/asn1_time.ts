/** Times in certificates: RFC 5280 section 4.1.2.5, in the one form DER and the profile leave. */
import { type Element, malformed, TAG } from "../der/read.ts";

/**
 * Reads a UTCTime (`YYMMDDHHMMSSZ`, 1950 to 2049) or GeneralizedTime (`YYYYMMDDHHMMSSZ`) as milliseconds since 1970.
 *
 * A GeneralizedTime before 2050 is read too: the profile forbids it, but it can be understood in one way only.
 */
export function readTime({ tag, content }: Element, what: string): number {
  if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) throw malformed(what, "is not a time");
  const text = String.fromCharCode(...content.subarray(0, 16));
  const digits = tag === TAG.utcTime ? 12 : 14;
  if (content.length !== digits + 1 || !/^\d+Z$/.test(text)) throw malformed(what, "is not a time in UTC with seconds");
  const short = Number(text.slice(0, digits - 10));
  const year = tag === TAG.generalizedTime ? short : short < 50 ? 2000 + short : 1900 + short;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = Array.from(
    { length: 5 },
    (_, i) => Number(text.slice(digits - 10 + 2 * i, digits - 8 + 2 * i)),
  );
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Out-of-range parts carry over into the next unit: no real time does that.
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  if (!same) throw malformed(what, "is a date or time of day that does not exist");
  return date.getTime();
}
