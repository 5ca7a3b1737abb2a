/** Waits for as long as the program does. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import { Native } from "../../../shared/database/native.ts";
import { openKeyFile } from "../../../manager/keys/key_file.ts";
import { readStoredKey } from "../../../manager/keys/key_store.ts";
import { folderPaths } from "../../../manager/store/folder.ts";
import { DATABASE_KEY_CONTEXT } from "../../../manager/store/open.ts";
import { assert } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

Deno.test("postern waits for a database that another program keeps locked, and then says so", async () => {
  await using world = await CliWorld.ready();
  const { key, database } = folderPaths(world.manager);
  const kek = await openKeyFile(world.path("kek.key"), Deno.uid(), webCryptoRandom);
  const secret = await kek.unwrap(await readStoredKey(key), DATABASE_KEY_CONTEXT);
  const holder = new Native(database, { timeout: 1_000, encryptionKey: toHex(reveal(secret)) });
  holder.exec("BEGIN IMMEDIATE");
  try {
    await world.json("status");
    assert((await world.fails(74, ["settings", "--interval", "7m"])).includes("locked"));
  } finally {
    holder.exec("ROLLBACK");
    holder.close();
  }
  await world.json("settings", "--interval", "7m");
});
