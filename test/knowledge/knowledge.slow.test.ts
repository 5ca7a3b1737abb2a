/** Promise: the edge learns no row content, no subject name, no message, no key. All that it ever saw is looked through. */
import { Buffer } from "node:buffer";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { Traffic } from "../fixtures/traffic.ts";
import { captureCells, captureExchanges, cellsOf } from "./capture.ts";
import { live, NOBODY } from "./life.ts";
import { MarkBook } from "./mark_book.ts";
import { bytesMark, type Mark, newToken, textMark } from "./marks.ts";
import { BYTE_PLANTINGS, type Planting, PLANTINGS, TEXT_PLANTINGS } from "./plantings.ts";
import { type Captured, Scanner } from "./scan.ts";
import { WatchedEdge } from "./watched_edge.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-knowledge-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function captureDatabase(file: string): Promise<Captured[]> {
  const database = await openDatabase(`file:${file}`);
  const cells = await cellsOf(database);
  await database.close();
  return captureCells(cells);
}

/** The same bytes are often seen in several places; they are looked through once. */
function distinct(captured: readonly Captured[]): Captured[] {
  const seen = new Map(captured.map((one) => [new TextDecoder("latin1").decode(one.bytes), one]));
  return [...seen.values()];
}

Deno.test("The edge neither receives, answers, stores nor logs anything of what it keeps (STORE-01)", async () => {
  await inFolder(async (folder) => {
    await using edge = await WatchedEdge.prepare(`${folder}/edge`);
    const { book, device, truth, exchanges } = await live(edge, folder);
    const database = await captureDatabase(edge.file);
    const running = await edge.captured();
    // What it says when its database fails it, in the middle of a request.
    const broken = await openDatabase(`file:${edge.file}`);
    await broken.execute({ sql: "ALTER TABLE rows RENAME TO gone", params: [] });
    await broken.close();
    await assertRejects(() => device.client.messages.channels(), "storage");
    await edge.stop();

    const stopped = await edge.captured();
    const said = stopped.find(({ where }) => where === "its stderr")?.bytes;
    assert(said !== undefined && new TextDecoder().decode(said).includes("no such table"));
    const sent = exchanges.flatMap(([whose, each]) => captureExchanges(each, whose));
    const captured = distinct([...running, ...stopped, ...database, ...sent]);
    assert(captured.reduce((size, { bytes }) => size + bytes.length, 0) > 10_000_000);
    assert(book.marks.length > 150);
    const scanner = new Scanner(book.marks);
    // The manager has it all, in so many words: else not finding it at the edge would mean nothing.
    const known = new Set(scanner.findAll(truth).map(({ mark }) => mark));
    assertEquals(book.words.filter((name) => !known.has(name)), [NOBODY]);
    assertEquals(scanner.findAll(captured), []);
  });
});

Deno.test("The edge stores and logs nothing of a request but what it is for (STORE-01)", async () => {
  await inFolder(async (folder) => {
    await using edge = await WatchedEdge.prepare(`${folder}/edge`);
    const owner = webCryptoRandom(32);
    await edge.start([owner]);
    const book = new MarkBook();
    const { origin } = edge.identity.name;
    const headers = () => ({
      "user-agent": `browser ${book.word(`user agent ${book.marks.length}`)}`,
      "x-forwarded-for": book.word(`address ${book.marks.length}`),
      "referer": `https://${book.word(`referer ${book.marks.length}`)}.example/`,
      "cookie": `id=${book.word(`cookie ${book.marks.length}`)}`,
      "authorization": `Bearer ${book.word(`authorization ${book.marks.length}`)}`,
      "postern-session": book.word(`session ${book.marks.length}`),
      "signature": book.word(`signature ${book.marks.length}`),
    });
    const cbor = { "content-type": "application/cbor" };
    const path = `${origin}/v1/${toHex(owner)}`;
    const body = () => utf8(book.word(`body ${book.marks.length}`));
    const requests: readonly (readonly [url: string, init: RequestInit])[] = [
      [`${origin}/health?${book.word("query")}`, { headers: headers() }],
      [`${origin}/${book.word("path")}`, { headers: headers() }],
      [`${path}/challenge?${book.word("query of a challenge")}`, { headers: headers() }],
      [`${path}/head`, { headers: headers() }],
      [`${path}/login`, { method: "POST", headers: { ...headers(), ...cbor }, body: body() }],
      [`${path}/inbox`, { method: "POST", headers: { ...headers(), ...cbor }, body: body() }],
      [`${path}/push/${book.word("push id")}/chunks/x`, { method: "PUT", headers: headers(), body: body() }],
    ];
    const statuses: number[] = [];
    for (const [url, init] of requests) {
      const answer = await edge.fetch(url, init);
      statuses.push(answer.status);
      await answer.body?.cancel();
    }
    assertEquals(statuses, [200, 404, 400, 401, 400, 401, 401]);
    await edge.stop();
    const kept = [...await edge.captured(), ...await captureDatabase(edge.file)].filter(({ where }) =>
      !where.startsWith("connection")
    );
    assert(kept.some(({ where }) => where === "its stderr") && kept.some(({ where }) => where === "file edge.db"));
    assertEquals(new Scanner(book.marks).findAll(kept), []);
  });
});

