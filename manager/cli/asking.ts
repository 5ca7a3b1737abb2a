/** Asks the person at the terminal. Everything goes to standard error, so that standard output stays what was asked for. */
import type { Readable, Writable } from "node:stream";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { passphraseOf } from "../keys/passphrase.ts";
import type { Asking, Choice } from "./surroundings.ts";

/** What a terminal is asked through. */
export interface TerminalStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** @param streams null when nobody is there to answer */
export function asking(streams: TerminalStreams | null): Asking {
  const terminal = (instead: string): TerminalStreams => {
    if (streams !== null) return streams;
    throw new PosternError("usage", `There is no terminal to ask at: ${instead}`);
  };
  return {
    async passphrase(question, instead) {
      const at = terminal(instead);
      const { password } = await import("@clack/prompts");
      return passphraseOf(answered(await password({ message: question, ...at })));
    },
    async newPassphrase(question, instead) {
      const at = terminal(instead);
      const { password } = await import("@clack/prompts");
      const first = passphraseOf(answered(await password({ message: question, ...at })));
      requireLong(first);
      const again = passphraseOf(answered(await password({ message: "The same again", ...at })));
      if (reveal(again) === reveal(first)) return first;
      throw new PosternError("usage", "The two passphrases differ; nothing was changed, try again");
    },
    async confirm(question, instead) {
      const at = terminal(instead);
      const { confirm } = await import("@clack/prompts");
      return answered(await confirm({ message: question, initialValue: false, ...at }));
    },
    async choose<T extends string>(question: string, choices: readonly Choice<T>[], instead: string) {
      const at = terminal(instead);
      const { select } = await import("@clack/prompts");
      const options = choices.map(({ value, label, hint = "" }) => ({ value: value as string, label, hint }));
      const answer = answered(await select({ message: question, options, ...at }));
      const chosen = choices.find(({ value }) => value === answer);
      if (chosen === undefined) throw new PosternError("usage", "Nothing was chosen");
      return chosen.value;
    },
  };
}

function requireLong(passphrase: Redacted<string>): void {
  if (reveal(passphrase).length >= LIMITS.minNewPassphraseChars) return;
  throw new PosternError(
    "usage",
    `A passphrase has at least ${LIMITS.minNewPassphraseChars} characters; six random words are good`,
  );
}

/** The prompts give a symbol when the person pressed Ctrl-C. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === "symbol") throw new PosternError("usage", "Given up at the question; nothing was changed");
  return answer as Exclude<T, symbol>;
}
