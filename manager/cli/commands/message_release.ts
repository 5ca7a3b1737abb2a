/** `postern message release`: the owner's word that held messages are to be sent. */
import { PosternError } from "../../../shared/errors.ts";
import { releaseAllOutgoing, releaseOutgoing } from "../../messages/outgoing.ts";
import { findMessageByPrefix } from "../../messages/find_prefix.ts";
import { count } from "../../text/layout.ts";
import { type Cli, withManager } from "../cli.ts";
import { idPrefix } from "../ids.ts";
import type { Output } from "../output.ts";

const ID_BYTES = 16;

export const RELEASE_HELP = `
After a restore, messages that may already have been sent are held (postern message list --outgoing). Release those that were not.

Examples:
  $ postern message release 3f2a91
  $ postern message release --all`;

export async function release(cli: Cli, ids: readonly string[], options: { readonly all?: boolean }): Promise<Output> {
  if (options.all === true === ids.length > 0) {
    throw new PosternError("usage", "Name the messages to be sent by their ids, or all of them with --all");
  }
  const prefixes = ids.map((id) => idPrefix(id, "A message", ID_BYTES));
  return await withManager(cli, async (db) => {
    if (options.all === true) return released(await releaseAllOutgoing(db));
    // All are looked up first: with a slip in one of them, nothing is sent.
    const lines = await Promise.all(prefixes.map((prefix) => findMessageByPrefix(db, prefix)));
    const results = await db.batch(lines.map(({ id }) => releaseOutgoing(id)));
    const messages = results.reduce((sum, { changes }) => sum + changes, 0);
    if (messages === 0) {
      throw new PosternError("conflict", "None of these is held; see: postern message list --outgoing");
    }
    return released(messages);
  });
}

function released(messages: number): Output {
  return { json: { released: messages }, text: `${count(messages, "message")} released, to be sent` };
}
