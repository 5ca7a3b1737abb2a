/** Promise: another owner on the same edge is a stranger, and a device is no manager. Every endpoint is tried. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { CborInputMap } from "../../shared/bytes/cbor.ts";
import { openSession } from "../../shared/client/session/open_session.ts";
import type { EdgeSession } from "../../shared/client/session/edge_session.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { MANAGER_DEVICE } from "../../shared/protocol/login.ts";
import { pathOf, queryOf } from "../../shared/protocol/paths.ts";
import { ANSWERS } from "../../shared/protocol/wire.ts";
import { ENDPOINTS } from "../../edge/app.ts";
import { currentStatement } from "../../manager/owner/statement.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { surroundingsOf } from "../fixtures/clock.ts";
import type { TestDevice } from "../fixtures/device.ts";
import type { TestManager } from "../fixtures/manager.ts";
import { heldRows } from "./edge_database.ts";
import { managersSigner } from "./forge.ts";
import { certificate, LARGE_BYTES, mail, pushedWorld, type Setting } from "./setting.ts";
import { bodyOf, lastTo } from "./wire.ts";

type Endpoint = (typeof ENDPOINTS)[number];

async function deviceSession({ world }: Setting, { profile, keys, surroundings }: TestDevice): Promise<EdgeSession> {
  const { owner, device } = profile;
  const { name: edge } = world.edge.identity;
  return (await openSession({ owner, edge, device, statement: null, sign: keys.sign }, surroundings)).session;
}

async function managerSession({ world }: Setting, manager: TestManager): Promise<EdgeSession> {
  const { owner, signed } = await currentStatement(manager.db);
  const identity = { owner, edge: world.edge.identity.name, device: MANAGER_DEVICE, statement: signed };
  const surroundings = surroundingsOf({ clock: world.clock, fetch: manager.traffic.fetch });
  return (await openSession({ ...identity, sign: await managersSigner(manager) }, surroundings)).session;
}

/** Names of what the owner really has, for the requests of a stranger: push, part, token. */
async function spoils({ world, device }: Setting) {
  const begun = lastTo(world.manager.traffic.exchanges, "/push", "POST");
  await device.client.submit.message({ channel: "out", raw: mail("large", "y".repeat(LARGE_BYTES)) });
  const { request } = device.traffic.exchanges.find(({ request }) => request.url.includes("/inbox/parts/")) ??
    missing();
  const part = bodyOf(request).part;
  const submission = bodyOf(lastTo(device.traffic.exchanges, "/inbox", "POST").request).submission;
  const [row] = await heldRows(world.edge, 3);
  const push = bodyOf(begun.request);
  const { id } = push;
  assert(
    part instanceof Uint8Array && submission instanceof Uint8Array && id instanceof Uint8Array && row !== undefined,
  );
  return { push, id, part, hash: sha256(part), submission, token: row.token };
}

type Spoils = Awaited<ReturnType<typeof spoils>>;

/** A request to an endpoint of this owner that would be in order if it came from whom it is for. */
function callOf({ route, method, answer }: Endpoint, owner: Bytes, found: Spoils) {
  const { push, id, hash, part, submission, token } = found;
  const queries: Readonly<Record<string, string>> = {
    rows: queryOf({ epoch: 1, token, from: 0 }),
    table: queryOf({ epoch: 1, at: 1 }),
    changes: queryOf({ epoch: 1, since: 1, at: 1 }),
  };
  const bodies: Readonly<Record<string, CborInputMap>> = {
    "POST push": push,
    "PUT pushChunk": { rows: [], remove: [] },
    "POST pushCommit": { heads: [new Uint8Array(200)], statements: [] },
    "DELETE tables": { number: 1_000 },
    "POST inbox": { submission },
    "PUT inboxPart": { part },
  };
  const body = bodies[`${method} ${route}`];
  return {
    ...{ method, path: pathOf(route, { owner, table: "messages", id, n: 0, hash }), query: queries[route] ?? "" },
    ...{ answer: ANSWERS[answer], what: `${method} ${route}`, ...(body === undefined ? {} : { body }) },
  };
}

async function everything(setting: Setting) {
  const { world } = setting;
  const stranger = world.managers[1] ?? missing();
  const theirs = await world.pair("theirs", {}, stranger);
  await stranger.trust(await certificate("CN=Theirs"));
  await stranger.sync();
  return { stranger, theirs, found: await spoils(setting) };
}

const RESTRICTED = ENDPOINTS.filter(({ access }) => access !== "public");

Deno.test("Every endpoint throws unauthorized when a session of another owner asks (SESS-09, STORE-02)", async (t) => {
  await using setting = await pushedWorld({ owners: 2 });
  const { world, device } = setting;
  const { stranger, theirs, found } = await everything(setting);
  const before = await stateOf(setting);
  const sessions = [await deviceSession(setting, theirs), await managerSession(setting, stranger)];
  for (const endpoint of RESTRICTED) {
    await t.step(`${endpoint.method} ${endpoint.route}`, async () => {
      for (const session of sessions) {
        await assertRejects(() => session.request(callOf(endpoint, world.owner, found)), "unauthorized");
      }
    });
  }
  assertEquals(await stateOf(setting), before);
  assertEquals((await device.client.verifyAll()).contents.messages, 4);
});

/** Everything that the edge holds of the first owner. */
async function stateOf({ world }: Setting): Promise<unknown> {
  const rows = await world.edge.database.execute({
    sql:
      `SELECT (SELECT count(*) FROM rows WHERE owner = no) AS rows, (SELECT count(*) FROM pushes WHERE owner = no) AS pushes,
      (SELECT count(*) FROM inbox WHERE owner = no) AS inbox, (SELECT count(*) FROM inbox_parts WHERE owner = no) AS parts,
      generation, delete_number, head FROM owners WHERE id = ?`,
    params: [world.owner],
  });
  return rows.rows;
}

