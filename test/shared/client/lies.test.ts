/** Lies that only an edge can tell, because it signs them; each has one name that the device gives it. */
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { signingKey } from "../../fixtures/owner.ts";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { type ErrorCode, isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { encodeHead, signHead } from "../../../shared/protocol/head.ts";
import { indexToken, LISTS } from "../../../shared/protocol/token.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Answer } from "./scripted_edge.ts";
import { restart, start, type Started } from "./start.ts";
import { World } from "./world.ts";

interface Lie {
  readonly name: string;
  readonly code: ErrorCode;
  /** Changes the answers of this name. */
  readonly lie: (answer: Answer, started: Started) => Answer | Promise<Answer>;
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "nothing was noticed";
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.code;
  }
}

/** Changes one field of a record's clear part: 0 device id, 2 key, 3 suite, 4 encapsulated, 5 wrapped. */
function changeExtra(record: unknown, field: number, value: CborInput): Bytes {
  const row = decodeCbor(record as Bytes) as CborInput[];
  const extra = [...row[4] as CborInput[]];
  extra[field] = value;
  row[4] = extra;
  return encodeCbor(row);
}

const flip = (bytes: unknown) => (bytes as Bytes).map((byte, at, all) => at === all.length - 1 ? byte ^ 1 : byte);
const other = await World.create("https://other.test");
const theirs = await other.pair("stranger");
await other.turn();
assert(theirs.name === "stranger");

/** The head with other fields, signed as if by the manager. */
async function resigned(started: Started, fields: Parameters<Started["world"]["owner"]["head"]>[0]): Promise<Bytes> {
  const { head } = started.world.current;
  return await signHead(encodeHead({ ...head, ...fields }), started.world.owner.manager.sign);
}

const SIGNED_TWICE = "a head that commits to another key";

const LOGIN_LIES: readonly Lie[] = [
  { name: "no statement", code: "withheld", lie: (answer) => ({ ...answer, statement: null }) },
  { name: "no head", code: "withheld", lie: (answer) => ({ ...answer, head: null }) },
  { name: "no record", code: "withheld", lie: (answer) => ({ ...answer, record: null }) },
  {
    name: "another owner's statement",
    code: "tampered",
    lie: (answer) => ({ ...answer, statement: other.current.statement }),
  },
  {
    name: "a damaged statement",
    code: "tampered",
    lie: (answer) => ({ ...answer, statement: flip(answer["statement"]) }),
  },
  {
    name: "a statement of another form",
    code: "malformed",
    lie: (answer) => ({ ...answer, statement: encodeCbor([1]) }),
  },
  { name: "another owner's head", code: "tampered", lie: (answer) => ({ ...answer, head: other.current.signed }) },
  { name: "a damaged head", code: "tampered", lie: (answer) => ({ ...answer, head: flip(answer["head"]) }) },
  {
    name: "a head signed by a device",
    code: "tampered",
    lie: async (answer, { paired, world }) => {
      return { ...answer, head: await signHead(encodeHead(world.current.head), paired.keys.sign) };
    },
  },
  {
    name: "a head signed by a stranger",
    code: "tampered",
    lie: async (answer, { world }) => {
      return { ...answer, head: await signHead(encodeHead(world.current.head), (await signingKey()).sign) };
    },
  },
  { name: "another generation than the head's", code: "tampered", lie: (answer) => ({ ...answer, generation: 9 }) },
  { name: "another epoch than the head's", code: "tampered", lie: (answer) => ({ ...answer, epoch: 9 }) },
  {
    name: "a head of a statement that is not shown",
    code: "withheld",
    lie: async (answer, started) => {
      const statement = { number: 2, hash: new Uint8Array(32) };
      return { ...answer, head: await resigned(started, { ...started.world.current.head, statement }) };
    },
  },
  {
    name: SIGNED_TWICE,
    code: "tampered",
    lie: async (answer, started) => {
      const commitment = new Uint8Array(32);
      return { ...answer, head: await resigned(started, { ...started.world.current.head, commitment }) };
    },
  },
  {
    name: "another owner's record",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: other.current.tables.devices[0]?.bytes ?? null };
    },
  },
  { name: "a record that is no row", code: "tampered", lie: (answer) => ({ ...answer, record: encodeCbor([1]) }) },
  {
    name: "a record of another table",
    code: "tampered",
    lie: (answer, { world }) => {
      return { ...answer, record: world.current.tables.certificates[0]?.bytes ?? null };
    },
  },
  { name: "a damaged record", code: "tampered", lie: (answer) => ({ ...answer, record: flip(answer["record"]) }) },
  {
    name: "a record of another device id",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 0, new Uint8Array(16)) };
    },
  },
  {
    name: "a record of another registration",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 1, 77) };
    },
  },
  {
    name: "a record with another login key",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 2, theirs.keys.publicKey) };
    },
  },
  {
    name: "a record wrapped for another suite",
    code: "unsupported",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 3, "x25519") };
    },
  },
  {
    name: "a damaged encapsulation",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 4, new Uint8Array(1_120)) };
    },
  },
  {
    name: "a damaged wrapped key",
    code: "tampered",
    lie: (answer) => {
      return { ...answer, record: changeExtra(answer["record"], 5, new Uint8Array(48)) };
    },
  },
  { name: "no session", code: "malformed", lie: ({ session: _, ...answer }) => answer },
  { name: "numbers as texts", code: "malformed", lie: (answer) => ({ ...answer, generation: "1" }) },
  {
    name: "a key of another length",
    code: "malformed",
    lie: (answer) => ({ ...answer, ephemeral: new Uint8Array(31) }),
  },
  { name: "a key of small order", code: "tampered", lie: (answer) => ({ ...answer, ephemeral: new Uint8Array(32) }) },
];

