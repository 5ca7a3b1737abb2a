/** Ties commander's commands to functions: parse, call, present, print, exit code. */
import { type Command, CommanderError } from "commander";
import { PosternError } from "../../shared/errors.ts";
import { type Cli, createCli, type GlobalOptions } from "./cli.ts";
import { tellError } from "./error_text.ts";
import { EXIT } from "./exit_codes.ts";
import { type Output, render } from "./output.ts";
import type { CliSurroundings } from "./surroundings.ts";

/** A command: `args` in order, variadic ones spread; `options` by the names that commander makes of the flags. */
export type Handler<O> = (cli: Cli, args: readonly string[], options: O) => Promise<Output>;

/** Where a run leaves its exit code, and what it was. */
export interface RunState {
  exit: number;
  /** The command's first word, once it runs. */
  group?: string;
}

/** Registers a group's commands under their parent. */
export type Register = (parent: Command, bind: Bind) => void;

/** Makes commander's action out of a handler. */
export type Bind = <O extends object>(handle: Handler<O>) => (...raw: unknown[]) => Promise<void>;

/** @param state receives the exit code */
export function binder(s: CliSurroundings, state: RunState): Bind {
  return <O extends object>(handle: Handler<O>) => async (...raw: unknown[]) => {
    const command = raw.at(-1) as Command;
    state.group = groupOf(command);
    // Commander has checked names and counts against the definitions that stand beside each handler.
    const options = command.optsWithGlobals() as GlobalOptions & O;
    const args = raw.slice(0, -2).flat().filter((arg): arg is string => typeof arg === "string");
    const output = await handle(createCli(s, options), args, options);
    s.out(render(output, options.json === true));
    state.exit = output.exit ?? EXIT.ok;
  };
}

function groupOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : groupOf(above);
}

/** Prints what went wrong and returns the exit code. Commander has printed its own errors, and help, already. */
export function reportFailure(
  error: unknown,
  args: readonly string[],
  s: CliSurroundings,
  group: string | undefined,
): number {
  if (error instanceof CommanderError) {
    const isHelp = error.exitCode === 0;
    if (!isHelp && args.includes("--json")) {
      s.out(`${JSON.stringify({ error: { code: "usage", message: error.message.replace(/^error: /, "") } })}\n`);
    }
    return isHelp ? EXIT.ok : tellError(new PosternError("usage", error.message), false).exit;
  }
  if (s.stop.aborted && error === s.stop.reason) {
    s.err("postern: Stopped before the end.\n");
    return EXIT.interrupted;
  }
  const told = tellError(error, args.includes("--debug"), group);
  s.err(`${told.text}\n`);
  if (args.includes("--json")) s.out(`${JSON.stringify(told.json)}\n`);
  return told.exit;
}
