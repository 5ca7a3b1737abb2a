import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { type Bytes, compareBytes, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { TableVerifier, verifyTable } from "../../../../shared/client/verify/verify_table.ts";
import { type ErrorCode, isPosternError } from "../../../../shared/errors.ts";
import { treeKey } from "../../../../shared/merkle/tree_hash.ts";
import { sealRow } from "../../../../shared/protocol/row.ts";
import { encodeChannel } from "../../../../shared/protocol/plaintexts.ts";
import { LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import type { Answer } from "../scripted_edge.ts";
import { start, type Started } from "../start.ts";
import type { WorldRow } from "../world.ts";

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "nothing was noticed";
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.code;
  }
}

/** Lies about the table of messages; `page` counts the answers from 0. */
interface TableLie {
  readonly name: string;
  readonly code: ErrorCode;
  readonly lie: (answer: Answer & { rows: Bytes[] }, started: Started, page: number) => Answer | Promise<Answer>;
}

const LIES: readonly TableLie[] = [
  {
    name: "a row left out",
    code: "withheld",
    lie: (answer, _, page) => {
      return page === 1 ? { ...answer, rows: answer.rows.slice(1) } : answer;
    },
  },
  { name: "the end left out", code: "withheld", lie: (answer) => ({ ...answer, next: null }) },
  { name: "nothing at all", code: "withheld", lie: (answer) => ({ ...answer, rows: [], next: null }) },
  {
    name: "an empty page in the middle",
    code: "withheld",
    lie: (answer, _, page) => {
      return page === 1 ? { ...answer, rows: [] } : answer;
    },
  },
  {
    name: "a row twice",
    code: "tampered",
    lie: (answer, { world }) => {
      const small = world.current.tables.messages.filter(({ bytes }) => bytes.length < 2_000).slice(0, 1);
      return { ...answer, rows: [...small, ...small].map(({ bytes }) => bytes) };
    },
  },
  {
    name: "rows out of order",
    code: "tampered",
    lie: (answer, { world }) => {
      const small = world.current.tables.messages.filter(({ bytes }) => bytes.length < 2_000).slice(0, 2);
      return { ...answer, rows: small.reverse().map(({ bytes }) => bytes) };
    },
  },
  {
    name: "the first page again and again",
    code: "tampered",
    lie: (answer, { world }) => {
      const [first] = world.current.tables.messages;
      assert(first !== undefined);
      return { ...answer, rows: [first.bytes], next: first.key };
    },
  },
  {
    name: "another place to go on from, READ-08",
    code: "tampered",
    lie: (answer, { world }, page) => {
      return page === 0 ? { ...answer, next: world.current.tables.messages.at(-1)?.key ?? null } : answer;
    },
  },
  {
    name: "a row of another table",
    code: "tampered",
    lie: (answer, { world }) => {
      return { ...answer, rows: world.current.tables.changes.map(({ bytes }) => bytes) };
    },
  },
];

for (const { name, code, lie } of LIES) {
  Deno.test(`tables.verify() refuses ${name} as ${code}, TREE-04 ROW-07`, async () => {
    const started = await start();
    await started.device.login();
    let page = 0;
    started.edge.lie = (asked, answer) => {
      return asked === "tables" ? lie(answer as Answer & { rows: Bytes[] }, started, page++) : answer;
    };
    assertEquals(await codeOf(() => started.device.tables.verify("messages")), code);
    started.edge.lie = (_, answer) => answer;
    await started.device.verifyAll();
  });
}

Deno.test("a row that was never pushed, or not this one, is not in the table, though its MAC fits, TREE-04", async () => {
  const { device, world } = await start();
  await device.login();
  const { keys, tables } = world.current;
  const honest = tables.messages;
  const forge = async (number: number): Promise<WorldRow> => {
    const place = rowKey(keys, LISTS.channels, number);
    const bytes = await sealRow(keys, place, null, encodeChannel({ name: "new", created: 0 }), webCryptoRandom);
    return { ...place, key: treeKey(place.token, number), bytes };
  };
  for (const number of [9, 1]) {
    const row = await forge(number);
    const others = honest.filter(({ key }) => !equalBytes(key, row.key));
    Object.assign(tables, { messages: [...others, row].sort((a, b) => compareBytes(a.key, b.key)) });
    assertEquals(await codeOf(() => device.tables.verify("messages")), "tampered");
  }
  Object.assign(tables, { messages: honest });
  await device.tables.verify("messages");
});

