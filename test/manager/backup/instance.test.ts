import { join } from "node:path";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import { openInstance, rotateMdk } from "../../../manager/instance/instance.ts";
import { currentRequest } from "../../../manager/instance/register.ts";
import { storedRegistrations } from "../../../manager/instance/repository.ts";
import { assertEquals } from "../../assert.ts";
import { World } from "../../fixtures/world.ts";
import { register, registrationOf, revealed } from "../instance/instances.ts";
import { backUp, restore } from "./backups.ts";

Deno.test("a restored manager is the same instance, and opens the same releases, BACKUP-04", async () => {
  await using world = await World.create();
  const { manager } = world;
  const now = manager.clock.now();
  await rotateMdk(manager.db, now, webCryptoRandom);
  await register(manager.db, registrationOf("postern"), now);
  const all = async (db: typeof manager.db) => {
    const { id, mdks } = await openInstance(db, now, webCryptoRandom);
    return {
      ...{ id, secrets: mdks.map(({ version, secret }) => [version, reveal(secret)]) },
      registrations: (await storedRegistrations(db)).map(revealed),
      request: await currentRequest(db, now, webCryptoRandom),
    };
  };
  const expected = await all(manager.db);
  const file = join(world.folder, "one.backup");
  await backUp(manager, file);
  const { manager: restored } = await restore(world, file);
  assertEquals(await all(restored.db), expected);
});
