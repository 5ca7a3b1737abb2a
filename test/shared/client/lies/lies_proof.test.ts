/** Lies that leave things out, or show what was: in answers about lists, whose rows are all the manager's own (READ-06, READ-09). */
import { assert, assertEquals } from "../../../assert.ts";
import { type Bytes, equalBytes } from "../../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { type Leaf, treeKey } from "../../../../shared/merkle/tree_hash.ts";
import { rowHash, sealRow } from "../../../../shared/protocol/row.ts";
import type { TableName } from "../../../../shared/protocol/tables.ts";
import { indexToken, type ListName, LISTS, rowKey } from "../../../../shared/protocol/token.ts";
import { naiveProof, type Range, wholeList } from "../../merkle/proof_model.ts";
import { codeOf, type Lie } from "./lie.ts";
import type { Answer } from "../scripted_edge.ts";
import { start, type Started } from "../start.ts";
import type { Generation, WorldRow } from "../world.ts";

const MAIL = LISTS.channel("mail");

function listOf({ keys, tables }: Generation, list: ListName): WorldRow[] {
  const token = indexToken(keys, list);
  return tables.messages.filter((row) => equalBytes(row.token, token));
}

function leavesOf({ tables }: Generation, table: TableName = "messages"): Leaf[] {
  return tables[table].map(({ key, bytes }) => ({ key, rowHash: rowHash(bytes) }));
}

function rangeOf({ keys }: Generation, list: ListName, from: number, to?: number): Range {
  const token = indexToken(keys, list);
  return { lowest: treeKey(token, from), highest: to === undefined ? wholeList(token).highest : treeKey(token, to) };
}

/** An answer that shows only some rows of the channel, with the proof that fits them best. */
function showOnly(answer: Answer, generation: Generation, isShown: (row: WorldRow) => boolean): Answer {
  const shown = listOf(generation, MAIL).filter(isShown);
  const keys = shown.map(({ key }) => key);
  const range = rangeOf(generation, MAIL, 6);
  const proof = naiveProof(leavesOf(generation), range, ({ key }) => keys.some((one) => equalBytes(one, key)));
  return { ...answer, rows: shown.map(({ bytes }) => bytes), more: false, proof };
}

/** Lies to a device that reads messages 6 to 9 of the channel `mail` at generation 3, with which message 9 came. */
const PROOF_LIES: readonly Lie[] = [
  { name: "no proof", code: "withheld", lie: (answer) => ({ ...answer, proof: null }) },
  { name: "the proof of an empty table", code: "tampered", lie: (answer) => ({ ...answer, proof: [] }) },
  { name: "a proof of something else", code: "tampered", lie: (answer) => ({ ...answer, proof: [null, 7, null] }) },
  { name: "a hash of another length", code: "tampered", lie: (answer) => ({ ...answer, proof: [new Uint8Array(31)] }) },
  {
    name: "a proof without an end",
    code: "tampered",
    lie: (answer) => ({ ...answer, proof: new Array(LIMITS.maxProofNodes + 1).fill(1) }),
  },
  {
    name: "rows without one in the middle",
    code: "tampered",
    lie: (answer) => ({ ...answer, rows: (answer["rows"] as Bytes[]).toSpliced(1, 1) }),
  },
  {
    name: "rows without one in the middle, which the proof shows as another's",
    code: "withheld",
    lie: (answer, { world }) => showOnly(answer, world.current, ({ number }) => number >= 6 && number !== 7),
  },
  {
    name: "rows without the first",
    code: "withheld",
    lie: (answer, { world }) => showOnly(answer, world.current, ({ number }) => number > 6),
  },
  {
    name: "rows without the newest",
    code: "withheld",
    lie: (answer, { world }) => showOnly(answer, world.current, ({ number }) => number >= 6 && number < 9),
  },
  {
    name: "a range that ends before the list does, as its end",
    code: "withheld",
    lie: (answer, { world }) => {
      const proof = naiveProof(leavesOf(world.current), rangeOf(world.current, MAIL, 6, 7));
      return { ...answer, rows: (answer["rows"] as Bytes[]).slice(0, 2), proof };
    },
  },
  {
    name: "no rows at all, with the proof of a list that is empty",
    code: "withheld",
    lie: (answer, { world }) => {
      const proof = naiveProof(leavesOf(world.current), rangeOf(world.current, LISTS.channel("nothing"), 0));
      return { ...answer, rows: [], proof };
    },
  },
  {
    name: "the rows with the proof of another list",
    code: "tampered",
    lie: (answer, { world }) => {
      return { ...answer, proof: naiveProof(leavesOf(world.current), rangeOf(world.current, LISTS.channels, 0)) };
    },
  },
  {
    name: "the rows with the proof of another table",
    code: "tampered",
    lie: (answer, { world }) => {
      const leaves = leavesOf(world.current, "certificates");
      return { ...answer, proof: naiveProof(leaves, rangeOf(world.current, MAIL, 6)) };
    },
  },
  {
    name: "rows and proof as they were a generation ago",
    code: "tampered",
    lie: (answer, { world }) => {
      const [, before] = world.generations;
      assert(before);
      const rows = listOf(before, MAIL).filter(({ number }) => number >= 6);
      const proof = naiveProof(leavesOf(before), rangeOf(before, MAIL, 6));
      return { ...answer, rows: rows.map(({ bytes }) => bytes), proof };
    },
  },
  {
    name: "a row that the manager sealed and did not push",
    code: "tampered",
    lie: async (answer, { world }) => {
      const content = world.contents.find(({ list, number }) => list.kind === "channel" && number === 7);
      assert(content);
      const { keys } = world.current;
      const bytes = await sealRow(keys, rowKey(keys, MAIL, 7), null, content.plaintext, webCryptoRandom);
      return { ...answer, rows: (answer["rows"] as Bytes[]).with(1, bytes) };
    },
  },
];

