/** What a mutated source calls at each of its switches. One mutant is on at a time, or none. */

let on = 0;
/** The switches that were met, by the numbers of their mutants; null when nobody asks. */
let met: Set<number> | null = null;
let kept: unknown;

/** Turns a mutant on; 0 turns all off. */
export function turnOn(mutant: number): void {
  on = mutant;
}

/** The mutants whose switches were met since the last call. */
export function takeMet(): number[] {
  const taken = [...met ?? []];
  met = new Set();
  return taken;
}

function isOn(mutant: number): boolean {
  met?.add(mutant);
  return on === mutant;
}

// deno-lint-ignore no-explicit-any
type Operand = any;

/** The switches. */
export const $m = {
  isOn,
  /** Keeps the left side of a logical operator while it is asked which operator it is. */
  put(value: unknown): void {
    kept = value;
  },
  got(): unknown {
    return kept;
  },
  operator(mutant: number, operator: string, left: Operand, right: Operand): unknown {
    const isTurned = isOn(mutant);
    switch (operator) {
      case "===":
        return isTurned ? left !== right : left === right;
      case "!==":
        return isTurned ? left === right : left !== right;
      case "<":
        return isTurned ? left <= right : left < right;
      case "<=":
        return isTurned ? left < right : left <= right;
      case ">":
        return isTurned ? left >= right : left > right;
      case ">=":
        return isTurned ? left > right : left >= right;
      case "+":
        return isTurned ? left - right : left + right;
      case "-":
        return isTurned ? left + right : left - right;
      default:
        throw new Error(`no switch for ${operator}`);
    }
  },
  condition(never: number, always: number, value: unknown): unknown {
    met?.add(always);
    return isOn(never) ? false : on === always ? true : value;
  },
  not(mutant: number, value: unknown): boolean {
    return isOn(mutant) ? Boolean(value) : !value;
  },
  boolean(mutant: number, value: boolean): boolean {
    return isOn(mutant) ? !value : value;
  },
  one(mutant: number): number {
    return isOn(mutant) ? 2 : 1;
  },
};
