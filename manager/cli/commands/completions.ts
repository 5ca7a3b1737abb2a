/** `postern completions`: for the owner's shell. */
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { completionScript, SHELLS } from "../completions.ts";
import type { Output } from "../output.ts";

const HELP = `
Examples:
  $ postern completions bash > ~/.local/share/bash-completion/completions/postern
  $ postern completions zsh > ~/.zfunc/_postern
  $ postern completions fish > ~/.config/fish/completions/postern.fish`;

export const registerCompletions: Register = (parent, bind: Bind) => {
  parent.command("completions <shell>").summary("completions for your shell").description(
    `Prints completions for ${SHELLS.join(", ")}.`,
  )
    .addHelpText("after", HELP).action(bind((_cli: Cli, [shell = ""]) => print(parent, shell)));
};

function print(program: Command, shell: string): Promise<Output> {
  const script = completionScript(program, shell);
  return Promise.resolve({ json: { shell, script }, text: script.trimEnd() });
}
