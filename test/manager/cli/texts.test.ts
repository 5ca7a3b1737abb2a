/** The pure pieces of the command line. */
import { Command } from "commander";
import fc from "fast-check";
import { ERROR_CODES, type ErrorCode, PosternError } from "../../../shared/errors.ts";
import { completionScript, SHELLS } from "../../../manager/cli/completions.ts";
import { readEnvFile, writeEnvFile } from "../../../manager/cli/env_file.ts";
import { tellError } from "../../../manager/cli/error_text.ts";
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from "../../../manager/cli/exit_codes.ts";
import { dataFolder } from "../../../manager/cli/folder_choice.ts";
import { idPrefix } from "../../../manager/cli/ids.ts";
import { render } from "../../../manager/cli/output.ts";
import { progressLine, startProgress } from "../../../manager/cli/progress.ts";
import { readEdgeKey, writeEdgeKey } from "../../../manager/cli/texts/edge_key.ts";
import { readRecoveryKey, writeRecoveryKey } from "../../../manager/cli/texts/recovery_key.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));

Deno.test("readRecoveryKey() reads what writeRecoveryKey() wrote, however it is typed", () => {
  fc.assert(fc.property(bytes32, (seed) => {
    const text = writeRecoveryKey(seed);
    assert(/^([a-z2-7]{4}-){13}[a-z2-7]{4}$/.test(text));
    for (const typed of [text, text.toUpperCase(), text.replaceAll("-", " "), ` ${text.replaceAll("-", "")}\n`]) {
      assertEquals(readRecoveryKey(typed), seed);
    }
  }));
});

Deno.test("readRecoveryKey() refuses any one letter that is wrong", () => {
  const text = writeRecoveryKey(crypto.getRandomValues(new Uint8Array(32)));
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "-") continue;
    assertThrows(
      () => readRecoveryKey(text.slice(0, at) + (text[at] === "a" ? "b" : "a") + text.slice(at + 1)),
      "malformed",
    );
  }
  for (const other of ["", "abcd", text + "a", text.slice(0, -1), text.replace(/^./, "1")]) {
    assertThrows(() => readRecoveryKey(other), "malformed");
  }
});

Deno.test("readEdgeKey() reads what writeEdgeKey() wrote, and nothing else", () => {
  fc.assert(fc.property(bytes32, (key) => assertEquals(readEdgeKey(` ${writeEdgeKey(key)}\n`), key)));
  const good = writeEdgeKey(new Uint8Array(32));
  for (
    const text of [
      "",
      good.slice(13),
      good.slice(0, -1),
      `${good}A`,
      good.replace("edge", "other"),
      `${good.slice(0, -1)}B`,
    ]
  ) {
    assertThrows(() => readEdgeKey(text), "usage");
  }
});

Deno.test("exitCodeOf() has a code of its own kind for every error, and help names each", () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const exit = exitCodeOf(code);
    assert(exit !== EXIT.ok && exit !== EXIT.findings && exit !== EXIT.bug, code);
    assert(new RegExp(`\\b${exit}  `).test(EXIT_CODES_HELP), `${code} ends with ${exit}, which help does not explain`);
  }
});

Deno.test("tellError() shows no stack without --debug, and no control characters", () => {
  const told = tellError(new PosternError("storage", "the file \x1b[31m is full"), false);
  assertEquals(told.text, "postern: The file \ufffd[31m is full [storage]");
  const bug = tellError(new RangeError("out"), false);
  assert(!/\n\s+at /.test(bug.text) && bug.text.includes("--debug") && bug.exit === EXIT.bug);
  assert(tellError(new PosternError("usage", "x", { cause: new Error("why") }), true).text.includes("why"));
  assertEquals(tellError("odd", false).exit, EXIT.bug);
});

const TOLD = { error: { code: "tampered", message: "x" } };

Deno.test("tellError() advises about the edge only where an edge was asked", () => {
  const tampered = new PosternError("tampered", "x");
  assert(tellError(tampered, false, "sync").text.includes("this edge"));
  assert(tellError(tampered, false, "update").text.includes("docs/updating.md"));
  for (const group of ["key", "log", "instance"]) assertEquals(tellError(tampered, false, group).json, TOLD, group);
  assert(tellError(new PosternError("clock", "x"), false, "key").text.includes("Set this machine's clock"));
});

