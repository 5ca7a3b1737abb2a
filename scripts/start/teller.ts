/** Tells what happens: who does what, aligned, on standard error, so that standard output stays free for the summary. */

export type Actor = "owner" | "edge" | "manager" | "device" | "";

export interface Teller {
  tell(actor: Actor, line: string): void;
  /** Overwrites itself on a terminal; says nothing elsewhere. */
  progress(actor: Actor, line: string): void;
}

const COLOURS: Readonly<Record<Actor, number>> = { owner: 35, edge: 33, manager: 36, device: 32, "": 0 };

/** Tells on standard error. */
export function createTeller(isTerminal: boolean, write: (text: string) => void): Teller {
  const name = (actor: Actor) => {
    const padded = actor.padEnd(8);
    return isTerminal && actor !== "" ? `\x1b[${COLOURS[actor]}m${padded}\x1b[0m` : padded;
  };
  let hasProgress = false;
  const clear = () => hasProgress ? "\r\x1b[K" : "";
  return {
    tell(actor, line) {
      write(`${clear()}${name(actor)} ${line}\n`);
      hasProgress = false;
    },
    progress(actor, line) {
      if (!isTerminal) return;
      write(`${clear()}${name(actor)} ${line}`);
      hasProgress = true;
    },
  };
}
