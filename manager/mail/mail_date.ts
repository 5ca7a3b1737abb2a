/**
 * The date of a Date header (RFC 5322 section 3.3, and the obsolete forms of 4.3). `Date.parse` will not do: it reads what has
 * no zone in the zone of this machine, so that the same message would have another date elsewhere.
 */
import { LIMITS } from "../../shared/limits.ts";

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Hours from UTC; other letters carry no information (RFC 5322 section 4.3). */
const ZONE_HOURS: Readonly<Record<string, number>> = {
  ...{ UT: 0, UTC: 0, GMT: 0, Z: 0 },
  ...{ EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
};

const DATE_TIME =
  /^(?:[a-z]{2,9} ?,? ?)?(\d{1,2}) ?([a-z]{3})[a-z]{0,6}\.? ?(\d{2,4}) (\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2}))?(?: ?([+-]\d{4}|[a-z]{1,5}))?$/i;

const MINUTE = 60_000;

/** A date, and whether the header said it in a form that RFC 5322 knows, its zone included. */
export interface MailDate {
  readonly millis: number;
  /** False when the zone is missing or unknown: then UTC was assumed. */
  readonly exact: boolean;
}

/** Reads an unfolded Date header; null for anything that is no date. */
export function parseMailDate(header: string): MailDate | null {
  const text = withoutComments(header.slice(0, LIMITS.maxDateHeaderChars)).replace(/[ \t\r\n]+/g, " ").trim();
  const match = DATE_TIME.exec(text);
  if (!match) return null;
  const [
    ,
    dayText = "",
    monthText = "",
    yearText = "",
    hourText = "",
    minuteText = "",
    secondText = "0",
    zoneText = "",
  ] = match;
  const month = MONTHS.indexOf(monthText.toLowerCase());
  const [day, hour, minute, second] = [Number(dayText), Number(hourText), Number(minuteText), Number(secondText)];
  const year = fullYear(yearText);
  // A leap second is the last second of its minute, so that it stays on its day.
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return null;
  date.setUTCHours(hour, minute, Math.min(second, 59));
  const offset = zoneMinutes(zoneText);
  return { millis: date.getTime() - (offset ?? 0) * MINUTE, exact: offset !== null };
}

/** RFC 5322 section 4.3: two digits up to 49 are of this century, other years of two or three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return text.length === 2 && year < 50 ? 2000 + year : 1900 + year;
}

/** Minutes east of UTC, or null where the zone is missing or says nothing. */
function zoneMinutes(zone: string): number | null {
  if (/^[+-]/.test(zone)) {
    const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
    if (minutes > 59) return null;
    return (zone.startsWith("-") ? -1 : 1) * (60 * hours + minutes);
  }
  const hours = ZONE_HOURS[zone.toUpperCase()];
  return hours === undefined ? null : 60 * hours;
}

/** Removes comments, nested ones included (RFC 5322 section 3.2.2). */
function withoutComments(text: string): string {
  let depth = 0;
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (depth > 0 && char === "\\") i++;
    else if (char === "(") depth++;
    else if (char === ")" && depth > 0) depth--;
    else if (depth === 0) out += char;
  }
  return out;
}