Deno.test("render() prints one line of JSON, or the text, or nothing", () => {
  assertEquals(render({ json: { a: [1, "x\ny"] }, text: "hello" }, true), '{"a":[1,"x\\ny"]}\n');
  assertEquals(render({ json: null, text: "hello" }, false), "hello\n");
  assertEquals(render({ json: null, text: "" }, false), "");
  assertEquals(render({ json: {}, text: "x", isSilent: true }, true), "");
});

Deno.test("dataFolder() prefers the option, then the variable, then what XDG says, then the home folder", () => {
  const of = (option: string | undefined, env: Record<string, string>) =>
    dataFolder(option, { env: (name) => env[name], cwd: "/w" });
  const all = { POSTERN_DATA: "d", XDG_DATA_HOME: "/x", HOME: "/h" };
  assertEquals(of("o", all), "/w/o");
  assertEquals(of(undefined, all), "/w/d");
  assertEquals(of(undefined, { XDG_DATA_HOME: "/x", HOME: "/h" }), "/x/postern");
  assertEquals(of(undefined, { XDG_DATA_HOME: "relative", HOME: "/h" }), "/h/.local/share/postern");
  assertThrows(() => of(undefined, {}), "configuration");
});

Deno.test("idPrefix() takes digits in any spelling, and enough of them", () => {
  assertEquals(idPrefix("AB:CD", "An id", 32), new Uint8Array([0xab, 0xcd]));
  for (const text of ["", "ab", "abc", "abcg", "abcde"]) assertThrows(() => idPrefix(text, "An id", 32), "usage");
  assertThrows(() => idPrefix("ab".repeat(33), "An id", 32), "usage");
});

Deno.test("readEnvFile() reads what writeEnvFile() wrote, and what people write", () => {
  const settings = {
    POSTERN_EDGE_KEY: "a-_b",
    POSTERN_ORIGIN: "https://[::1]:8/x",
    POSTERN_DATABASE_URL: "file:a b".slice(0, 6),
  };
  assertEquals(readEnvFile(writeEnvFile(settings, "a comment")), settings);
  assertEquals(readEnvFile("# c\n\nexport A=\"x y\"\nB='q'\r\nC=\n"), { A: "x y", B: "q", C: "" });
  assertThrows(() => readEnvFile("nonsense"), "malformed");
  assertThrows(() => writeEnvFile({ A: "x\ny" }, "c"), "usage");
});

Deno.test("startProgress() shows nothing in the first second, nor where nobody looks", () => {
  let now = 0;
  let written = "";
  const bar = (isShown: boolean) =>
    startProgress({ label: "x", isShown, write: (text) => written += text, now: () => now });
  const shown = bar(true);
  shown.update(1, 10);
  now = 999;
  shown.update(2, 10);
  assertEquals(written, "");
  now = 1_100;
  shown.update(3, 10);
  now = 1_150;
  shown.update(4, 10);
  assert(written.includes("30%") && !written.includes("40%"));
  shown.end();
  assert(written.endsWith("\r\x1b[2K"));
  written = "";
  const hidden = bar(false);
  now = 9_000;
  hidden.update(5, 10);
  hidden.end();
  assertEquals(written, "");
});

Deno.test("progressLine() stays within its bounds", () => {
  fc.assert(fc.property(fc.nat(), fc.nat(), fc.nat(), (done, total, elapsed) => {
    const line = progressLine("Pushing", done, total, elapsed);
    assert(line.startsWith("Pushing  "));
    if (total > 0) assertEquals(line.match(/[█░]/g)?.length, 24);
  }));
  assertEquals(progressLine("x", 7, 0, 5_000), "x  7");
});

Deno.test("completionScript() completes every command and option of the program, in each shell", async () => {
  const program = new Command("postern").option("--data <dir>", "the folder");
  const group = program.command("device").summary("devices");
  group.command("add").summary("it's added").option("--request <file>", "the request");
  for (const shell of SHELLS) {
    const script = completionScript(program, shell);
    for (const word of ["device", "add", "request", "data"]) assert(script.includes(word), `${shell}: ${word}`);
  }
  assertThrows(() => completionScript(program, "tcsh"), "usage");
  const query = `${completionScript(program, "bash")}
COMP_WORDS=(postern device ""); COMP_CWORD=2; _postern; echo "\${COMPREPLY[*]}"
COMP_WORDS=(postern device add --); COMP_CWORD=3; _postern; echo "\${COMPREPLY[*]}"`;
  const { stdout, success } = await new Deno.Command("bash", { args: ["-c", query], stderr: "null" }).output();
  assert(success);
  assertEquals(new TextDecoder().decode(stdout), "add --data --help\n--request --data --help\n");
});