Deno.test("a row of the generation before, with a MAC that fits, is not in the table any more, TREE-04", async () => {
  const { device, edge, world } = await start();
  const [own] = world.devices;
  assert(own !== undefined);
  const before = world.current.tables.devices.map(({ bytes }) => bytes);
  // Sealed again in the same epoch, because the record changed; the old row still opens.
  Object.assign(own, { name: "renamed" });
  const previous = world.generations.at(-1);
  assert(previous !== undefined);
  Object.assign(previous.tables, { devices: [] });
  await world.turn({ delta: true });
  await device.login();
  await device.tables.verify("devices");
  edge.lie = (name, answer) => name === "tables" ? { ...answer, rows: before } : answer;
  assertEquals(await codeOf(() => device.tables.verify("devices")), "tampered");
});

Deno.test("tables.verify() starts again under a new epoch, and reads on in the old generation, READ-04 READ-05", async () => {
  const { device, edge, world } = await start({ surroundings: { monotonic: () => 0 } });
  edge.now = () => 1_900_000_000_000;
  await device.login();
  let pages = 0;
  edge.before = async (name) => {
    if (name === "tables" && ++pages === 2) await world.turn({ delta: true });
    if (name === "tables" && pages === 4) {
      edge.before = () => {};
      await world.turn();
    }
  };
  const { rows, asOf } = await device.tables.verify("messages");
  assertEquals([asOf.generation, asOf.epoch], [3, 2]);
  assertEquals(rows, world.current.head.tables.messages.count);
});

Deno.test("verifyAll() notices a content root that is not that of the contents, TREE-05", async () => {
  const { device, world } = await start();
  await device.verifyAll();
  const [first, ...others] = world.contents;
  assert(first !== undefined);
  // The manager signs a root over contents that it did not push.
  world.contents.splice(0, world.contents.length, ...others);
  const { sealed } = (await world.turn()).head;
  world.contents.unshift(first);
  await world.turn({ delta: true, fields: { sealed } });
  assertEquals(await codeOf(() => device.verifyAll()), "tampered");
});

Deno.test("verifyAll() notices what is there without what belongs to it, ROW-09", async () => {
  const cases: [string, ErrorCode, (content: Started["world"]["contents"][number]) => boolean][] = [
    ["a message without a part", "withheld", ({ list, number }) => list.kind === "message" && number === 2],
    ["parts without their message", "tampered", ({ list, number }) => list.kind === "channel" && number === 8],
    ["a certificate without its subject", "withheld", ({ list }) => list.kind === "subject"],
    ["a certificate without its fingerprint", "withheld", ({ list }) => list.kind === "fingerprint"],
  ];
  for (const [name, code, isMissing] of cases) {
    const { device, world } = await start();
    world.contents.splice(0, world.contents.length, ...world.contents.filter((one) => !isMissing(one)));
    await world.turn();
    assertEquals(await codeOf(() => device.verifyAll()), code, name);
  }
});

Deno.test("verifyTable() verifies for whoever holds the keys, page by page", async () => {
  const { world } = await start();
  const { head, keys, tables } = world.current;
  const rows = tables.messages;
  const pages = (size: number) => (after: Bytes | null) => {
    const at = after === null ? 0 : rows.findIndex(({ key }) => `${key}` === `${after}`) + 1;
    const page = rows.slice(at, at + size);
    const next = at + size < rows.length ? page.at(-1)?.key ?? null : null;
    return Promise.resolve({ rows: page.map(({ bytes }) => bytes), next });
  };
  for (const size of [1, 2, rows.length - 1, rows.length, rows.length + 1]) {
    let taken = 0;
    const verifier = new TableVerifier(keys, "messages", head.tables.messages);
    await verifyTable(verifier, pages(size), (page) => void (taken += page.length));
    assertEquals(taken, rows.length);
  }
  const fewer = { ...head.tables.messages, count: rows.length - 1 };
  await assertRejects(() => verifyTable(new TableVerifier(keys, "messages", fewer), pages(3)), "tampered");
  const more = { ...head.tables.messages, count: rows.length + 1 };
  await assertRejects(() => verifyTable(new TableVerifier(keys, "messages", more), pages(3)), "withheld");
  const others = { ...head.tables.messages, root: new Uint8Array(32) };
  await assertRejects(() => verifyTable(new TableVerifier(keys, "messages", others), pages(3)), "tampered");
  const empty = new TableVerifier(keys, "changes", head.tables.changes);
  await assertRejects(() => verifyTable(empty, () => Promise.resolve({ rows: [], next: null })), "withheld");
});
