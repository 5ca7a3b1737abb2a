/** Does one turn of unattended updates in a process of its own, and prints its reports: `turner.ts FOLDER`. */
import { join } from "node:path";
import { openDatabase } from "../../../shared/database/open.ts";
import { updateTurn } from "../../../manager/update/unattended.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { NOW } from "./tenant.ts";

const [folder = ""] = Deno.args;
const db = await openDatabase(`file:${join(folder, "manager.db")}`);
const network = surroundingsOf({ clock: new TestClock(NOW), fetch });
const stop = new AbortController().signal;
console.log(JSON.stringify(await updateTurn({ db, dataFolder: folder, network, pid: Deno.pid, stop })));
await db.close();
