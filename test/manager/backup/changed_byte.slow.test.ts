/** Each trial opens the file again, with a passphrase as slow as it should be. */
import { join } from "node:path";
import fc from "fast-check";
import { isPosternError } from "../../../shared/errors.ts";
import { backUp, fileOf, filledWorld, PASSPHRASE, readThrough, recoveryOf } from "./backups.ts";

Deno.test("readBackup() refuses every change of a byte, wherever it is (BACKUP-01, BACKUP-02, BACKUP-03)", async () => {
  await using world = await filledWorld();
  const file = join(world.folder, "one.backup");
  await backUp(world.manager, file, { passphrase: PASSPHRASE });
  const whole = new Uint8Array(await Deno.readFile(file));
  const secrets = [recoveryOf(world.manager), { kind: "passphrase", passphrase: PASSPHRASE }] as const;
  const beginning = 2_000;
  const place = fc.oneof(
    fc.nat(beginning),
    fc.nat(whole.length - 1),
    fc.integer({ min: whole.length - 40, max: whole.length - 1 }),
  );
  await fc.assert(
    fc.asyncProperty(
      place,
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom(...secrets),
      async (at, change, secret) => {
        const changed = whole.slice();
        changed[at] = (changed[at] ?? 0) ^ change;
        const path = await fileOf(world.folder, changed);
        try {
          await readThrough(path, secret);
        } catch (error) {
          if (isPosternError(error) && REFUSED.includes(error.code)) return;
          throw error;
        }
        throw new Error(`A change at ${at} was not noticed`);
      },
    ),
    { numRuns: 120 },
  );
});

const REFUSED = ["malformed", "unsupported", "too_large", "wrong_key", "tampered", "usage"];
