/**
 * Child process of the tests: changes a stored key between two key files, again and again.
 * Arguments: folder with `database.key`, `one` and `two` (wrapped by `one`), number of changes (0 for no end).
 */
import { join } from "node:path";
import { openKeyFile } from "../../../manager/keys/key_file.ts";
import { changeKek } from "../../../manager/keys/key_store.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { CONTEXT } from "./keks.ts";

const [folder = "", changes = "0"] = Deno.args;
let [from, to] = await Promise.all(
  ["one", "two"].map((name) => openKeyFile(join(folder, name), Deno.uid(), webCryptoRandom)),
);
for (let i = 0; (i < Number(changes) || changes === "0") && from && to; i++) {
  await changeKek({ path: join(folder, "database.key"), context: CONTEXT, from, to });
  [from, to] = [to, from];
  if (i === 0) console.log("changed");
}
