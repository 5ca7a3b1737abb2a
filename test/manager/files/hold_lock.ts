/** Child process of the tests: takes the lock of the folder given, says so, and keeps it until it is killed. */
import { lockDataFolder } from "../../../manager/files/lock.ts";

const lock = await lockDataFolder(Deno.args[0] ?? "", { pid: Deno.pid, sinceMillis: 1_700_000_000_000 });
console.log(`locked ${lock.crashed?.pid ?? "after a clean end"}`);
await new Promise((resolve) => setTimeout(resolve, 60_000));
