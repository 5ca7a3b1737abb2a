/**
 * Applies an update in a process of its own, to be killed: `applier.ts FOLDER WRITES`. Loaded after test/faults/kill_at_write.ts, it is
 * killed at so many writes after its download began.
 */
import { join } from "node:path";
import { openDatabase } from "../../../shared/database/open.ts";
import { requireFollowed } from "../../../manager/update/repository.ts";
import { applyUpdate } from "../../../manager/update/updater.ts";
import { NOW } from "./tenant.ts";

const [folder = "", writes = ""] = Deno.args;
const db = await openDatabase(`file:${join(folder, "manager.db")}`);
const network = { fetch, now: () => NOW, wait: () => Promise.resolve() };
const followed = await requireFollowed(db, undefined);
let hasBegun = false;
await applyUpdate({
  ...{ db, dataFolder: folder, followed, network, pid: Deno.pid },
  onProgress: () => {
    if (!hasBegun) Deno.writeTextFileSync(Deno.env.get("FAULT_AT_WRITE") ?? "", writes);
    hasBegun = true;
  },
});
await db.close();
