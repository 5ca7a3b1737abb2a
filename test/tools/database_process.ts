/**
 * Another process with a database, for tests: `hold PATH` keeps its write lock until standard input ends; `write PATH` adds rows one
 * after another and prints the number of each once it is durable, until it is killed.
 */
import { openEmbedded } from "../../shared/database/embedded.ts";
import { Native } from "../../shared/database/native.ts";

const [command, path = ""] = Deno.args;
if (command === "hold") {
  const native = new Native(path, { timeout: 1000 });
  native.exec("BEGIN IMMEDIATE");
  console.log("locked");
  for await (const _ of Deno.stdin.readable);
  native.exec("ROLLBACK");
  native.close();
} else if (command === "write") {
  const database = await openEmbedded(path);
  for (let n = 1;; n++) {
    await database.batch([
      { sql: "INSERT INTO rows VALUES (?)", params: [2 * n] },
      { sql: "INSERT INTO rows VALUES (?)", params: [2 * n + 1] },
    ]);
    console.log(n);
  }
}
