/** The operations that faults strike. A new one is one more line here: see README.md. */
import type { Household } from "./household.ts";

export interface Operation {
  readonly name: string;
  /** Makes work for it, undisturbed; runs before each kill point. */
  readonly prepare: (household: Household) => Promise<void>;
  /** The command line that is struck. */
  readonly args: readonly string[];
  /** What its user does next after it was struck, before the next turn; nothing by default. */
  readonly check?: (household: Household) => Promise<void>;
}

/** Rows up to which a push is a full one. */
const ALWAYS_DELTA = ["settings", "--full-up-to", "0"];
const ALWAYS_FULL = ["settings", "--full-up-to", "500"];

export const OPERATIONS = {
  full: {
    name: "full push",
    prepare: async (household) => {
      await household.json(ALWAYS_FULL);
      await household.importMail();
    },
    args: ["sync"],
  },
  delta: {
    name: "delta push",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.importMail();
    },
    args: ["sync"],
  },
  rotate: {
    name: "rotation",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.importMail();
    },
    args: ["rotate"],
  },
  inbox: {
    name: "inbox take-over",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.handIn();
    },
    args: ["sync"],
  },
} satisfies Record<string, Operation>;