Deno.test("Every endpoint of the manager's throws forbidden when a device asks", async (t) => {
  await using setting = await pushedWorld({ owners: 2 });
  const { found } = await everything(setting);
  const before = await stateOf(setting);
  const session = await deviceSession(setting, setting.device);
  for (const endpoint of RESTRICTED.filter(({ access }) => access === "manager")) {
    await t.step(`${endpoint.method} ${endpoint.route}`, async () => {
      await assertRejects(() => session.request(callOf(endpoint, setting.world.owner, found)), "forbidden");
    });
  }
  assertEquals(await stateOf(setting), before);
});

Deno.test("Every endpoint of the devices' throws forbidden when the manager asks", async (t) => {
  await using setting = await pushedWorld({ owners: 2 });
  const { found } = await everything(setting);
  const session = await managerSession(setting, setting.world.manager);
  for (const endpoint of RESTRICTED.filter(({ access }) => access === "device")) {
    await t.step(`${endpoint.method} ${endpoint.route}`, async () => {
      await assertRejects(() => session.request(callOf(endpoint, setting.world.owner, found)), "forbidden");
    });
  }
});

Deno.test("ENDPOINTS name for whom each is, and nothing but the way in is public", () => {
  const open = ENDPOINTS.filter(({ access }) => access === "public").map(({ route }) => route);
  assertEquals(open.toSorted(), ["challenge", "login", "statement"]);
  const managers = RESTRICTED.filter(({ access }) => access === "manager").map(({ method, route }) =>
    `${method} ${route}`
  );
  assertEquals(managers.toSorted(), [
    ...[
      "DELETE pushOne",
      "DELETE tables",
      "GET push",
      "GET pushTable",
      "POST push",
      "POST pushCommit",
      "PUT pushChunk",
    ],
    "PUT pushNodes",
  ]);
});

Deno.test("An owner sees nothing of another's under his own paths, whatever he knows of it (STORE-02)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { stranger, theirs, found } = await everything(setting);
  const session = await deviceSession(setting, theirs);
  const at = stranger.owner;
  const epoch = 1;
  const rows = await session.request({
    ...{ method: "GET", path: pathOf("rows", { owner: at, table: "messages" }), what: "Reading with a stolen token" },
    ...{ query: queryOf({ epoch, token: found.token, from: 0 }), answer: ANSWERS.rows },
  });
  assertEquals([rows.rows, rows.more], [[], false]);
  const path = pathOf("inboxPart", { owner: at, hash: found.hash });
  const part = { method: "GET", path, answer: ANSWERS.inboxPart, what: "Reading a stolen part" } as const;
  await assertRejects(() => session.request(part), "not_found");
  await assertRejects(async () => await (await managerSession(setting, stranger)).request(part), "not_found");
  const inbox = await session.request({
    ...{ method: "GET", path: pathOf("inbox", { owner: at }), answer: ANSWERS.inbox, what: "Reading the inbox" },
  });
  assertEquals(inbox.entries, []);
});

Deno.test("A device reads no parts that another device of its owner handed in (INBOX-04)", async () => {
  await using setting = await pushedWorld();
  const found = await spoils(setting);
  const path = pathOf("inboxPart", { owner: setting.world.owner, hash: found.hash });
  const call = { method: "GET", path, answer: ANSWERS.inboxPart, what: "Reading another device's part" } as const;
  const session = await deviceSession(setting, setting.other);
  await assertRejects(() => session.request(call), "not_found");
  assertEquals((await (await deviceSession(setting, setting.device)).request(call)).part, found.part);
});

Deno.test("Device ids, rows and submissions of one owner mean nothing under another (SESS-02, INBOX-05)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { world, device } = setting;
  const { stranger, theirs, found } = await everything(setting);
  const edge = world.edge.identity.name;
  const foreign = { owner: stranger.owner, edge, device: device.profile.device, statement: null };
  await assertRejects(() => openSession({ ...foreign, sign: device.keys.sign }, device.surroundings), "unauthorized");
  const session = await deviceSession(setting, theirs);
  const path = pathOf("inbox", { owner: stranger.owner });
  const body = { submission: found.submission };
  const call = { method: "POST", path, body, answer: ANSWERS.empty, what: "Handing in stolen work" } as const;
  await assertRejects(() => session.request(call), "forbidden");
  assertEquals((await stranger.sync()).inbox, {
    ...{ done: 0, held: 0, refused: 0, ignored: 0 },
    ...{ contradicting: [], gaps: [] },
  });
});

Deno.test("GET challenge and GET statement tell nobody whether an owner is known (SESS-01)", async () => {
  await using setting = await pushedWorld();
  const { world, device } = setting;
  const ask = async (owner: Bytes, route: "challenge" | "statement") => {
    const url = world.edge.identity.name.origin + pathOf(route, { owner });
    return await device.traffic.send({ method: "GET", url, headers: new Headers(), body: new Uint8Array(0) });
  };
  const known = await ask(world.owner, "challenge");
  const unknown = await ask(webCryptoRandom(32), "challenge");
  assertEquals([known.status, known.body.length], [unknown.status, unknown.body.length]);
  assertEquals([...known.headers.keys()], [...unknown.headers.keys()]);
  assertEquals(bodyOf(await ask(webCryptoRandom(32), "statement")).statement, null);
});

function missing(): never {
  throw new Error("The setting has no such part");
}
