/**
 * The yardstick of a push, in a process of its own.
 *
 *   deno run -A bench/push/bare_crypto.ts ROWS BYTES     prints a BareResult
 */
import { reencrypt } from "./bare_rows.ts";

if (import.meta.main) {
  const [rows = 0, bytes = 0] = Deno.args.map(Number);
  console.log(JSON.stringify(await reencrypt(rows, bytes)));
}
