/** The operations that faults strike. A new one is one more line here: see README.md. */
import {
  backUp,
  backupIsWhole,
  confirmRestored,
  createArgs,
  finishRestore,
  loseManager,
  restoreArgs,
} from "./backup_steps.ts";
import type { Household } from "./household.ts";

export interface Operation {
  readonly name: string;
  /** Makes work for it, undisturbed; runs before each kill point. */
  readonly prepare: (household: Household) => Promise<void>;
  /** The command line that is struck. */
  readonly args: (household: Household) => readonly string[];
  /** What its user does next after it was struck, before the next turn; nothing by default. */
  readonly check?: (household: Household) => Promise<void>;
  /** It asks nothing of the edge. */
  readonly isLocal?: boolean;
}

/** Rows up to which a push is a full one. */
const ALWAYS_DELTA = ["settings", "--full-up-to", "0", "--cover", "0"];
const COVERED_DELTA = ["settings", "--full-up-to", "0", "--cover", "8"];
const ALWAYS_FULL = ["settings", "--full-up-to", "500", "--cover", "8"];
const SYNC = () => ["sync"];

export const OPERATIONS = {
  full: {
    name: "full push",
    prepare: async (household) => {
      await household.json(ALWAYS_FULL);
      await household.importMail();
    },
    args: SYNC,
  },
  delta: {
    name: "delta push",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.importMail();
    },
    args: SYNC,
  },
  covered: {
    name: "delta push with cover rows",
    prepare: async (household) => {
      await household.json(COVERED_DELTA);
      // With which an epoch begins that has a stock of cover rows, unless this one has it.
      await household.json(SYNC());
      await household.importMail();
    },
    args: SYNC,
  },
  rotate: {
    name: "rotation",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.importMail();
    },
    args: () => ["rotate"],
  },
  inbox: {
    name: "inbox take-over",
    prepare: async (household) => {
      await household.json(ALWAYS_DELTA);
      await household.handIn();
    },
    args: SYNC,
  },
  backup: {
    name: "backup",
    prepare: async (household) => {
      await household.importMail();
      // What the next one replaces: whatever happens, there is a whole one.
      await backUp(household);
    },
    args: createArgs,
    check: backupIsWhole,
    isLocal: true,
  },
  restore: {
    name: "restore",
    prepare: loseManager,
    args: restoreArgs,
    check: async (household) => {
      await finishRestore(household);
      await confirmRestored(household);
    },
  },
  restored: {
    name: "first turn after a restore",
    prepare: async (household) => {
      await loseManager(household);
      await household.json(restoreArgs(household));
    },
    args: SYNC,
    check: confirmRestored,
  },
} satisfies Record<string, Operation>;
