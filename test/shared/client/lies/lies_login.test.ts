/** Lies that only an edge can tell, because it signs them: at a login. Each has one name that the device gives it. */
import { assert, assertEquals, assertRejects } from "../../../assert.ts";
import { signingKey } from "../../../fixtures/owner.ts";
import { encodeCbor } from "../../../../shared/bytes/cbor.ts";
import { encodeHead, signHead } from "../../../../shared/protocol/head.ts";
import { restart, start } from "../start.ts";
import { World } from "../world.ts";

import { changeExtra, codeOf, flip, type Lie, other, resigned, theirs } from "./lie.ts";

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