/**
 * What nobody can find in the middle of a stream of other things: raw deflate and Brotli have no header that tells where they begin, and
 * what is left of a compressed text when something else follows cannot be inflated.
 */
const NOT_IN_STREAMS = ["deflate", "Brotli", "gzip, cut off"];

Deno.test("A watched edge gives itself away when it leaks, whatever the spelling, by every way there is", async () => {
  await inFolder(async (folder) => {
    const leaks = plantings();
    await Deno.writeTextFile(
      `${folder}/leaks.json`,
      JSON.stringify(leaks.map(({ bytes }) => bytes.toString("base64"))),
    );
    await using edge = await WatchedEdge.prepare(`${folder}/edge`);
    await edge.start([webCryptoRandom(32)], [`${PROJECT_ROOT}/test/knowledge/leaky_edge.ts`, `${folder}/leaks.json`]);
    const traffic = new Traffic(edge.fetch);
    for (const [index, { bytes }] of leaks.entries()) {
      const url = `${edge.identity.name.origin}/leak/${index}`;
      await traffic.fetch(url, { method: "POST", body: new Uint8Array(bytes) });
    }
    await edge.stop();

    const scanner = new Scanner(leaks.map(({ mark }) => mark));
    const found = (captured: readonly Captured[]) => new Set(scanner.findAll(captured).map(({ mark }) => mark));
    const watched = await edge.captured();
    const sent = captureExchanges(traffic.exchanges, "a client");
    const places: Readonly<Record<string, readonly Captured[]>> = {
      "a request": sent.filter(({ where }) => where.includes("request")),
      "an answer": sent.filter(({ where }) => where.includes("answer")),
      "a cell": await captureDatabase(edge.file),
      "the bytes received": watched.filter(({ where }) => where.endsWith("received")),
      "the bytes answered": watched.filter(({ where }) => where.endsWith("answered")),
      "a file": watched.filter(({ where }) => where.startsWith("file")),
      "the log": watched.filter(({ where }) => where === "its stdout"),
    };
    const whole = ["a request", "an answer", "a cell"];
    for (const [place, captured] of Object.entries(places)) {
      const marks = found(captured);
      const missed = leaks.filter(({ mark, name }) =>
        !marks.has(mark.name) && (whole.includes(place) || !NOT_IN_STREAMS.some((form) => name.startsWith(form)))
      );
      assertEquals(missed.map(({ name }) => `${name} in ${place}`), []);
    }
  });
});

interface Leak {
  readonly name: string;
  readonly mark: Mark;
  readonly bytes: Buffer;
}

/** Each way to leak with a mark of its own, for texts and for keys. */
function plantings(): Leak[] {
  const leak = (name: string, planting: Planting, mark: Mark): Leak => {
    const around = { before: Buffer.from(webCryptoRandom(17)), after: Buffer.from(webCryptoRandom(11)) };
    return { name, mark, bytes: Buffer.from(planting(mark, around)) };
  };
  const texts = Object.entries({ ...PLANTINGS, ...TEXT_PLANTINGS }).map(([name, planting]) =>
    leak(name, planting, textMark(`text as ${name}`, newToken(webCryptoRandom)))
  );
  const keys = Object.entries({ ...PLANTINGS, ...BYTE_PLANTINGS }).map(([name, planting]) =>
    leak(name, planting, bytesMark(`key as ${name}`, webCryptoRandom(32)))
  );
  return [...texts, ...keys];
}
