import fc from "fast-check";
import { parseMailDate } from "../../../manager/mail/mail_date.ts";
import { assertEquals } from "../../assert.ts";
import { run } from "../files/children.ts";

/** ISO time, with `?` where the zone had to be assumed; null for no date. */
function read(header: string): string | null {
  const date = parseMailDate(header);
  return date && new Date(date.millis).toISOString().replace(".000Z", date.exact ? "Z" : "Z?");
}

Deno.test("parseMailDate() reads the forms of RFC 5322, the obsolete ones included", () => {
  const cases: [string, string | null][] = [
    ["Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21T15:55:06Z"],
    ["21 Nov 1997 09:55:06 +0000", "1997-11-21T09:55:06Z"],
    ["Tue, 1 Jul 2003 10:52 +0200", "2003-07-01T08:52:00Z"],
    [
      "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
      "1969-02-14T03:02:00Z",
    ],
    ["Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06Z"],
    ["Fri, 21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06Z"],
    ["21 Nov 49 00:00:00 EST", "2049-11-21T05:00:00Z"],
    ["21 Nov 50 00:00:00 PDT", "1950-11-21T07:00:00Z"],
    ["21 Nov 103 00:00:00 Z", "2003-11-21T00:00:00Z"],
    ["Sat, 20 Sep 2008 20:04:30 +0300 (\u00f9\u00f2\u00e5\u00ef (nested) \\) x)", "2008-09-20T17:04:30Z"],
    ["29 Feb 2024 23:59:60 +0000", "2024-02-29T23:59:59Z"],
    ["Mon, 30 Jun 3609 15:33:50 +0600", "3609-06-30T09:33:50Z"],
    ["1 jan 2000 0:00:00 utc", "2000-01-01T00:00:00Z"],
    ["Fri, 21 Nov 1997 09:55:06", "1997-11-21T09:55:06Z?"],
    ["Fri, 21 Nov 1997 09:55:06 A", "1997-11-21T09:55:06Z?"],
    ["Fri, 21 Nov 1997 09:55:06 CEST", "1997-11-21T09:55:06Z?"],
    ["Fri, 21 Nov 1997 09:55:06 +0199", "1997-11-21T09:55:06Z?"],
  ];
  for (const [header, expected] of cases) assertEquals(read(header), expected, header);
});

Deno.test("parseMailDate() gives null for what is no date", () => {
  const cases = [
    "",
    "yesterday",
    "Pn, 29 paX 2007 21:13:00 +0100",
    "31 Apr 2000 00:00:00 +0000",
    "29 Feb 2023 00:00:00 +0000",
  ];
  const more = [
    "0 Jan 2000 00:00:00 +0000",
    "1 Jan 2000 24:00:00 +0000",
    "1 Jan 2000 00:60:00 +0000",
    "1 Jan 2000 00:00:61 +0000",
  ];
  const forms = [
    "2000-01-01T00:00:00Z",
    "1 Jan 2000",
    "1 Jan 2000 00:00:00 +0000 trailing",
    "1 Jan 20000 00:00:00 +0000",
    "(".repeat(9_999),
  ];
  for (const header of [...cases, ...more, ...forms]) assertEquals(read(header), null, header);
});

Deno.test("parseMailDate() gives back any time that was written by the book", () => {
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const times = fc.integer({ min: Date.UTC(1900, 0, 1) / 1000, max: Date.UTC(9999, 11, 30) / 1000 });
  const offsets = fc.integer({ min: -24 * 60, max: 24 * 60 });
  fc.assert(fc.property(times, offsets, (seconds, offset) => {
    const local = new Date((seconds + 60 * offset) * 1000);
    const [, month, date, year, time] =
      /(\w{3}) (\d\d) (\d+) ([\d:]+)/.exec(local.toUTCString().replace(/, (\d\d) (\w{3})/, " $2 $1")) ?? [];
    const minutes = Math.abs(offset);
    const zone = `${offset < 0 ? "-" : "+"}${String(Math.floor(minutes / 60)).padStart(2, "0")}${
      String(minutes % 60).padStart(2, "0")
    }`;
    const header = `${day[local.getUTCDay()]}, ${date} ${month} ${year} ${time} ${zone}`;
    assertEquals(parseMailDate(header), { millis: seconds * 1000, exact: true }, header);
  }));
});

Deno.test("parseMailDate() does not depend on the time zone of the machine", async () => {
  const module = new URL("../../../manager/mail/mail_date.ts", import.meta.url);
  const code = `import { parseMailDate } from ${
    JSON.stringify(module.href)
  }; console.log(parseMailDate("21 Nov 1997 09:55:06").millis)`;
  for (const zone of ["UTC", "Asia/Kolkata", "America/St_Johns"]) {
    const result = await run("env", `TZ=${zone}`, Deno.execPath(), "eval", "--quiet", code);
    assertEquals(result.out.trim(), "880106106000", zone);
  }
});
