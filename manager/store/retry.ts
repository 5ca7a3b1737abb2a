/** Two processes on one database may take the same number; the constraint refuses the second, which then looks again. */
import { failedConstraint } from "../../shared/database/failures.ts";

const MAX_TRIES = 8;

/** Runs again what lost a race for a number. */
export async function retryConflicts<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries >= MAX_TRIES || failedConstraint(error) === undefined) throw error;
    }
  }
}