async function atThree(): Promise<Started> {
  // Generations come while requests are under way: the clocks of both sides stand still.
  const started = await start({ surroundings: { monotonic: () => 0 } });
  started.edge.now = () => 1_900_000_000_000;
  await started.world.turn({ delta: true });
  started.world.addMessage("mail", 9, new TextEncoder().encode("message 9"));
  await started.world.turn({ delta: true });
  await started.device.login();
  return started;
}

for (const { name, code, lie } of PROOF_LIES) {
  Deno.test(`a read refuses ${name} as ${code}, READ-06 READ-09 PROOF-01 PROOF-02`, async () => {
    const started = await atThree();
    const { device, edge } = started;
    const read = () => device.messages.list("mail", { after: 5, limit: 4 });
    edge.lie = (asked, answer) => asked === "rows" ? lie(answer, started) : answer;
    assertEquals(await codeOf(read), code);
    edge.lie = (_, answer) => answer;
    assertEquals((await read()).messages.map(({ position }) => position), [6, 7, 8, 9]);
  });
}

Deno.test("every range of a list is proven, from either end and in pages of any size, READ-09", async () => {
  const { device } = await atThree();
  for (let limit = 1; limit <= 10; limit++) {
    for (let position = 0; position <= 10; position++) {
      const after = (await device.messages.list("mail", { after: position, limit })).messages;
      const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];
      assertEquals(after.map((one) => one.position), all.filter((one) => one > position).slice(0, limit));
      if (position === 0) continue;
      const before = (await device.messages.list("mail", { before: position, limit })).messages;
      assertEquals(before.map((one) => one.position), all.filter((one) => one < position).reverse().slice(0, limit));
    }
  }
  assertEquals(await codeOf(() => device.messages.list("mail", { before: 0 })), "usage");
});

Deno.test("what is there cannot be denied, and what is not cannot be shown, READ-09", async () => {
  const started = await atThree();
  const { device, edge, world, chain } = started;
  const { found } = await device.certificates.byFingerprint(sha256(chain.leaf.der));
  assertEquals(found?.der, chain.leaf.der);
  edge.lie = (asked, answer) => asked === "rows" ? { ...answer, rows: [] } : answer;
  assertEquals(await codeOf(() => device.certificates.byFingerprint(chain.leaf.fingerprint)), "tampered");
  assertEquals(await codeOf(() => device.certificates.bySubject("CN=Nobody")), "nothing was noticed");
  edge.lie = (asked, answer) => {
    if (asked !== "rows") return answer;
    const keys = leavesOf(world.current, "certificates");
    return { ...answer, rows: [], proof: naiveProof(keys, wholeList(sha256(new Uint8Array(1)))) };
  };
  assertEquals(await codeOf(() => device.certificates.byFingerprint(chain.leaf.fingerprint)), "withheld");
  assertEquals(await codeOf(() => device.certificates.chain(chain.leaf)), "withheld");
});

Deno.test("an answer of a generation that was left meanwhile is asked for again, READ-09", async () => {
  const { device, edge, world } = await atThree();
  await world.turn({ delta: true });
  edge.before = async (name) => void (name === "head" ? await world.turn({ delta: true }) : null);
  edge.requests.length = 0;
  const { asOf, messages } = await device.messages.list("mail", { after: 5 });
  assertEquals([asOf.generation, messages.length], [5, 4]);
  assertEquals(edge.requests, ["GET rows", "GET head", "GET rows"]);
});

Deno.test("a generation that is left with every answer is given up, READ-09", async () => {
  const { device, edge, world } = await atThree();
  edge.before = async (name) => void (name === "head" || name === "rows" ? await world.turn({ delta: true }) : null);
  edge.requests.length = 0;
  assertEquals(await codeOf(() => device.messages.list("mail")), "withheld");
  assertEquals(edge.requests.length, 2 * (LIMITS.maxRefreshes + 1));
});
