/** Every command that README and docs tell a reader to type is one that there is, with options that it takes. */
import type { Command } from "commander";
import { join } from "node:path";
import { listFiles, PROJECT_ROOT } from "../../scripts/files.ts";
import { buildProgram } from "../../manager/cli/program.ts";
import { assert, assertEquals } from "../assert.ts";

interface Told {
  readonly path: string;
  readonly line: number;
  readonly words: readonly string[];
}

const LAUNCHERS = /^(?:\$ )?(?:sudo )?(?:npx -y deno@[\d.]+ task )?postern (.*)$/;

/** Commands in indented or fenced code, continued lines joined, and in `code` within text. */
function commandsIn(path: string, text: string): Told[] {
  const told: Told[] = [];
  const joined = text.replace(/\\\n\s*/g, (match) => " ".repeat(match.length - 1) + "\n").split("\n");
  for (const [index, line] of joined.entries()) {
    const inline = [...line.matchAll(/`(postern [^`]+)`/g)].map((match) => match[1] ?? "");
    for (const command of [line.trim(), ...inline].flatMap((one) => one.split(/\s*(?:&&|\|\||[;|])\s*/))) {
      const rest = LAUNCHERS.exec(command)?.[1];
      if (rest === undefined || (!/^\s{4}|^\$ /.test(line) && !inline.some((one) => one.includes(command)))) continue;
      const words = rest.replace(/\s[<>].*$/, "").replace(/\s#.*$/, "").match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
      told.push({ path, line: index + 1, words });
    }
  }
  return told;
}

/** What is wrong with a command; null if nothing is. */
function judge(program: Command, { words }: Told): string | null {
  let command = program;
  const args: string[] = [];
  const known = () => [...command.options, ...program.options];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const child = command.commands.find((one) => one.name() === word);
    if (child !== undefined && args.length === 0) command = child;
    else if (word === "--help") return null;
    else if (word.startsWith("--")) {
      const [name] = word.split("=");
      const option = known().find(({ long }) => long === name);
      if (option === undefined) return `there is no option ${name}`;
      if (option.required && !word.includes("=")) at++;
    } else if (word !== "...") args.push(word);
  }
  if (command.commands.length > 0 && args.length > 0) return `there is no command '${args[0]}'`;
  const { registeredArguments: wanted } = command;
  const needed = wanted.filter(({ required }) => required).length;
  const isAlone = words.length === 1 || (args.length === 0 && words.every((word) => !word.startsWith("--")));
  if (args.length < needed && !isAlone) return `it needs ${needed} arguments`;
  if (args.length > wanted.length && !wanted.some(({ variadic }) => variadic)) return `'${args.at(-1)}' is too much`;
  return null;
}

Deno.test("README and docs name only commands and options that there are", async () => {
  const program = buildProgram({} as Parameters<typeof buildProgram>[0], { exit: 0 });
  const paths = ["README.md", ...listFiles(PROJECT_ROOT, ["docs"], /\.md$/)];
  const told: Told[] = [];
  for (const path of paths) told.push(...commandsIn(path, await Deno.readTextFile(join(PROJECT_ROOT, path))));
  assert(told.length >= 20, `only ${told.length} commands were found`);
  const wrong = told.flatMap((one) => {
    const problem = judge(program, one);
    return problem === null ? [] : [`${one.path}:${one.line}: postern ${one.words.join(" ")}: ${problem}`];
  });
  assertEquals(wrong, []);
});

Deno.test("README and docs link to files that there are", async () => {
  const paths = ["README.md", ...listFiles(PROJECT_ROOT, ["docs"], /\.md$/)];
  const missing: string[] = [];
  for (const path of paths) {
    const text = await Deno.readTextFile(join(PROJECT_ROOT, path));
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      const url = new URL(target, new URL(path, "file:///"));
      const there = await Deno.stat(join(PROJECT_ROOT, url.pathname)).then(() => true, () => false);
      if (!there) missing.push(`${path}: ${target}`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("judge() finds commands, options and arguments that there are not", () => {
  const program = buildProgram({} as Parameters<typeof buildProgram>[0], { exit: 0 });
  const of = (line: string) => {
    const [told] = commandsIn("a.md", `    ${line}\n`);
    assert(told !== undefined, line);
    return judge(program, told);
  };
  for (
    const good of [
      "postern status",
      "sudo postern cert import --runtime --trust",
      "npx -y deno@2.9.6 task postern run --data /x",
      "postern device confirm laptop --code abcd",
      "postern device add --request - < laptop.request",
      "postern device add",
    ]
  ) {
    assertEquals(of(good), null, good);
  }
  for (
    const bad of [
      "postern cert import --roots",
      "postern devise list",
      "postern device list all of them",
      "postern device revoke --yes",
      "postern status | postern nothing",
    ]
  ) {
    const all = commandsIn("a.md", `    ${bad}\n`);
    assert(all.some((one) => judge(program, one) !== null), bad);
  }
});
