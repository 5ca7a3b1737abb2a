import { isSeparator } from "../../../manager/mail/mbox_separator.ts";
import { assertEquals } from "../../assert.ts";

const FIELD = "Received: from x";

Deno.test("isSeparator() knows the dates that writers put into separators", () => {
  const dated = [
    "From jim@example.com Thu Nov 13 10:22:33 2023",
    "From - Thu Nov 13 10:22:33 2023",
    "From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
    "From a@b Thu Nov 13 10:22 2023",
    "From a@b Thu Nov 13 10:22:33 +0100 2023",
    "From a@b Thu Nov 13 10:22:33 MET 2023",
    "From a@b Thu Nov 13 10:22:33 2023 +0100",
    "From 1541234567890123456@xxx Tue Mar 03 12:33:44 +0000 2015",
    "From a b c d Thu Nov 13 10:22:33 2023 remote from host",
    "From a@b Thu, 13 Nov 2023 10:22:33 +0100",
  ];
  for (const line of dated) {
    assertEquals(isSeparator(line, { first: false, afterBlank: true, next: "" }), true, line);
    assertEquals(isSeparator(line, { first: false, afterBlank: false, next: FIELD }), true, line);
    assertEquals(isSeparator(line, { first: false, afterBlank: false, next: "prose" }), false, line);
  }
});

Deno.test("isSeparator() takes an undated line when it says next to nothing, after a blank line and before a field", () => {
  for (const line of ["From ", "From - ", "From a@b.example", "From a@b 2023-11-13T10:22:33Z"]) {
    assertEquals(isSeparator(line, { first: false, afterBlank: true, next: FIELD }), true, line);
    assertEquals(isSeparator(line, { first: false, afterBlank: true, next: "prose" }), false, line);
    assertEquals(isSeparator(line, { first: false, afterBlank: false, next: FIELD }), false, line);
    assertEquals(isSeparator(line, { first: true, afterBlank: false, next: "prose" }), true, line);
  }
});

Deno.test("isSeparator() leaves prose alone wherever it stands", () => {
  for (
    const line of [
      "From the desk of Bob",
      "From what I heard on Thu Nov 13",
      "From 10:22:33 2023 on",
      "From bob I heard this",
      "From a@b we heard",
      "From Thu Nov 13 10:22:33 2023 on, all is well",
    ]
  ) {
    assertEquals(isSeparator(line, { first: false, afterBlank: true, next: "Note: this is prose" }), false, line);
  }
});
