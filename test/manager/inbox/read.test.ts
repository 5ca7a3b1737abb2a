/** An inbox that an edge makes up: out of order, without end, or without sense. */
import { readInbox } from "../../../manager/inbox/read.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

interface Page {
  readonly arrivals: readonly number[];
  readonly next: number | null;
}

Deno.test("readInbox() gives up an inbox that is not in order or does not end", async () => {
  const db = await openDatabase(":memory:");
  await migrate(db, MIGRATIONS);
  const owner = encodeCbor(new Uint8Array(32));
  await db.execute({ sql: "INSERT INTO meta (name, value) VALUES ('owner', ?)", params: [owner] });
  const read = async (pageAfter: (after: number) => Page) => {
    const asked: number[] = [];
    const inboxPage = (after: number) => {
      asked.push(after);
      const { arrivals, next } = pageAfter(after);
      return Promise.resolve({ entries: arrivals.map((arrival) => [arrival, utf8("?")] as const), next });
    };
    const link = { inboxPage, inboxPart: () => Promise.reject(new Error("not asked for")) };
    let count = 0;
    for await (const one of readInbox({ db, link, now: () => 0 })) count += one === null ? 1 : 0;
    return { asked, count };
  };
  assertEquals(await read(() => ({ arrivals: [], next: null })), { asked: [0], count: 0 });
  const pages = new Map<number, Page>([
    [0, { arrivals: [1, 5], next: 5 }],
    [5, { arrivals: [6], next: null }],
  ]);
  assertEquals(await read((after) => pages.get(after) ?? { arrivals: [], next: null }), { asked: [0, 5], count: 3 });
  assertEquals((await openAlarms(db)).map(({ code }) => code), ["tampered"]);
  for (const arrivals of [[0], [2, 2], [2, 1]]) {
    await assertRejects(() => read(() => ({ arrivals, next: null })), "tampered");
  }
  await assertRejects(() => read(() => ({ arrivals: [], next: 1 })), "tampered");
  const most = LIMITS.maxInboxSubmissions;
  const one = (after: number) => ({ arrivals: [after + 1], next: after + 1 });
  const upTo = (last: number) => (after: number) => ({ ...one(after), next: after + 1 === last ? null : after + 1 });
  assertEquals((await read(upTo(most))).count, most);
  await assertRejects(() => read(upTo(most + 1)), "tampered");
  await assertRejects(() => read((after) => after > most ? { arrivals: [], next: null } : one(after)), "tampered");
  await db.close();
});
