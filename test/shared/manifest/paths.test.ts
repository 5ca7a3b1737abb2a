import fc from "fast-check";
import type { ErrorCode } from "../../../shared/errors.ts";
import { foldPath, requirePath, requirePaths } from "../../../shared/manifest/paths.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const GOOD = [
  "a",
  "bin/postern",
  ".env",
  "..a",
  "a..b/c.d",
  "a b/c",
  "node_modules/@std/crypto/mod.ts",
  "größe/日本語.txt",
  "console/com/comx/nulls.txt",
  "a~b",
  "1",
  "a'b(c)[d]{e}",
];

for (const path of GOOD) {
  Deno.test(`MAN-05 requirePath() passes ${path}`, () => requirePath(path));
}

const BAD: readonly (readonly [string, string, ErrorCode?])[] = [
  ["an empty path", ""],
  ["an absolute path", "/etc/passwd"],
  ["a drive", "C:/windows"],
  ["a drive without a slash", "C:x"],
  ["a network share", "//server/share"],
  ["a parent", "../x"],
  ["a parent inside", "a/../b"],
  ["a parent at the end", "a/.."],
  ["a dot", "./a"],
  ["a dot inside", "a/./b"],
  ["an empty segment", "a//b"],
  ["a slash at the end", "a/"],
  ["a backslash", "a\\b"],
  ["a parent with backslashes", "..\\..\\x"],
  ["a zero byte", "a\0b"],
  ["a line feed", "a\nb"],
  ["an escape character", "a\x1b[2J"],
  ["delete", "a\x7f"],
  ["a C1 control", "a\x85b"],
  ["a direction override", "a\u202etxt.exe"],
  ["a zero-width space", ".g\u200bit"],
  ["a soft hyphen", "a\u00adb"],
  ["a line separator", "a\u2028b"],
  ["a private character", "a\ue000"],
  ["an unassigned character", "a\u0378"],
  ["a lone surrogate", "a\ud800"],
  ["another stream of a file", "a.txt:hidden"],
  ["a wildcard", "a*"],
  ["a question mark", "a?"],
  ["a redirection", "a>b"],
  ["a pipe", "a|b"],
  ["a quote", 'a"b'],
  ["NFD", "gro\u0308\u00dfe"],
  ["a full-width slash", "a\uff0fb/.."],
  ["full-width full stops", "\uff0e\uff0e/x"],
  ["a full-width colon", "C\uff1ax"],
  ["a two-dot leader", "\u2025/x"],
  ["a trailing full stop", "a./b"],
  ["a trailing space", "a /b"],
  ["a leading space", " a"],
  ["a full stop at the end", "a.txt."],
  ["CON", "CON"],
  ["con in a folder", "a/con/b"],
  ["nul with an extension", "nul.txt"],
  ["aux with two extensions", "aux.tar.gz"],
  ["com1", "COM1"],
  ["com with a superscript one", "com\u00b9.log"],
  ["lpt9 with a space before the extension", "lpt9 .x"],
  ["conin$", "CONIN$"],
  ["prn in full-width letters", "\uff30\uff32\uff2e"],
  ["a short name", "PROGRA~1/x"],
  ["a short name of git's folder", "git~1"],
  ["a path that is too long", "a/".repeat(30) + "b".repeat(1_000), "too_large"],
  ["a name that is too long", "a".repeat(256), "too_large"],
  ["a name of too many bytes", "ä".repeat(128), "too_large"],
  ["a path that is too deep", "a/".repeat(32) + "b", "too_large"],
];

for (const [what, path, code = "malformed"] of BAD) {
  Deno.test(`MAN-05 requirePath() refuses ${what}: ${code}`, () => {
    const { message } = assertThrows(() => requirePath(path), code);
    if (path.length > 8) assertEquals(message.includes(path), false);
  });
}

const COLLIDING: readonly (readonly [string, readonly string[]])[] = [
  ["one path twice", ["a", "a"]],
  ["case", ["README", "readme"]],
  ["case in a folder", ["src/a", "SRC/b"]],
  ["case of a letter beyond ASCII", ["Ä", "ä"]],
  ["case of a sharp s", ["straße", "STRASSE"]],
  ["a final sigma", ["ς", "σ"]],
  ["a ligature", ["ﬁle", "file"]],
  ["a full-width letter", ["Ａ", "a"]],
  ["the Kelvin sign", ["\u212a", "k"]],
  ["a file that is a folder", ["a", "a/b"]],
  ["a file that is a folder, before it", ["a/b/c", "a/b"]],
  ["a file that is a folder but for case", ["A", "a/b"]],
  ["a file that is a folder but for case, beside one that begins as it does", ["A", "a-", "a/b"]],
  ["case of a folder further up", ["A/b/x", "a/c/y"]],
  ["a file that is a folder further up", ["a", "A/b/c"]],
  ["a folder in two spellings", ["ﬁ/a", "fi/b"]],
];

for (const [what, paths] of COLLIDING) {
  Deno.test(`MAN-06 requirePaths() refuses ${what}`, () => {
    assertThrows(() => requirePaths(paths), "malformed");
    assertThrows(() => requirePaths([...paths].reverse()), "malformed");
  });
}

Deno.test("MAN-06 requirePaths() passes paths that are different everywhere", () => {
  requirePaths(["a/b/c", "a/b/d", "a/bc", "a.b", "ab", "b/a"]);
  requirePaths([]);
});

Deno.test("MAN-06 requirePaths() looks at all pairs of paths and folders", () => {
  const segment = fc.constantFrom("a", "A", "b", "ﬁ", "fi", "a-");
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
  const foldersOf = (one: string) => [...one.matchAll(/\//g)].map(({ index }) => one.slice(0, index));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 4 }), (paths) => {
      const folders = [...new Set(paths.flatMap(foldersOf))];
      const folded = [...paths, ...folders].map(foldPath);
      if (new Set(folded).size === folded.length) requirePaths(paths);
      else assertThrows(() => requirePaths(paths), "malformed");
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("MAN-06 foldPath() is the same in its fast way and in its full one", () => {
  for (const path of ["A/b.C", "x-Y_z+@9"]) {
    assertEquals(foldPath(path), path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC"));
  }
});
