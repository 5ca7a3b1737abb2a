import type { Database } from "../../shared/database/database.ts";
import type { EdgeLink } from "../edge/link.ts";

/** What taking the inbox needs from outside. */
export interface InboxEnvironment {
  readonly db: Database;
  readonly link: Pick<EdgeLink, "inboxPage" | "inboxPart">;
  /** Millis. */
  readonly now: () => number;
}
