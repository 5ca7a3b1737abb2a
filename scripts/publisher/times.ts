/** Times on a publisher's command line. */
import { PosternError } from "../../shared/errors.ts";

const DAY = 86_400_000;
const DAYS = /^([1-9][0-9]{0,3})d$/;
const ISO =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/;

/** A moment: `2030-01-01`, or with a time and a zone. @throws `usage` */
export function readMoment(text: string, flag: string): number {
  const millis = ISO.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(millis)) {
    throw new PosternError("usage", `${flag} must be a date such as 2030-01-31 or 2030-01-31T12:00:00Z, not ${text}`);
  }
  return millis;
}

/** An end: so many days (`90d`) after `from`, or a moment. @throws `usage` */
export function readEnd(text: string, from: number, flag: string): number {
  const days = DAYS.exec(text)?.[1];
  return days === undefined ? readMoment(text, flag) : from + Number(days) * DAY;
}
