import { compareVersions, isVersion, requireVersion } from "../../../shared/manifest/version.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

/** By ascending precedence: section 11 of the standard, and numbers that no double holds. */
const ORDERED = [
  "0.0.0",
  "0.0.1-0",
  "0.0.1",
  "1.0.0-0.3.7",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.2.0",
  "1.10.0",
  "2.0.0-1",
  "2.0.0-10",
  "2.0.0--",
  "2.0.0-0a",
  "2.0.0",
  "2.0.9007199254740993",
  "2.0.9007199254740994",
  "99999999999999999999.0.0",
];

Deno.test("compareVersions() orders as section 11 of Semantic Versioning does", () => {
  for (const [i, a] of ORDERED.entries()) {
    for (const [j, b] of ORDERED.entries()) {
      assertEquals(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
    }
  }
});

Deno.test("MAN-03 isVersion() takes 128 characters", () => {
  const longest = `1.0.${"1".repeat(124)}`;
  assertEquals([isVersion(longest), isVersion(`${longest}1`)], [true, false]);
});

Deno.test("MAN-02 requireVersion() refuses everything that is no version, and build metadata", () => {
  const wrong = [
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "v1.2.0",
    "01.2.0",
    "1.02.0",
    "1.2.0-",
    "1.2.0-01",
    "1.2.0-a..b",
    "1.2.0+1",
  ];
  for (const text of [...wrong, "1.2.0-ä", " 1.2.0", "1.2.0\n", "1.2.-1", "１.2.0"]) {
    assertThrows(() => requireVersion(text, "version"), "malformed");
    assert(!isVersion(text));
  }
  assertThrows(() => requireVersion(`1.2.0-${"a".repeat(123)}`, "version"), "too_large");
  assertEquals(requireVersion(`1.2.0-${"a".repeat(122)}`, "version").length, 128);
});