for (const { name, code, lie } of LOGIN_LIES) {
  Deno.test(`login() refuses ${name} as ${code}, SESS-08`, async () => {
    const started = await start();
    started.edge.lie = (asked, answer) => asked === "login" ? lie(answer, started) : answer;
    assertEquals(await codeOf(() => started.device.login()), code);
    started.edge.lie = (_, answer) => answer;
    // A head that the manager did sign is remembered, whatever comes of it.
    if (name !== SIGNED_TWICE) await restart(started).login();
  });
}

Deno.test("login() refuses an impostor without the edge's key, SESS-06", async () => {
  const started = await start();
  const impostor = await World.create(started.world.edge.origin);
  Object.assign(started.world, { edgeKey: impostor.edgeKey });
  assertEquals(await codeOf(() => started.device.login()), "tampered");
});

Deno.test("login() refuses an answer signed as a later one, SESS-06", async () => {
  const { device, edge } = await start();
  edge.spoil = (name, response) => {
    if (name !== "login") return response;
    const headers = new Headers(response.headers);
    headers.set("signature-input", (headers.get("signature-input") ?? "").replace("S-0", "S-1"));
    return new Response(response.body, { headers });
  };
  await assertRejects(() => device.login(), "tampered");
});

Deno.test("a record of an epoch before does not open the present one, WRAP-01 WRAP-03 KEY-03", async () => {
  const started = await start();
  const [old] = started.world.current.tables.devices;
  assert(old !== undefined);
  await started.world.turn();
  started.edge.lie = (name, answer) => name === "login" ? { ...answer, record: old.bytes } : answer;
  assertEquals(await codeOf(() => started.device.login()), "tampered");
});

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
    code: "withheld",
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

