import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { makeChain, restart, start } from "./start.ts";
import { INTERVAL, NOW } from "./world.ts";

Deno.test("login() and a verified read take three round trips, SESS-08", async () => {
  const { device, edge, chain } = await start();
  const { found, asOf } = await device.certificates.byFingerprint(chain.leaf.fingerprint);
  assertEquals(edge.requests, ["GET challenge", "POST login", "GET rows"]);
  assertEquals(found?.der, chain.leaf.der);
  assertEquals([found?.status, found?.reviewed], ["usable", true]);
  assertEquals(asOf, { generation: 1, epoch: 1, time: NOW, nextDue: NOW + INTERVAL, freshness: "fresh", alarm: null });
});

Deno.test("login() reports the head", async () => {
  const { device, world } = await start();
  const report = await device.login();
  assertEquals(report.counts, { devices: 1, certificates: 4, messages: 14, changes: 1 });
  assertEquals([report.statement, report.classical], [1, 0]);
  assertEquals(report.incarnation, world.owner.incarnation);
  await world.turn();
  assertEquals((await device.login()).generation, 1);
  assertEquals((await device.head()).generation, 2);
});

Deno.test("byFingerprint() says null for a certificate that is not there, READ-06", async () => {
  const { device } = await start();
  assertEquals((await device.certificates.byFingerprint(webCryptoRandom(32))).found, null);
});

Deno.test("bySubject() finds every certificate of a name, however it is written, ROW-02 ROW-12", async () => {
  const { device, world, chain } = await start();
  const [[attribute] = []] = chain.leaf.subjectName;
  const name = attribute?.text ?? "";
  for (const text of [`CN=${name}`, `cn = ${name.toUpperCase()}`, `2.5.4.3=${name}`]) {
    const { found } = await device.certificates.bySubject(text);
    assertEquals(found.map(({ der }) => der), [chain.leaf.der], text);
  }
  assertEquals((await device.certificates.bySubject("CN=nobody")).found, []);
  await assertRejects(() => device.certificates.bySubject("no name"), "malformed");
  assertEquals(world.contents.length > 0, true);
});

Deno.test("certificates say whether they may be relied on, ROW-08", async () => {
  const { device, world } = await start();
  const [blocked, waiting] = [await makeChain(), await makeChain()];
  world.addCertificate(blocked.root.der, 0);
  world.addCertificate(waiting.root.der, 2);
  await world.turn();
  const look = async (fingerprint: Uint8Array<ArrayBuffer>) => {
    const { found } = await device.certificates.byFingerprint(fingerprint);
    return [found?.status, found?.reviewed];
  };
  assertEquals(await look(blocked.root.fingerprint), ["blocked", true]);
  assertEquals(await look(waiting.root.fingerprint), ["waiting", false]);
});

Deno.test("chain() goes over usable certificates alone, ROW-08", async () => {
  const { device, world, chain } = await start();
  const path = await device.certificates.chain(chain.leaf);
  assert(path.ok);
  assertEquals(path.path.map(({ fingerprint }) => fingerprint), [chain.leaf.fingerprint, chain.root.fingerprint]);
  const other = await makeChain();
  world.addCertificate(other.root.der, 2, { isAnchor: true });
  world.addCertificate(other.leaf.der, 1);
  await world.turn();
  const none = await device.certificates.chain(other.leaf);
  assert(!none.ok);
  assertEquals(none.reason, "untrusted");
});

Deno.test("chain() ends at a certificate that the owner trusts to vouch for others, and at no other root, ROW-08", async () => {
  const { device, world } = await start();
  const [merely, own] = [await makeChain(), await makeChain()];
  world.addCertificate(merely.root.der, 1);
  world.addCertificate(merely.leaf.der, 1);
  world.addCertificate(own.leaf.der, 1, { isAnchor: true });
  await world.turn();
  const outcomes = await Promise.all([merely, own].map(({ leaf }) => device.certificates.chain(leaf)));
  assertEquals(outcomes.map((one) => one.ok ? one.path.length : one.reason), ["untrusted", 1]);
});

Deno.test("messages are listed from either end and read whole, ROW-09", async () => {
  const { device } = await start();
  const channels = await device.messages.channels();
  assertEquals(channels.found.map(({ name }) => name), ["mail", "notes"]);
  const newest = await device.messages.list("mail", { limit: 3 });
  assertEquals([newest.messages.map(({ position }) => position), newest.more], [[8, 7, 6], true]);
  const before = await device.messages.list("mail", { before: 6, limit: 10 });
  assertEquals([before.messages.map(({ position }) => position), before.more], [[5, 4, 3, 2, 1], false]);
  const after = await device.messages.list("mail", { after: 2, limit: 2 });
  assertEquals([after.messages.map(({ position }) => position), after.more], [[3, 4], true]);
  assertEquals((await device.messages.list("notes")).messages, []);
  await assertRejects(() => device.messages.list("mail", { after: 1, before: 3 }), "usage");
  const [first] = after.messages;
  assert(first !== undefined);
  assertEquals(new TextDecoder().decode(await device.messages.read(first)), "message 3");
  const [large] = newest.messages;
  assert(large !== undefined && large.parts === 3);
  assertEquals(sha256(await device.messages.read(large)), large.sha256);
});

