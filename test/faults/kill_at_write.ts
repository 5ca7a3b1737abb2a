/**
 * Loaded before an entry point (`deno run --preload`): the process kills itself at its n-th write, before it and after it by turns. The
 * number lies in the file that `FAULT_AT_WRITE` names, so that a process which runs already can be told; without a file nothing
 * happens. The file is removed when the process kills itself.
 *
 * A write is the commit of a transaction, or a file that gets its name, another one, or loses it. What a transaction does before
 * its commit is gone with the process in any case.
 */
import { Native } from "../../shared/database/native.ts";

const path = Deno.env.get("FAULT_AT_WRITE");

function reach(): void {
  if (path === undefined) return;
  let left: number;
  try {
    left = Number(Deno.readTextFileSync(path)) - 1;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (left > 0) return Deno.writeTextFileSync(path, String(left));
  Deno.removeSync(path);
  Deno.kill(Deno.pid, "SIGKILL");
}

interface Prepared {
  run(...params: unknown[]): unknown;
}

const native = Native.prototype as unknown as { prepare(sql: string): Prepared };
const prepare = native.prepare;
let isWriting = false;
native.prepare = function (this: typeof native, sql: string): Prepared {
  const prepared = prepare.call(this, sql);
  if (!/^(BEGIN|COMMIT)/.test(sql)) return prepared;
  const run = prepared.run.bind(prepared);
  prepared.run = (...params: unknown[]) => {
    if (sql.startsWith("BEGIN")) isWriting = sql.includes("IMMEDIATE");
    const isCommit = sql.startsWith("COMMIT") && isWriting;
    if (isCommit) reach();
    const result = run(...params);
    if (isCommit) reach();
    return result;
  };
  return prepared;
};

const removePath = Deno.remove;
for (const name of ["rename", "link"] as const) {
  const change = Deno[name];
  (Deno as Record<typeof name, (from: string, to: string) => Promise<void>>)[name] = async (from, to) => {
    reach();
    await change(from, to);
    reach();
  };
}
Deno.remove = async (at, options) => {
  reach();
  await removePath(at, options);
  reach();
};
