/**
 * What all scripts of a publisher have in common: options by commander, `--json`, one place where errors end, and an exit code
 * that is 0 only on success.
 *
 * With `--json` standard output has one line: `{"ok":true,...}`, or `{"ok":false,"error":{"code":...,"message":...}}` with a code of
 * `shared/errors.ts`, or `bug` for an error that Postern did not foresee.
 */
import { Command, CommanderError } from "commander";
import { isPosternError } from "../../shared/errors.ts";
import { EXIT, exitCodeOf } from "../../manager/cli/exit_codes.ts";
import type { Json } from "../../manager/cli/output.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** What a script did. */
export interface Done {
  /** Beside `"ok":true`. */
  readonly json: { readonly [name: string]: Json };
  /** For people: lines without the last line end. */
  readonly text: string;
}

/** A script, or one command of it, with its options by the names that commander makes of the flags. */
export type Action<O extends object> = (options: O, s: ScriptSurroundings, args: readonly string[]) => Promise<Done>;

/** Makes commander's action out of ours. */
export type BindAction = <O extends object>(action: Action<O>) => (...raw: unknown[]) => Promise<void>;

/** Describes a script: its options, or its commands with theirs. */
export type Describe = (program: Command, bind: BindAction) => void;

/**
 * Runs a script.
 *
 * @param name as in its file's name, for help
 * @returns the exit code; nothing is thrown
 */
export async function runScript(
  name: string,
  describe: Describe,
  args: readonly string[],
  s: ScriptSurroundings,
): Promise<number> {
  const asJson = args.includes("--json");
  const program = new Command(`deno run -A scripts/${name}.ts`);
  const bind: BindAction = <O extends object>(action: Action<O>) => async (...raw: unknown[]) => {
    const command = raw.at(-1);
    if (!(command instanceof Command)) throw new TypeError("commander hands the command in last");
    // Commander has checked names and counts against the definitions that stand beside each action.
    const { json, text } = await action(command.optsWithGlobals() as O, s, command.args);
    s.out(asJson ? `${JSON.stringify({ ok: true, ...json })}\n` : `${text}\n`);
  };
  try {
    describe(program, bind);
    for (const command of everyCommand(program)) {
      command.option("--json", "answer with one line of JSON").exitOverride().helpCommand(false)
        .showHelpAfterError("(--help shows how)").configureOutput({ writeOut: s.out, writeErr: s.err });
    }
    await program.parseAsync([...args], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    return report(error, asJson, name, s);
  }
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function report(error: unknown, asJson: boolean, name: string, s: ScriptSurroundings): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  const { code, message, exit } = told(error);
  // Commander has told its own already.
  if (!(error instanceof CommanderError)) s.err(`${name}: ${message} [${code}]\n`);
  if (asJson) s.out(`${JSON.stringify({ ok: false, error: { code, message } })}\n`);
  return exit;
}

function told(error: unknown): { code: string; message: string; exit: number } {
  if (isPosternError(error)) return { code: error.code, message: error.message, exit: exitCodeOf(error.code) };
  if (error instanceof CommanderError && error.code === "commander.help") {
    return { code: "usage", message: "Name a command; --help lists them", exit: exitCodeOf("usage") };
  }
  if (error instanceof CommanderError) {
    return { code: "usage", message: error.message.replace(/^error: /, ""), exit: exitCodeOf("usage") };
  }
  const what = error instanceof Error ? error.stack ?? `${error.name}: ${error.message}` : `a thrown ${typeof error}`;
  return { code: "bug", message: `An error that Postern did not foresee: ${what}`, exit: EXIT.bug };
}
