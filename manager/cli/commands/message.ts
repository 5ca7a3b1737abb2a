/** `postern message`: mail in, mail to be sent, and what there is. */
import { resolve } from "node:path";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { MANAGER_DEVICE } from "../../../shared/protocol/login.ts";
import { createExclusive } from "../../files/durable.ts";
import { readBounded } from "../../files/read_bounded.ts";
import { whyNoMail } from "../../mail/looks_like_mail.ts";
import { readMailbox } from "../../mail/mailbox.ts";
import { prepareMessage } from "../../messages/add.ts";
import { listChannels } from "../../messages/channels.ts";
import { findMessageByPrefix } from "../../messages/find_prefix.ts";
import { importMail } from "../../messages/import.ts";
import { listOutgoing, queueOutgoing } from "../../messages/outgoing.ts";
import { listMessages, readMessage } from "../../messages/read.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { idPrefix } from "../ids.ts";
import type { Output } from "../output.ts";
import { release, RELEASE_HELP } from "./message_release.ts";
import { wholeNumber } from "../read_text.ts";
import {
  presentChannels,
  presentMailImport,
  presentMessage,
  presentMessages,
  presentOutgoing,
} from "../texts/messages.ts";

interface ListOptions {
  readonly channel?: string;
  readonly outgoing?: boolean;
  readonly channels?: boolean;
  readonly limit: string;
}

const ID_BYTES = 16;
const INBOX = "inbox";

const IMPORT_HELP = `
Folders become channels of the same name; an inbox and single files go into '${INBOX}'. The same message is not taken twice, so you can
repeat an import. The mailbox itself is only read.

Examples:
  $ postern message import ~/Maildir
  $ postern message import archive.mbox --channel archive
  $ postern message import letter.eml`;

export const registerMessage: Register = (parent, bind: Bind) => {
  const group = parent.command("message").summary("messages: import, send, release, list, show").description(
    "Mail and other messages, in channels.",
  );
  group.command("import <paths...>").summary("import .eml, mbox, Maildir or folders of these").description(
    "Imports messages from .eml files, mbox files, Maildirs and folders of these.",
  )
    .option("--channel <name>", "put all of them into this channel")
    .option("--mboxo", "the mbox files use the oldest quoting, which does not quote '>From ' again")
    .addHelpText("after", IMPORT_HELP).action(bind(importAll));
  group.command("send <file>").summary("queue a message to be sent").description(
    "Queues a message to be sent; - reads it from standard input.",
  )
    .option("--channel <name>", "the channel that it stands in", "sent")
    .addHelpText("after", "\nExample:\n  $ postern message send letter.eml && postern message list --outgoing").action(
      bind(send),
    );
  group.command("list").summary("list messages, channels or the queue").description("Lists the newest messages.")
    .option("--channel <name>", "only of this channel").option("--channels", "the channels instead")
    .option("--outgoing", "the queue of messages to be sent instead").option("--limit <n>", "at most so many", "50")
    .addHelpText(
      "after",
      "\nExamples:\n  $ postern message list --channel inbox\n  $ postern message list --outgoing --json",
    ).action(bind(list));
  group.command("release [ids...]").summary("let held messages be sent").description(
    "Lets held messages be sent, named by the first digits of their ids.",
  )
    .option("--all", "all that are held").addHelpText("after", RELEASE_HELP).action(bind(release));
  group.command("show <id>").summary("show one message, or take its bytes out").description(
    "Shows a message, named by the first digits of its id.",
  )
    .option("--out <file>", "write its bytes, as they came, into this new file").option(
      "--raw",
      "print its bytes as text instead",
    )
    .addHelpText("after", "\nExample:\n  $ postern message show 3f2a91 --out letter.eml").action(bind(show));
};

async function importAll(
  cli: Cli,
  paths: readonly string[],
  flags: { readonly channel?: string; readonly mboxo?: boolean },
): Promise<Output> {
  const { s } = cli;
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Importing");
    try {
      const channel = flags.channel === undefined ? {} : { channel: flags.channel };
      const onProgress = (done: number) => progress.update(done, 0);
      const options = { ...channel, defaultChannel: INBOX, onProgress, stop: s.stop };
      const items = allItems(paths.map((path) => resolve(s.cwd, path)), flags.mboxo === true);
      return presentMailImport(await importMail(db, items, options, s.now, s.random));
    } finally {
      progress.end();
    }
  });
}

async function* allItems(paths: readonly string[], isMboxo: boolean) {
  for (const path of paths) yield* readMailbox(path, isMboxo ? { mboxQuoting: "mboxo" } : {});
}

async function send(cli: Cli, [file = ""]: readonly string[], options: { channel: string }): Promise<Output> {
  const { s } = cli;
  const path = file === "-" ? null : resolve(s.cwd, file);
  const raw = path === null
    ? await s.readInput(LIMITS.maxMessageBytes)
    : await readBounded(path, LIMITS.maxMessageBytes);
  if (raw.length === 0) throw new PosternError("usage", "There is no message: the input is empty");
  const reason = whyNoMail(raw);
  if (reason !== null) throw new PosternError("malformed", `${path ?? "the input"} is no message: ${reason}`);
  return await withManager(cli, async (db) => {
    const id = s.random(ID_BYTES);
    const now = s.now();
    const { statements } = await prepareMessage(db, { channel: options.channel, direction: "out", raw }, id, now);
    await db.batch([...statements, queueOutgoing(id, MANAGER_DEVICE, "queued", now)]);
    return {
      json: { id: toHex(id), state: "queued" },
      text: `Queued as ${toHex(id)}; see: postern message list --outgoing`,
    };
  });
}

async function list(cli: Cli, _args: readonly string[], options: ListOptions): Promise<Output> {
  const limit = wholeNumber(options.limit, "--limit", { min: 1, max: LIMITS.maxListed });
  return await withManager(cli, async (db) => {
    if (options.outgoing === true) return presentOutgoing(await listOutgoing(db, limit));
    if (options.channels === true) return presentChannels(await listChannels(db));
    const channel = options.channel === undefined ? {} : { channel: options.channel };
    return presentMessages(await listMessages(db, { ...channel, limit }), limit);
  });
}

async function show(
  cli: Cli,
  [id = ""]: readonly string[],
  flags: { readonly out?: string; readonly raw?: boolean },
): Promise<Output> {
  const prefix = idPrefix(id, "A message", ID_BYTES);
  return await withManager(cli, async (db) => {
    const line = await findMessageByPrefix(db, prefix);
    const shown = presentMessage(line);
    // Read even when only the summary is shown: that it is whole is part of the answer.
    const raw = await readMessage(db, line);
    if (flags.out !== undefined) await createExclusive(resolve(cli.s.cwd, flags.out), raw);
    return flags.raw === true ? { ...shown, text: new TextDecoder().decode(raw) } : shown;
  });
}
