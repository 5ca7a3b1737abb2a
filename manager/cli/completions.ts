/** Shell completions, made from the commands themselves, so that they cannot differ from them. Pure. */
import type { Command } from "commander";
import { PosternError } from "../../shared/errors.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What can follow a chain of commands: `postern device` leads to `add`, `list` and so on. */
interface Node {
  /** Commands from the program on, joined by spaces; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly { readonly flag: string; readonly summary: string; readonly takesFile: boolean }[];
}

/** The script to be sourced by a shell. @throws `usage` for another shell */
export function completionScript(program: Command, shell: string): string {
  const nodes = walk(program, [], program.options.length > 0 ? optionsOf(program) : []);
  switch (shell) {
    case "bash":
      return bash(nodes);
    case "zsh":
      return `#compdef postern\nautoload -U +X bashcompinit && bashcompinit\n${bash(nodes)}`;
    case "fish":
      return fish(nodes);
    default:
      throw new PosternError("usage", `There are completions for ${SHELLS.join(", ")}; found '${shell}'`);
  }
}

function walk(command: Command, path: readonly string[], inherited: Node["options"]): Node[] {
  const children = command.commands.filter((one) => one.name() !== "help");
  const own = path.length === 0 ? [] : optionsOf(command);
  const node = {
    path: path.join(" "),
    commands: children.map((one) => ({ name: one.name(), summary: one.summary() })),
    options: [...own, ...inherited],
  };
  return [node, ...children.flatMap((one) => walk(one, [...path, one.name()], inherited))];
}

function optionsOf(command: Command): Node["options"] {
  return command.options.flatMap(({ long, description, flags }) =>
    long === undefined || long === null
      ? []
      : [{ flag: long, summary: description, takesFile: /<(file|dir)>/.test(flags) }]
  );
}

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag), "--help"].join(" ");
    return `    "${path}") words="${words}" ;;`;
  });
  const groups = nodes.filter(({ commands }) => commands.length > 0).map(({ path }) => `"${path}"`).join("|");
  const files = [
    ...new Set(nodes.flatMap(({ options }) => options.filter(({ takesFile }) => takesFile).map(({ flag }) => flag))),
  ];
  return `# Completions of postern for bash and zsh
_postern() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in -*) continue ;; esac
    case "$path" in ${groups}) path="\${path:+$path }$word" ;; esac
  done
  case "$prev" in ${files.join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -F _postern postern
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const when = path === ""
      ? "__fish_use_subcommand"
      : path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const seen = commands.map(({ name }) => name).join(" ");
    const only = commands.length > 0 && path !== "" ? `${when}; and not __fish_seen_subcommand_from ${seen}` : when;
    return [
      ...commands.map(({ name, summary }) =>
        `complete -c postern -f -n ${quote(only)} -a ${name} -d ${quote(summary)}`
      ),
      ...options.map(({ flag, summary, takesFile }) =>
        `complete -c postern ${takesFile ? "-rF" : ""} -n ${quote(path === "" ? "true" : when)} -l ${
          flag.slice(2)
        } -d ${quote(summary)}`.replace("  ", " ")
      ),
    ];
  });
  return `# Completions of postern for fish\n${[...new Set(lines)].join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
