import { assertEquals, assertThrows } from "../../assert.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { readWhole, TAG } from "../../../shared/der/read.ts";
import { element } from "../../../shared/der/write.ts";
import { readTime } from "../../../shared/x509/asn1_time.ts";

function read(tag: number, text: string): string {
  const content = readWhole(element(tag, utf8(text)), tag, "time");
  return new Date(readTime({ tag, content } as Parameters<typeof readTime>[0], "time")).toISOString();
}

Deno.test("readTime() reads both forms, to the second", () => {
  const short: [string, string][] = [
    ["500102030405Z", "1950-01-02T03:04:05.000Z"],
    ["990228235959Z", "1999-02-28T23:59:59.000Z"],
    ["000229000000Z", "2000-02-29T00:00:00.000Z"],
    ["491231235959Z", "2049-12-31T23:59:59.000Z"],
  ];
  for (const [text, time] of short) assertEquals(read(TAG.utcTime, text), time);
  const long: [string, string][] = [
    ["20500102030405Z", "2050-01-02T03:04:05.000Z"],
    ["20300102030405Z", "2030-01-02T03:04:05.000Z"],
    ["99991231235959Z", "9999-12-31T23:59:59.000Z"],
    ["00490101000000Z", "0049-01-01T00:00:00.000Z"],
  ];
  for (const [text, time] of long) assertEquals(read(TAG.generalizedTime, text), time);
});

Deno.test("readTime() refuses every other form, and what no calendar has", () => {
  const texts = [
    ...[
      "",
      "Z",
      "300102030405",
      "3001020304Z",
      "3001020304055Z",
      "300102030405Z ",
      "30010203040+Z",
      "300102030405+0000",
    ],
    ...["300002030405Z", "301302030405Z", "300100030405Z", "300132030405Z", "300102240405Z", "300102036005Z"],
    ...["300102030460Z", "300230030405Z", "010229000000Z", "3x0102030405Z", "20300102030405Z"],
  ];
  for (const text of texts) assertThrows(() => read(TAG.utcTime, text), "malformed");
  for (const text of ["300102030405Z", "20300102030405.5Z", "20300102030405", "20301302030405Z"]) {
    assertThrows(() => read(TAG.generalizedTime, text), "malformed");
  }
  for (const text of ["300102030405Z", "20300102030405Z"]) {
    assertThrows(() => read(TAG.octetString, text), "malformed");
  }
});
