/** The database contract on files and encrypted files; `contract_sqld.slow.test.ts` has the real libSQL servers. */
import { openDatabase } from "../../../shared/database/open.ts";
import { contract } from "./contract.ts";

for (const encrypted of [false, true]) {
  Deno.test(`contract on an embedded ${encrypted ? "encrypted " : ""}file`, async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const options = encrypted ? { encryptionKey: new Uint8Array(32).fill(7) } : {};
      await contract(t, () => openDatabase(`file:${folder}/data.db`, options));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
