import { join } from "node:path";
import type { MailItem } from "../../../manager/mail/item.ts";
import { type MailboxOptions, readMailbox } from "../../../manager/mail/mailbox.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { run, withFolder } from "../files/children.ts";
import { mailData, realMessages } from "./mail_data.ts";
import { finished, writeMbox } from "./write_mbox.ts";

const MESSAGE = utf8("Subject: x\n\nbody\n");

async function readAll(path: string, options?: MailboxOptions): Promise<MailItem[]> {
  return await Array.fromAsync(readMailbox(path, options));
}

/** What a test compares: the source below the folder, then the channel hint or the error's code. */
function outline(items: readonly MailItem[], folder: string): string[] {
  return items.map((item) => {
    const source = item.source.slice(folder.length + 1);
    return item.kind === "problem" ? `${source} !${item.error.code}` : `${source} (${item.channelHint ?? ""})`;
  });
}

function rawOf(item: MailItem | undefined): Bytes {
  if (item?.kind !== "message") throw new Error(`expected a message, found ${item?.error.message ?? "nothing"}`);
  return item.raw;
}

async function writeTree(folder: string, files: Readonly<Record<string, Bytes>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeFile(join(folder, path), content);
  }
}

mailData.test("readMailbox() gives every real message back byte for byte when each is a file", () =>
  withFolder(async (folder) => {
    const real = realMessages();
    await writeTree(folder, Object.fromEntries(real.map(({ name, raw }) => [name, raw])));
    const items = await readAll(folder);
    assertEquals(items.length, real.length);
    items.forEach((item, i) => {
      assertEquals(item.source, join(folder, real[i]?.name ?? ""));
      assertEquals(rawOf(item), real[i]?.raw, real[i]?.name);
    });
    for (const { name, raw } of real) assertEquals((await readAll(join(folder, name))).map(rawOf), [raw]);
  }));

mailData.test("readMailbox() gives every real message back byte for byte from a Maildir", () =>
  withFolder(async (folder) => {
    const real = realMessages();
    const folders = ["cur", "new", ".Sent/cur", ".Work.Entw&APw-rfe/new"];
    const paths = real.map((_, i) => `${folders[i % 4]}/17000000${10 + i}.M1.host${i % 2 === 0 ? ":2,RS" : ""}`);
    await writeTree(folder, Object.fromEntries(real.map(({ raw }, i) => [paths[i] ?? "", raw])));
    await writeTree(folder, {
      "tmp/1700000099.M1.host": MESSAGE,
      "dovecot-uidlist": utf8("3 V1"),
      ".Sent/tmp/x": MESSAGE,
    });
    const items = await readAll(folder);
    assertEquals(items.length, real.length);
    const found = new Map(items.map((item) => [item.source.slice(folder.length + 1), item]));
    real.forEach(({ raw, name }, i) => assertEquals(rawOf(found.get(paths[i] ?? "")), raw, name));
    const hints = new Set(items.map((item) => item.kind === "message" ? item.channelHint : "problem"));
    assertEquals(hints, new Set([undefined, "Sent", "Work/Entwürfe"]));
  }));

mailData.test("readMailbox() gives every real message back from an mbox file", () =>
  withFolder(async (folder) => {
    const real = realMessages();
    const path = join(folder, "Archive.mbox");
    await Deno.writeFile(path, writeMbox(real.map(({ raw }) => raw), { quoting: "mboxrd", eol: "\n" }));
    const items = await readAll(path);
    assertEquals(items.length, real.length);
    items.forEach((item, i) => {
      assertEquals(item.source, `${path}#${i + 1}`);
      assertEquals(item.kind === "message" ? item.channelHint : undefined, "Archive");
      assertEquals(rawOf(item), finished(real[i]?.raw ?? MESSAGE), real[i]?.name);
    });
  }));

Deno.test("readMailbox() reads flags, and cur and new alone, when it walks a Maildir", () =>
  withFolder(async (folder) => {
    const names = ["a:2,", "b:2,SRFTPD", "c;2,S", "d!2,FS", "e:1,S", "f:2,aSbz", "g:2,SS"];
    await writeTree(folder, Object.fromEntries(names.map((name) => [`cur/${name}`, MESSAGE])));
    await writeTree(folder, { "new/h": MESSAGE, "tmp/i": MESSAGE, "cur/.nfs1": MESSAGE });
    const flags = (await readAll(folder)).map((item) =>
      item.kind === "message" ? item.flags?.join(" ") : item.error.code
    );
    const all = "draft flagged passed replied seen trashed";
    assertEquals(flags, ["", all, "seen", "flagged seen", "", "seen", "seen", ""]);
  }));

