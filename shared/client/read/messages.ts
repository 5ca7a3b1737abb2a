/** Mail and messages: channels, what is in them, and whole messages (shared/spec/rows.md). */
import type { Bytes } from "../../bytes/bytes.ts";
import { PosternError } from "../../errors.ts";
import type { ChannelContent, MessageContent } from "../../protocol/plaintexts.ts";
import { LISTS } from "../../protocol/token.ts";
import type { Found } from "./certificates.ts";
import type { Range } from "../session/calls.ts";
import type { CallOptions } from "../session/http.ts";
import type { ListPage, Lists } from "./lists.ts";
import type { AsOf } from "../verify/view.ts";
import { MessageAssembler, requireConsistent } from "../verify/verify_message.ts";

/** Which messages of a channel: after a position, oldest first; before one, newest first; neither, the newest first. */
export interface MessageRange extends CallOptions {
  readonly after?: number;
  readonly before?: number;
  /** 1 to 1000; 50 if absent. */
  readonly limit?: number;
}

/** A page of a channel. */
export interface MessagePage {
  readonly messages: readonly MessageContent[];
  /** Whether there may be more in this direction; without it, the last message is proven to be the last (spec: READ-09). */
  readonly more: boolean;
  readonly asOf: AsOf;
}

const PAGE_MESSAGES = 50;
/** Parts asked for at once: one fills an answer already (spec: READ-01). */
const PAGE_PARTS = 4;

function messagesOf({ rows }: ListPage): MessageContent[] {
  return rows.flatMap(({ content }) => content.kind === "message" ? [content.message] : []);
}

export class Messages {
  readonly #reader: Lists;

  constructor(reader: Lists) {
    this.#reader = reader;
  }

  /** All channels, in the order in which they came to be. */
  async channels(options: CallOptions = {}): Promise<Found<readonly ChannelContent[]>> {
    const found: ChannelContent[] = [];
    let asOf: AsOf | null = null;
    for await (const page of this.#reader.all(LISTS.channels, 1, options)) {
      for (const { content } of page.rows) if (content.kind === "channel") found.push(content.channel);
      asOf = page.asOf;
    }
    if (asOf === null) throw new PosternError("withheld", "The edge gave no answer about the channels");
    return { found, asOf };
  }

  /**
   * A page of a channel. Their texts are not in it but for short ones; {@link read} fetches and checks the whole.
   *
   * @throws `usage` for both ends of a range at once
   */
  async list(channel: string, range: MessageRange = {}): Promise<MessagePage> {
    const { after, before, limit = PAGE_MESSAGES } = range;
    if (after !== undefined && before !== undefined) {
      throw new PosternError("usage", "Messages are listed after a position or before one, not both");
    }
    const list = LISTS.channel(channel);
    let asked: Range = after === undefined ? { before: before ?? Number.MAX_SAFE_INTEGER } : { from: after + 1 };
    let page = await this.#reader.page(list, asked, limit, range);
    const messages = messagesOf(page);
    // Cover rows took the place of some (spec: ROW-13); a page may consist of nothing else.
    for (let last = page.rows.at(-1); messages.length < limit && page.more && last !== undefined;) {
      asked = "from" in asked ? { from: last.number + 1 } : { before: last.number };
      page = await this.#reader.page(list, asked, Math.max(limit - messages.length, PAGE_MESSAGES), range);
      messages.push(...messagesOf(page));
      last = page.rows.at(-1);
    }
    for (const message of messages) requireConsistent(message);
    return { messages: messages.slice(0, limit), more: page.more || messages.length > limit, asOf: page.asOf };
  }

  /**
   * The bytes of a message, as they came or were sent.
   *
   * @param message as {@link list} gave it
   * @throws `withheld` when parts are missing, `tampered` when the whole is not what the manager hashed
   */
  async read(message: MessageContent, options: CallOptions = {}): Promise<Bytes> {
    const whole = new MessageAssembler(message);
    while (whole.next < message.parts) {
      const page = await this.#reader.page(LISTS.message(message.id), { from: whole.next }, PAGE_PARTS, options);
      if (page.rows.length === 0) break;
      for (const { content } of page.rows) if (content.kind === "part") whole.add(content.part);
    }
    return whole.finish();
  }
}
