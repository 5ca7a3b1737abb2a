/** The tests of the edge's store once more, on a real libSQL server. */
import { registerOnSqld } from "./databases.ts";

registerOnSqld();
await import("./inbox.test.ts");
await import("./push.test.ts");
await import("./push_commit.test.ts");
await import("./quota.test.ts");
await import("./reads.test.ts");
await import("./sweep.test.ts");
await import("./sweep_fairness.test.ts");
