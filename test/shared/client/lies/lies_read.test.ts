/** Lies that only an edge can tell, because it signs them: in what it answers to reads. Each has one name that the device gives it. */
import { assert, assertEquals } from "../../../assert.ts";
import { type Bytes, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../../shared/bytes/cbor.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { indexToken, LISTS } from "../../../../shared/protocol/token.ts";
import { start } from "../start.ts";

import { codeOf, flip, type Lie, other } from "./lie.ts";

/** Lies in answers to a device that is logged in, at generation 2 of epoch 2, and reads the channel `mail`. */
const READ_LIES: readonly (Lie & { readonly at: string })[] = [
  { at: "rows", name: "a lower generation", code: "rolled_back", lie: (answer) => ({ ...answer, generation: 1 }) },
  { at: "rows", name: "a lower epoch", code: "rolled_back", lie: (answer) => ({ ...answer, epoch: 1 }) },
  {
    at: "rows",
    name: "a newer generation that it does not show",
    code: "withheld",
    lie: (answer) => {
      return { ...answer, generation: 3 };
    },
  },
  {
    at: "rows",
    name: "a newer epoch that it does not show",
    code: "withheld",
    lie: (answer) => {
      return { ...answer, generation: 3, epoch: 3 };
    },
  },
  {
    at: "rows",
    name: "another epoch of the same generation",
    code: "withheld",
    lie: (answer) => ({ ...answer, epoch: 3 }),
  },
  {
    at: "rows",
    name: "a row of another list",
    code: "tampered",
    lie: (answer, { world }) => {
      const token = indexToken(world.current.keys, LISTS.channels);
      const rows = world.current.tables.messages.filter((row) => equalBytes(row.token, token));
      return { ...answer, rows: rows.map(({ bytes }) => bytes), more: false };
    },
  },
  {
    at: "rows",
    name: "a row of another table",
    code: "tampered",
    lie: (answer, { world }) => {
      return { ...answer, rows: world.current.tables.certificates.map(({ bytes }) => bytes), more: false };
    },
  },
  {
    at: "rows",
    name: "rows of the epoch before",
    code: "tampered",
    lie: (answer, { world }) => {
      const small = world.generations[0]?.tables.messages.filter(({ bytes }) => bytes.length < 2_000) ?? [];
      return { ...answer, rows: small.slice(0, 2).map(({ bytes }) => bytes) };
    },
  },
  {
    at: "rows",
    name: "rows of another owner",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, rows: other.current.tables.devices.map(({ bytes }) => bytes) };
    },
  },
  {
    at: "rows",
    name: "rows in the other order",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, rows: [...answer["rows"] as Bytes[]].reverse() };
    },
  },
  {
    at: "rows",
    name: "a row twice",
    code: "tampered",
    lie: (answer) => {
      const rows = answer["rows"] as Bytes[];
      return { ...answer, rows: [...rows.slice(0, 1), ...rows.slice(0, 1)] };
    },
  },
  {
    at: "rows",
    name: "a damaged row",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, rows: (answer["rows"] as Bytes[]).map(flip) };
    },
  },
  {
    at: "rows",
    name: "bytes that are no row",
    code: "tampered",
    lie: (answer) => ({ ...answer, rows: [encodeCbor(1)] }),
  },
  {
    at: "rows",
    name: "more to come, and nothing of it",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, rows: [], more: true };
    },
  },
  { at: "rows", name: "no generation", code: "malformed", lie: ({ generation: _, ...answer }) => answer },
  { at: "rows", name: "rows that are texts", code: "malformed", lie: (answer) => ({ ...answer, rows: ["row"] }) },
];

for (const { at, name, code, lie } of READ_LIES) {
  Deno.test(`a read refuses ${name} as ${code}, READ-05 ROW-07`, async () => {
    const started = await start();
    await started.world.turn();
    await started.device.login();
    started.edge.lie = (asked, answer) => asked === at ? lie(answer, started) : answer;
    started.edge.requests.length = 0;
    const { messages } = started.device;
    assertEquals(await codeOf(() => messages.list("mail", { after: 0, limit: 3 })), code);
    assert(started.edge.requests.length <= 2 * (LIMITS.maxRefreshes + 1), started.edge.requests.join());
    started.edge.lie = (_, answer) => answer;
    assertEquals((await messages.list("mail", { after: 0, limit: 3 })).messages.length, 3);
  });
}

Deno.test("a read refuses more rows than it asked for, and rows outside of the range", async () => {
  const { device, edge } = await start();
  await device.login();
  const whole = await device.messages.list("mail", { after: 0, limit: 8 });
  assertEquals(whole.messages.length, 8);
  let rows: Bytes[] = [];
  edge.lie = (name, answer) => {
    if (name === "rows") rows = answer["rows"] as Bytes[];
    return answer;
  };
  await device.messages.list("mail", { after: 0, limit: 8 });
  edge.lie = (name, answer) => name === "rows" ? { ...answer, rows } : answer;
  assertEquals(await codeOf(() => device.messages.list("mail", { after: 0, limit: 7 })), "tampered");
  assertEquals(await codeOf(() => device.messages.list("mail", { after: 1, limit: 9 })), "tampered");
  assertEquals(await codeOf(() => device.messages.list("mail", { before: 9, limit: 9 })), "tampered");
});

Deno.test("a list with one place takes one row, ROW-10", async () => {
  const { device, edge, chain } = await start();
  await device.login();
  edge.lie = (name, answer) => {
    const [row] = answer["rows"] as Bytes[] ?? [];
    return name === "rows" && row !== undefined ? { ...answer, more: true } : answer;
  };
  assertEquals(await codeOf(() => device.certificates.byFingerprint(chain.leaf.fingerprint)), "tampered");
});

Deno.test("an edge that says `epoch_gone` for ever is given up, READ-02 READ-04", async () => {
  const { device, edge } = await start();
  await device.login();
  edge.refuse = (name) => name === "rows" || name === "tables" ? { status: 410, code: "epoch_gone" } : null;
  edge.requests.length = 0;
  assertEquals(await codeOf(() => device.messages.channels()), "withheld");
  assert(edge.requests.length <= 2 * (LIMITS.maxRefreshes + 1), edge.requests.join());
  assertEquals(await codeOf(() => device.tables.verify("messages")), "withheld");
});

Deno.test("an epoch that turns with every answer is given up, READ-04", async () => {
  const { device, edge, world } = await start({ surroundings: { monotonic: () => 0 } });
  edge.now = () => 1_900_000_000_000;
  await device.login();
  edge.before = async (name) => void (name === "rows" ? await world.turn() : null);
  assertEquals(await codeOf(() => device.messages.channels()), "withheld");
  edge.before = () => {};
  assertEquals((await device.messages.channels()).found.length, 2);
});