/** Lies about the newest head to a device that has seen generation 2 of epoch 1. */
const HEAD_LIES: readonly Lie[] = [
  {
    name: "an older head",
    code: "rolled_back",
    lie: (_, { world }) => {
      return { head: world.generations[0]?.signed ?? null, generation: 1, epoch: 1 };
    },
  },
  {
    name: "another head of the generation",
    code: "forked",
    lie: async (answer, started) => {
      const { head } = started.world.current;
      return { ...answer, head: await resigned(started, { ...head, time: head.time + 1 }) };
    },
  },
  {
    name: "a head that does not follow",
    code: "forked",
    lie: async (_, started) => {
      const { head } = started.world.current;
      return { head: await resigned(started, { ...head, generation: 3 }), generation: 3, epoch: 1 };
    },
  },
  {
    name: "a head that goes back in time",
    code: "rolled_back",
    lie: async (_, started) => {
      const { head } = started.world.current;
      return {
        head: await resigned(started, { ...head, generation: 4, time: head.time - 1 }),
        generation: 4,
        epoch: 1,
      };
    },
  },
  {
    name: "a head of the epoch with another key",
    code: "tampered",
    lie: async (_, started) => {
      const { head } = started.world.current;
      const fields = { ...head, generation: 4, commitment: new Uint8Array(32) };
      return { head: await resigned(started, fields), generation: 4, epoch: 1 };
    },
  },
  { name: "another generation than its head's", code: "tampered", lie: (answer) => ({ ...answer, generation: 3 }) },
  { name: "another owner's head", code: "tampered", lie: (answer) => ({ ...answer, head: other.current.signed }) },
  { name: "no head", code: "withheld", lie: (answer) => ({ ...answer, head: null }) },
  { name: "bytes that are no head", code: "malformed", lie: (answer) => ({ ...answer, head: encodeCbor([1, 2]) }) },
];

for (const { name, code, lie } of HEAD_LIES) {
  Deno.test(`head() refuses ${name} as ${code}, HEAD-02 HEAD-03`, async () => {
    const started = await start();
    await started.world.turn({ delta: true });
    await started.device.login();
    started.edge.lie = (asked, answer) => asked === "head" ? lie(answer, started) : answer;
    assertEquals(await codeOf(() => started.device.head()), code);
  });
}

Deno.test("a head that names a lower statement than was verified is rolled back, HEAD-02 STMT-02", async () => {
  const started = await start();
  const { world, edge, device } = started;
  await device.login();
  const before = world.current;
  await world.owner.restate();
  await world.turn();
  await device.head();
  edge.lie = (name, answer) => name === "login" ? { ...answer, head: before.signed, generation: 1, epoch: 1 } : answer;
  assertEquals(await codeOf(() => restart(started).login()), "rolled_back");
  edge.lie = (name, answer) => name === "login" ? { ...answer, statement: before.statement } : answer;
  assertEquals(await codeOf(() => restart(started).login()), "rolled_back");
});

Deno.test("two statements of one number are a fork, STMT-02", async () => {
  const started = await start();
  const { world, device } = started;
  await device.login();
  await world.owner.restate({ number: 1, time: 77 });
  await world.turn();
  assertEquals(await codeOf(() => restart(started).login()), "forked");
});

Deno.test("a statement that does not name the edge ends the talk with it, STMT-04", async () => {
  const started = await start();
  const { world } = started;
  Object.assign(world.owner, { edges: [{ origin: "https://elsewhere.test", key: webCryptoRandom(32) }] });
  await world.owner.restate();
  await world.turn();
  const error = await assertRejects(() => started.device.login(), "unauthorized");
  // It went to the edge that the statement names, which is not there and answers like one that does not know the owner.
  assert(started.edge.urls.some((url) => url.startsWith("https://elsewhere.test/")), started.edge.urls.join("\n"));
  assert(error.message.includes("refused"), error.message);
});

Deno.test("the edge's key follows the owner's newest statement, STMT-04", async () => {
  const started = await start();
  const { world, device } = started;
  await device.login();
  const next = await World.create(world.edge.origin);
  Object.assign(world, { edgeKey: next.edgeKey, edge: next.edge });
  Object.assign(world.owner, { edges: [next.edge] });
  await world.owner.restate();
  await world.turn();
  const again = restart(started);
  assertEquals((await again.login()).statement, 2);
  assert(started.edge.requests.includes("GET statement"));
});

Deno.test("a device follows its owner to another edge in the middle of a session, STMT-04", async () => {
  const { world, edge, device, chain } = await start();
  await device.login();
  const moved = { ...world.edge, origin: "https://moved.test/postern" };
  Object.assign(world, { edge: moved });
  Object.assign(world.owner, { edges: [moved] });
  await world.owner.restate();
  await world.turn();
  edge.urls.length = 0;
  assertEquals((await device.certificates.byFingerprint(chain.root.fingerprint)).found?.der, chain.root.der);
  const hosts = edge.urls.map((url) => new URL(url).hostname);
  assertEquals(hosts, ["edge.test", "edge.test", "moved.test", "moved.test", "moved.test"]);
});