Deno.test("verifyAll() checks every table at one generation and that they belong together, TREE-04 TREE-05", async () => {
  const { device, world } = await start();
  const report = await device.verifyAll();
  assertEquals(report.rows, { devices: 1, certificates: 4, messages: 14, changes: 1 });
  assertEquals(report.contents, { devices: 1, certificates: 2, channels: 2, messages: 8, receipts: 0 });
  const { rows, asOf } = await device.tables.fetch("messages");
  assertEquals([rows.length, asOf.generation], [14, 1]);
  assertEquals(rows.filter(({ place }) => place === null).map(({ content }) => content.kind), ["cover"]);
  for (const name of ["devices", "certificates", "messages", "changes"] as const) {
    assertEquals((await device.tables.verify(name)).rows, world.current.head.tables[name].count);
  }
});

Deno.test("a read goes on by itself when the epoch turned meanwhile, READ-04", async () => {
  const { device, edge, world, chain } = await start();
  await device.login();
  await world.turn();
  edge.requests.length = 0;
  const { found, asOf } = await device.certificates.byFingerprint(chain.root.fingerprint);
  assertEquals(found?.der, chain.root.der);
  assertEquals([asOf.generation, asOf.epoch], [2, 2]);
  assertEquals(edge.requests, ["GET rows", "GET record", "GET rows"]);
});

Deno.test("a read fetches a newer head of the same epoch before it is relied on, READ-05", async () => {
  const { device, edge, world, chain } = await start();
  await device.login();
  await world.turn({ delta: true });
  edge.requests.length = 0;
  const { asOf } = await device.certificates.byFingerprint(chain.root.fingerprint);
  assertEquals([asOf.generation, asOf.epoch], [2, 1]);
  assertEquals(edge.requests, ["GET rows", "GET head"]);
});

Deno.test("a session that ended is opened again once, by itself", async () => {
  const { device, edge, chain } = await start();
  await device.login();
  for (const session of edge.sessions.values()) session.isOver = true;
  assertEquals((await device.certificates.byFingerprint(chain.root.fingerprint)).found?.der, chain.root.der);
  assertEquals(edge.sessions.size, 2);
});

Deno.test("a session past its time is not used any more, whatever time the edge named", async () => {
  for (const claimed of [3_600_000, 365 * 86_400_000]) {
    const { device, edge, world } = await start();
    edge.lie = (name, answer) => name === "login" ? { ...answer, expires: edge.now() + claimed } : answer;
    await device.login();
    world.time += 3_599_999;
    edge.requests.length = 0;
    await device.head();
    world.time += 1;
    await device.head();
    assertEquals(edge.requests, ["GET head", "GET challenge", "POST login", "GET head"]);
  }
});

Deno.test("logout() ends the session at the edge and here, SESS-14", async () => {
  const { device, edge } = await start();
  await device.login();
  await device.logout();
  assertEquals([...edge.sessions.values()].map(({ isOver }) => isOver), [true]);
  await device.logout();
  assertEquals(edge.requests.filter((one) => one === "POST logout").length, 1);
  await device.login();
  assertEquals(edge.sessions.size, 2);
});

Deno.test("no secret ever stands in a URL", async () => {
  const { device, edge, chain } = await start();
  await device.certificates.byFingerprint(chain.root.fingerprint);
  await device.submit.ping();
  await device.logout();
  const tokens = [...edge.sessions.keys()];
  for (const url of edge.urls) {
    assert(url.startsWith("https://edge.test/postern/v1/"), url);
    assert(tokens.every((token) => !url.includes(token)), url);
    assert(/^[a-z0-9:/.?=&-]*$/.test(url), url);
  }
});

Deno.test("requests of one device run in parallel, SESS-10", async () => {
  const { device, edge, world } = await start();
  const reads = Array.from({ length: 20 }, (_, index) => device.messages.list("mail", { before: 1 + index % 9 }));
  const pages = await Promise.all(reads);
  assertEquals(pages.map(({ messages }) => messages.length), pages.map((_, index) => index % 9));
  assertEquals(edge.sessions.size, 1);
  await world.turn();
  edge.requests.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => device.messages.channels()));
  assertEquals(edge.requests.filter((one) => one === "GET record").length, 1);
});

Deno.test("a device remembers across restarts, HEAD-03", async () => {
  const started = await start();
  await started.device.login();
  await started.world.turn();
  await started.device.head();
  const again = restart(started);
  assertEquals((await again.login()).generation, 2);
  const [first] = started.world.generations;
  assert(first !== undefined);
  started.edge.shown = first;
  await assertRejects(() => restart(started).login(), "rolled_back");
});

Deno.test("a device without its memory does not start as if it had seen nothing", async () => {
  const started = await start();
  await started.memory.remove("state");
  await assertRejects(() => restart(started).login(), "storage");
});
