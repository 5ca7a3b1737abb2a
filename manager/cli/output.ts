/** What a command says on standard output: one thing in two forms, made by pure presenters and printed in one place. */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The result of a command. */
export interface Output {
  /** For `--json`: printed as one line. */
  readonly json: Json;
  /** For people: lines without the last line end; empty prints nothing. */
  readonly text: string;
  /** 0 unless the command is a check that found something, or could not take all that it was given. */
  readonly exit?: number;
  /** The command has printed everything itself. */
  readonly isSilent?: boolean;
}

/** The characters to print. */
export function render({ json, text, isSilent = false }: Output, asJson: boolean): string {
  if (isSilent) return "";
  if (asJson) return `${JSON.stringify(json)}\n`;
  return text === "" ? "" : `${text}\n`;
}