Deno.test("readMailbox() walks folders to the bottom in a fixed order and reports what is no message", () =>
  withFolder(async (folder) => {
    const mbox = writeMbox([MESSAGE, MESSAGE], { quoting: "mboxrd", eol: "\n" });
    await writeTree(folder, {
      "b.eml": MESSAGE,
      "a.EML": MESSAGE,
      "Work/c.eml": MESSAGE,
      "Work/deep/d.eml": MESSAGE,
      "Inbox": mbox,
      "Inbox.msf": utf8("index"),
      "Inbox.sbd/Kids": mbox,
      "Export.mbox/mbox": mbox,
      "notes.txt": utf8("not mail"),
      "empty.eml": utf8(""),
      ".DS_Store": utf8("x"),
      ".git/e.eml": MESSAGE,
      "Box/cur/1:2,S": MESSAGE,
      "Box/.Sub/new/2": MESSAGE,
    });
    await Deno.symlink(join(folder, "b.eml"), join(folder, "link.eml"));
    await Deno.symlink("..", join(folder, "Work", "round"));
    assertEquals(outline(await readAll(folder), folder), [
      "Box/cur/1:2,S (Box)",
      "Box/.Sub/new/2 (Box/Sub)",
      "Export.mbox/mbox#1 (Export)",
      "Export.mbox/mbox#2 (Export)",
      "Inbox#1 (Inbox)",
      "Inbox#2 (Inbox)",
      "Inbox.sbd/Kids#1 (Inbox/Kids)",
      "Inbox.sbd/Kids#2 (Inbox/Kids)",
      "Work/c.eml (Work)",
      "Work/deep/d.eml (Work/deep)",
      "Work/round !unsupported",
      "a.EML ()",
      "b.eml ()",
      "empty.eml !malformed",
      "link.eml !unsupported",
      "notes.txt !unsupported",
    ]);
  }));

Deno.test("readMailbox() says too_large for one message and goes on with the others, in each kind of mailbox", () =>
  withFolder(async (folder) => {
    const large = new Uint8Array(LIMITS.maxMessageBytes + 1).fill(120);
    const largest = large.slice(1);
    largest[largest.length - 1] = 10;
    await writeTree(folder, {
      "files/a.eml": large,
      "files/b.eml": MESSAGE,
      "maildir/cur/1": large,
      "maildir/new/2": MESSAGE,
      "mbox": writeMbox([MESSAGE, large, largest, MESSAGE], { quoting: "none", eol: "\n" }),
    });
    assertEquals(outline(await readAll(folder), folder), [
      "files/a.eml !too_large",
      "files/b.eml (files)",
      "maildir/cur/1 !too_large",
      "maildir/new/2 (maildir)",
      "mbox#1 ()",
      "mbox#2 !too_large",
      "mbox#3 ()",
      "mbox#4 ()",
    ]);
  }));

Deno.test("readMailbox() takes a file for one message or for an mbox by its name and first line", () =>
  withFolder(async (folder) => {
    const withFrom = utf8(
      "From a@b Thu Nov 13 10:22:33 2023\nSubject: x\n\nFrom c@d Thu Nov 13 10:22:33 2023\nSubject: y\n",
    );
    await writeTree(folder, {
      "one.eml": withFrom,
      "two": withFrom,
      "plain": MESSAGE,
      "blank": utf8("\r\n\nFrom x\n\ny\n"),
    });
    assertEquals((await readAll(join(folder, "one.eml"))).map(rawOf), [withFrom]);
    assertEquals((await readAll(join(folder, "two"))).map(rawOf), [utf8("Subject: x\n"), utf8("Subject: y\n")]);
    assertEquals((await readAll(join(folder, "plain"))).map(rawOf), [MESSAGE]);
    assertEquals((await readAll(join(folder, "blank"))).map(rawOf), [utf8("\ny\n")]);
  }));

Deno.test("readMailbox() undoes the quoting that it is told of", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mbox");
    await Deno.writeFile(path, utf8("From a@b Thu Nov 13 10:22:33 2023\n>From x\n>>From y\n\n"));
    const read = async (options?: MailboxOptions) =>
      (await readAll(path, options)).map((item) => new TextDecoder().decode(rawOf(item)));
    assertEquals(await read(), ["From x\n>From y\n"]);
    assertEquals(await read({ mboxQuoting: "mboxo" }), ["From x\n>>From y\n"]);
    assertEquals(await read({ mboxQuoting: "none" }), [">From x\n>>From y\n"]);
  }));

Deno.test("readMailbox() never waits for a pipe and throws typed errors when the path itself cannot be read", () =>
  withFolder(async (folder) => {
    await assertRejects(() => readAll(join(folder, "missing")), "not_found");
    assertEquals((await run("mkfifo", join(folder, "pipe"))).code, 0);
    assertEquals(outline(await readAll(join(folder, "pipe")), folder), ["pipe !unsupported"]);
    assertEquals(await readAll(folder), []);
    await Deno.mkdir(join(folder, "cur"));
    await run("mkfifo", join(folder, "cur", "pipe"));
    assertEquals(outline(await readAll(folder), folder), ["cur/pipe !unsupported"]);
  }));

Deno.test("readMailbox() stops at folders nested beyond its depth and says where", () =>
  withFolder(async (folder) => {
    const depth = 65;
    const deepest = Array.from({ length: depth }, () => "d").join("/");
    await writeTree(folder, { [`${deepest}/lost.eml`]: MESSAGE, [`${deepest.slice(2)}/found.eml`]: MESSAGE });
    const hint = deepest.slice(2);
    assertEquals(outline(await readAll(folder), folder), [`${deepest} !unsupported`, `${hint}/found.eml (${hint})`]);
  }));
