import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { acknowledgements, advanceStream } from "../../../manager/inbox/streams.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { assertEquals } from "../../assert.ts";

const DEVICE = new Uint8Array(16).fill(1);
const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

const stream = (value: number): Bytes => new Uint8Array(16).fill(value);

Deno.test("heads acknowledge the streams that spoke last, whatever the clock said when they did (HEAD-06)", async () => {
  const db = await openDatabase(":memory:", {});
  await migrate(db, MIGRATIONS);
  await db.execute({
    sql: `INSERT INTO devices (id, registration, name, public_key, suite, state, added)
      VALUES (?, 1, 'phone', x'00', 'xwing', 'active', 0)`,
    params: [DEVICE],
  });
  const most = LIMITS.maxStreamsPerDevice;
  const speak = async (value: number, number: number, now: number) => {
    await db.execute(advanceStream({ device: DEVICE, stream: stream(value), number, hash: stream(0) }, now));
  };
  const shown = async () => (await acknowledgements(db)).map(({ stream: [value] }) => value);
  // An hour ahead, and then right again.
  for (let value = 1; value <= most; value++) await speak(value, 1, NOW + HOUR);
  await speak(most + 1, 1, NOW);
  assertEquals(await shown(), [5, 4, 3, 2]);
  await speak(2, 2, NOW - HOUR);
  assertEquals(await shown(), [2, 5, 4, 3]);
  await db.close();
});
