/** Every attack there is. README.md names them in a table, which a test holds against this. */
import type { Attack } from "./attack.ts";
import { COPY_ATTACKS } from "./copies.ts";
import { DOWNGRADES } from "./downgrades.ts";
import { FORK_ATTACKS } from "./forks.ts";
import { HEAD_ATTACKS } from "./heads.ts";
import { INCARNATION_ATTACKS } from "./incarnations.ts";
import { INBOX_ATTACKS } from "./inbox.ts";
import { MANAGER_LOGIN_ATTACKS } from "./manager_logins.ts";
import { PENDING_ATTACKS } from "./pending.ts";
import { ROW_ATTACKS } from "./rows.ts";
import { TABLE_ATTACKS } from "./tables.ts";
import { WIRE_ATTACKS } from "./wire.ts";
import { WORLD_ATTACKS } from "./worlds.ts";

export type { Attack, Lie, Victim } from "./attack.ts";

export const ATTACKS: readonly Attack[] = [
  ...ROW_ATTACKS,
  ...HEAD_ATTACKS,
  ...DOWNGRADES,
  ...TABLE_ATTACKS,
  ...COPY_ATTACKS,
  ...WIRE_ATTACKS,
  ...WORLD_ATTACKS,
  ...INCARNATION_ATTACKS,
  ...FORK_ATTACKS,
  ...MANAGER_LOGIN_ATTACKS,
  ...INBOX_ATTACKS,
  ...PENDING_ATTACKS,
];
