import { readTagMessage } from "../../../scripts/publisher/tag_message.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const SAYS: readonly (readonly [string, string, ReturnType<typeof readTagMessage>])[] = [
  ["nothing", "", { isCritical: false }],
  ["a title", "Postern 1.2.0\n", { isCritical: false, notes: "Postern 1.2.0\n" }],
  ["a title that looks like a trailer", "Fix: crash", { isCritical: false, notes: "Fix: crash\n" }],
  ["notes in paragraphs", "1.2.0\n\nFaster.\n\n- a: b\n- c\n", {
    isCritical: false,
    notes: "1.2.0\n\nFaster.\n\n- a: b\n- c\n",
  }],
  ["all there is", "1.2.0\r\n\r\nFaster.\r\n\r\nCritical: yes\r\nMin-Version: 1.1.0\r\n", {
    ...{ isCritical: true, floor: "1.1.0", notes: "1.2.0\n\nFaster.\n" },
  }],
  ["capitals and spaces of its own", "1.2.0\n\ncritical:yes \nMIN-version:\t1.1.0", {
    ...{ isCritical: true, floor: "1.1.0", notes: "1.2.0\n" },
  }],
  ["that it is not critical, and who says so", "1.2.0\n\nCritical: no\nSigned-off-by: A <a@example.org>", {
    ...{ isCritical: false, notes: "1.2.0\n" },
  }],
];

for (const [what, message, facts] of SAYS) {
  Deno.test(`readTagMessage() of a message with ${what}`, () => assertEquals(readTagMessage(message), facts));
}

const REFUSED: readonly (readonly [string, string, "usage" | "malformed"])[] = [
  ["a trailer with a typing error", "1.2.0\n\nCritcal: yes", "usage"],
  ["a trailer that is neither yes nor no", "1.2.0\n\nCritical: very", "usage"],
  ["a trailer without a value", "1.2.0\n\nCritical:", "usage"],
  ["a trailer that is there twice", "1.2.0\n\nCritical: yes\ncritical: no", "usage"],
  ["a trailer before the last paragraph", "1.2.0\n\nCritical: yes\n\nFaster.", "usage"],
  ["a trailer in a paragraph with text", "1.2.0\n\nFaster.\nMin-Version: 1.1.0", "usage"],
  ["a trailer as its title", "Critical: yes", "usage"],
  ["a floor that is no version", "1.2.0\n\nMin-Version: v1.1.0", "malformed"],
];

for (const [what, message, code] of REFUSED) {
  Deno.test(`readTagMessage() refuses ${what}: ${code}`, () => void assertThrows(() => readTagMessage(message), code));
}
