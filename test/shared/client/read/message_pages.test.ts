/** Pages of a channel in which cover rows stand. */
import { sha256 } from "../../../../shared/crypto/hash.ts";
import type { Range } from "../../../../shared/client/session/calls.ts";
import { type ListPage, Lists } from "../../../../shared/client/read/lists.ts";
import { Messages } from "../../../../shared/client/read/messages.ts";
import type { MessageContent } from "../../../../shared/protocol/plaintexts.ts";
import { assertEquals, assertRejects } from "../../../assert.ts";

const asOf = { generation: 1, epoch: 1, time: 1, nextDue: 1, freshness: "fresh", alarm: null } as const;
const inline = new Uint8Array(3);

function messageAt(position: number): MessageContent {
  const summary = { from: "", to: "", subject: "" };
  const own = { id: new Uint8Array(16), channel: "mail", position, direction: "in", date: null, added: 1 } as const;
  return { ...own, size: inline.length, sha256: sha256(inline), summary, parts: 0, inline };
}

/** A list of so many rows from 1 on, of which those named are messages and the others cover. */
class PaddedList extends Lists {
  readonly asked: [Range, number][] = [];
  readonly #length: number;
  readonly #messages: ReadonlyMap<number, MessageContent>;

  constructor(length: number, messages: readonly MessageContent[]) {
    super(() => 1, "mark");
    this.#length = length;
    this.#messages = new Map(messages.map((message) => [message.position, message]));
  }

  page(_: unknown, range: Range, limit: number): Promise<ListPage> {
    this.asked.push([range, limit]);
    const all = Array.from({ length: this.#length }, (_, index) => index + 1);
    const asked = "from" in range
      ? all.filter((number) => number >= range.from)
      : all.filter((number) => number < range.before).reverse();
    const rows = asked.slice(0, limit).map((number) => {
      const message = this.#messages.get(number);
      const content = message === undefined
        ? { kind: "cover", zeros: 0 } as const
        : { kind: "message", message } as const;
      return { number, content };
    });
    return Promise.resolve({ rows, more: asked.length > limit, asOf });
  }
}

const MOST = Number.MAX_SAFE_INTEGER;
const LENGTH = 128;
const POSITIONS = [1, 2, 3, 60, 61, 64];

const CASES: readonly (readonly [string, Parameters<Messages["list"]>[1], number[], boolean, [Range, number][]])[] = [
  ["the newest", { limit: 2 }, [64, 61], true, [[{ before: MOST }, 2], [{ before: 127 }, 50], [{ before: 77 }, 50]]],
  ["exactly those of the last page", { limit: 3, before: 65 }, [64, 61, 60], true, [[{ before: 65 }, 3], [{
    before: 62,
  }, 50]]],
  ["the oldest", { after: 0, limit: 3 }, [1, 2, 3], true, [[{ from: 1 }, 3]]],
  ["more than there are", { after: 2, limit: 60 }, [3, 60, 61, 64], false, [[{ from: 3 }, 60], [{ from: 63 }, 57], [{
    from: 120,
  }, 56]]],
  ["fewer than the last page has", { before: 5, limit: 2 }, [3, 2], true, [[{ before: 5 }, 2], [{ before: 3 }, 50]]],
  ["all of the last page", { before: 5, limit: 3 }, [3, 2, 1], false, [[{ before: 5 }, 3], [{ before: 2 }, 50]]],
  ["none, behind the last", { after: 64, limit: 10 }, [], false, [[{ from: 65 }, 10], [{ from: 75 }, 50], [{
    from: 125,
  }, 50]]],
];

for (const [what, range, positions, more, asked] of CASES) {
  Deno.test(`list() goes on over cover rows when it is asked for ${what}, ROW-13`, async () => {
    const list = new PaddedList(LENGTH, POSITIONS.map(messageAt));
    const page = await new Messages(list).list("mail", range);
    assertEquals([page.messages.map(({ position }) => position), page.more], [positions, more]);
    assertEquals(list.asked, asked);
  });
}

Deno.test("list() refuses a message behind cover rows that is not the one its hash names, ROW-09", async () => {
  const list = new PaddedList(LENGTH, [{ ...messageAt(60), sha256: new Uint8Array(32) }]);
  await assertRejects(() => new Messages(list).list("mail", { limit: 2 }), "tampered");
});
