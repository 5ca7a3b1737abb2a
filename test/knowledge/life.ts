/**
 * A life with an edge: an owner, three devices, certificates and messages full of marks; logins, lookups, lists, whole tables,
 * submissions, deltas, a rotation and a revocation. The edge serves all of it and may know nothing of it.
 */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { LIMITS } from "../../shared/limits.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { SYSTEM_CLOCK } from "../fixtures/clock.ts";
import { type PairOptions, TestDevice } from "../fixtures/device.ts";
import { TestManager } from "../fixtures/manager.ts";
import type { Exchange } from "../fixtures/traffic.ts";
import { build } from "../shared/x509/builder.ts";
import { captureCells, cellsOf } from "./capture.ts";
import { MarkBook } from "./mark_book.ts";
import type { Captured } from "./scan.ts";
import { noteCertificate, noteDevice, noteEdge, noteManager, noteSessions, noteSubmissions } from "./secrets.ts";
import type { WatchedEdge } from "./watched_edge.ts";

const DAY = 86_400_000;
/** The one mark that only a device knew. */
export const NOBODY = "subject that nobody has";

/** What was said, and what must not be known. */
export interface Life {
  readonly book: MarkBook;
  /** A device that still has its place. */
  readonly device: TestDevice;
  /** What the manager holds at its end, opened: here every mark that was written must be found. */
  readonly truth: readonly Captured[];
  readonly exchanges: readonly (readonly [whose: string, exchanges: readonly Exchange[]])[];
}

/** Lives it, and leaves the edge running. @param folder for the manager; does not exist yet */
export async function live(edge: WatchedEdge, folder: string): Promise<Life> {
  const book = new MarkBook();
  await noteEdge(book, edge.identity);
  await using manager = await TestManager.create(join(folder, "manager"), edge.identity.name, SYSTEM_CLOCK, edge.fetch);
  await edge.start([manager.owner]);
  // Secrets of a push are there only while it lasts.
  manager.traffic.interceptor = {
    request: async (request) => {
      await noteManager(book, manager);
      return request;
    },
  };
  const pair = async (role: string, options: PairOptions = {}): Promise<TestDevice> => {
    const name = `${book.word(`name of the ${role}`)} ${role}`;
    const device = await TestDevice.pair(name, manager, SYSTEM_CLOCK, edge.fetch, options);
    noteDevice(book, role, device);
    return device;
  };
  const phone = await pair("phone");
  const laptop = await pair("laptop", { algorithm: "ES256" });
  const tablet = await pair("tablet", { suite: "x25519" });

  const subjects = await trustSome(book, manager);
  const channel = `${book.word("channel")}/mail`;
  await manager.receive(channel, mail(book, "first message"));
  await manager.receive(channel, mail(book, "large message", LIMITS.messagePartBytes + 2_000));
  await manager.sync();

  await readEverything(phone, subjects, channel, 2);
  await phone.client.certificates.bySubject(`CN=${book.word(NOBODY)}`);
  await submitSome(book, laptop);
  assertEquals((await phone.client.certificates.pending()).found.length, 1);
  const { inbox } = await manager.sync();
  assertEquals([inbox.done, inbox.refused, inbox.ignored], [4, 0, 0]);
  await laptop.client.head();
  assertEquals((await laptop.client.submit.status()).pending, []);

  await manager.receive(channel, mail(book, "message in a delta"));
  assertEquals((await manager.sync()).pushed.isFull, false);
  await readEverything(laptop, subjects, channel, 3);
  await manager.sync({ rotate: true });
  await readEverything(phone, subjects, channel, 3);
  await manager.revoke(tablet.profile.device);
  await manager.sync();
  await assertRejects(() => tablet.client.login(), "unauthorized");
  await phone.client.verifyAll();
  await phone.client.logout();

  await noteManager(book, manager);
  const exchanges = [
    ["manager", manager.traffic.exchanges] as const,
    ...Object.entries({ phone, laptop, tablet }).map(([name, device]) => [name, device.traffic.exchanges] as const),
  ];
  const all = exchanges.flatMap(([, each]) => each);
  await noteSessions(book, edge.identity, all);
  await noteSubmissions(book, manager, all);
  return { book, device: laptop, truth: captureCells(await cellsOf(manager.db)), exchanges };
}

/** Certificates with marks in every place; two of them of one subject. */
async function trustSome(book: MarkBook, manager: TestManager): Promise<string[]> {
  const names = Array.from({ length: 2 }, (_, index) => {
    const [person, organisation] = [book.word(`common name ${index}`), book.word(`organisation ${index}`)];
    return `CN=${person} Müller,O=${organisation} GmbH`;
  });
  for (const [index, subject] of [...names, ...names.slice(0, 1)].entries()) {
    const der = await certificateFor(subject);
    noteCertificate(book, `certificate ${index}`, der);
    await manager.trust(der, `known from ${book.word(`note on certificate ${index}`)}`);
  }
  return names;
}

async function certificateFor(subject: string): Promise<Bytes> {
  const now = Date.now();
  return await build({ subject, serial: webCryptoRandom(16), notBefore: now - DAY, notAfter: now + DAY });
}

/** A mail with a word in each header field, and words at the beginning, in the middle and at the end of its body. */
function mail(book: MarkBook, name: string, size = 0): Bytes {
  const word = (where: string) => book.word(`${where} of ${name}`);
  const half = " All work and no play makes Jack a dull boy.\r\n".repeat(Math.ceil(size / 94));
  return utf8(
    `From: ${word("sender")}@example.org\r\nTo: ${word("recipient")}@example.org\r\nSubject: ${word("subject")}\r\n` +
      `Date: Tue, 01 Jan 2030 00:00:00 +0000\r\n\r\n${word("beginning")}${half}${word("middle")}${half}${
        word("end")
      }\r\n`,
  );
}

async function readEverything(
  { client }: TestDevice,
  subjects: readonly string[],
  channel: string,
  messages: number,
): Promise<void> {
  await client.login();
  for (const [index, subject] of subjects.entries()) {
    const { found } = await client.certificates.bySubject(subject);
    assertEquals(found.length, index === 0 ? 2 : 1);
    for (const { fingerprint } of found) {
      assert((await client.certificates.byFingerprint(fingerprint)).found !== null);
    }
  }
  await client.messages.channels();
  const list = await client.messages.list(channel);
  assertEquals(list.messages.length, messages);
  for (const message of list.messages) await client.messages.read(message);
  await client.verifyAll();
}

async function submitSome(book: MarkBook, { client }: TestDevice): Promise<void> {
  const subject = `CN=${book.word("common name handed in")}`;
  const note = `met at ${book.word("note handed in")}`;
  await client.submit.certificate(await certificateFor(subject), note);
  const channel = `${book.word("channel handed in")}/out`;
  await client.submit.message({ channel, raw: mail(book, "message handed in") });
  const large = mail(book, "large message handed in", LIMITS.messagePartBytes + 2_000);
  await client.submit.message({ channel, raw: large });
  await client.submit.ping();
}
