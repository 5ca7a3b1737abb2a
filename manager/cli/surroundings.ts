/** Everything a command takes from the machine: read once in `main.ts`, handed down, replaced in tests. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import type { Surroundings as NetworkSurroundings } from "../../shared/client/surroundings.ts";

/** Questions to the person at the terminal. Each throws `usage` when there is none, naming the option to use instead. */
export interface Asking {
  passphrase(question: string, instead: string): Promise<Redacted<string>>;
  /** Asked twice, and not too short. */
  newPassphrase(question: string, instead: string): Promise<Redacted<string>>;
  confirm(question: string, instead: string): Promise<boolean>;
  choose<T extends string>(question: string, choices: readonly Choice<T>[], instead: string): Promise<T>;
}

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

export interface CliSurroundings {
  /** An environment variable; undefined when it is not set or empty. */
  readonly env: (name: string) => string | undefined;
  /** Working directory, absolute. */
  readonly cwd: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of standard input, at most so many bytes. @throws `too_large` */
  readonly readInput: (maxBytes: number) => Promise<Bytes>;
  /** Whether a person sees standard output, and standard error. */
  readonly isTerminal: { readonly out: boolean; readonly err: boolean };
  /** Characters in a line of the terminal that standard output is; null if it is none, or does not say. */
  readonly columns: () => number | null;
  readonly ask: Asking;
  /** Millis. */
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Null where the system has no numbers for users. */
  readonly uid: number | null;
  readonly pid: number;
  readonly network: NetworkSurroundings;
  /** Aborted by Ctrl-C or SIGTERM. Reading it is the promise to heed it: a command that never does is ended by the signal itself. */
  readonly stop: AbortSignal;
}
