/** Paths, queries and bodies: one spelling of everything, and a refusal of anything else (CONV-02, CONV-05, CONV-06). */
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals } from "../../assert.ts";
import { type Ask, codeOf, type RawClient, send } from "./client.ts";
import { Household } from "./household.ts";
import { nobody } from "./target.ts";

export async function inputContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const home = await Household.move(client);
  const session = await home.asDevice();
  const manager = await home.asManager();
  const { epoch, token } = home.box();
  const hex = toHex(token);
  const messages = { table: "messages" };

  await t.step("rows are told in pages, forwards and backwards (READ-01)", async () => {
    const ask = (query: string) => session.ask("rows", { route: "rows", path: messages, query });
    const all = await ask(`?epoch=${epoch}&token=${hex}&from=0`);
    assertEquals([all.rows.length, all.more, all.generation, all.epoch], [3, false, 1, 1]);
    const first = await ask(`?limit=2&from=1&token=${hex}&epoch=${epoch}`);
    assertEquals([first.rows, first.more], [all.rows.slice(0, 2), true]);
    const last = await ask(`?epoch=${epoch}&token=${hex}&before=9007199254740991&limit=1`);
    assertEquals([last.rows, last.more], [all.rows.slice(2), true]);
    const none = await ask(`?epoch=${epoch}&token=${toHex(nobody(32))}&from=0&limit=1000`);
    assertEquals([none.rows, none.more], [[], false]);
  });

  await t.step("tables and changes are told in pages (READ-03)", async () => {
    const table = await session.ask("table", { route: "table", path: messages, query: { epoch, at: 1, limit: 2 } });
    assertEquals([table.rows.length, table.next?.length], [2, 40]);
    const rest = await session.ask("table", {
      ...{ route: "table", path: messages },
      query: { epoch, at: 1, after: table.next ?? undefined },
    });
    assertEquals([...table.rows, ...rest.rows], home.manager.rows(3));
    assertEquals(rest.next, null);
    const changes = await session.ask("changes", {
      route: "changes",
      path: messages,
      query: { epoch, since: 1, at: 1 },
    });
    assertEquals([changes.rows, changes.removed, changes.next], [[], [], null]);
  });

  await t.step("parameters of a query are refused in any other spelling (CONV-06)", async () => {
    const good = `epoch=${epoch}&token=${hex}&from=1`;
    const queries = [
      "",
      "?",
      `?epoch=${epoch}&token=${hex}`,
      `?${good}&before=3`,
      `?${good}&from=1`,
      `?${good}&extra=1`,
      `?${good}&`,
      `?${good}&limit`,
      `?${good}&limit=`,
      `?${good}&limit=0`,
      `?${good}&limit=1001`,
      `?${good}&limit=01`,
      `?${good}&limit=1.0`,
      `?${good}&limit=1e2`,
      `?${good}&limit=-1`,
      `?${good}&limit=%31`,
      `?${good}&LIMIT=1`,
      `?${good}&__proto__=1`,
      `?epoch=0&token=${hex}&from=1`,
      `?epoch=+1&token=${hex}&from=1`,
      `?epoch=${epoch}&token=${hex.toUpperCase()}&from=1`,
      `?epoch=${epoch}&token=${hex.slice(2)}&from=1`,
      `?epoch=${epoch}&token=${hex}00&from=1`,
      `?epoch=${epoch}&token=${hex}&from=9007199254740992`,
      `?epoch=${epoch}&token=${hex}&from=99999999999999999999`,
    ];
    for (const query of queries) {
      assertEquals(await session.refused({ route: "rows", path: messages, query }), "malformed", query);
    }
    for (const query of [`?epoch=${epoch}&at=1&after=${hex}`, `?epoch=${epoch}`, `?epoch=${epoch}&at=0`]) {
      assertEquals(await session.refused({ route: "table", path: messages, query }), "malformed", query);
    }
    assertEquals(await session.refused({ route: "head", query: "?x=1" }), "malformed");
  });

  await t.step("parameters of a path are refused in any other spelling (CONV-06)", async () => {
    const id = toHex(nobody());
    const asks: readonly Ask[] = [
      { route: "rows", path: { table: "Messages" } },
      { route: "rows", path: { table: "3" } },
      { route: "rows", path: { table: "toString" } },
      { route: "rows", path: { table: "m%65ssages" } },
      { route: "inboxPart", path: { hash: "0".repeat(63) } },
      { route: "inboxPart", path: { hash: "A".repeat(64) } },
    ];
    const query = `?epoch=${epoch}&token=${hex}&from=0`;
    for (const ask of asks) {
      const refused = await session.refused(ask.route === "rows" ? { ...ask, query } : ask);
      assertEquals(refused, "malformed", JSON.stringify(ask));
    }
    const body = { rows: [], remove: [] };
    for (const n of ["01", "-1", "1.5", "x", "99999999999999999"]) {
      const ask: Ask = { method: "PUT", route: "pushChunk", path: { id, n }, body };
      assertEquals(await manager.refused(ask), "malformed", n);
    }
    const ask: Ask = {
      method: "PUT",
      route: "pushChunk",
      path: { id: id.toUpperCase().replace(/[0-9]/g, "A"), n: 0 },
      body,
    };
    assertEquals(await manager.refused(ask), "malformed");
    for (
      const owner of [
        "0".repeat(63),
        toHex(home.owner.id).toUpperCase().replace(/[0-9]/g, "A"),
        "me",
        `%61${"a".repeat(63)}`,
      ]
    ) {
      const answer = await send(client.target, `${client.cast.basePath}/v1/${owner}/challenge`);
      assertEquals(codeOf(answer), "malformed", owner);
    }
  });

  await t.step("bodies are refused unless they are exactly what is asked for (CONV-02, CONV-05)", async () => {
    const begin = { id: nobody(), base: 1, epoch: 2, incarnation: home.owner.incarnation, full: true, chunks: 1 };
    const bodies = {
      "an unknown key": encodeCbor({ ...begin, extra: 1 }),
      "a negative number": encodeCbor({ ...begin, base: -1 }),
      "epoch zero": encodeCbor({ ...begin, epoch: 0 }),
      "a number for a flag": encodeCbor({ ...begin, full: 1 }),
      "too many chunks": encodeCbor({ ...begin, chunks: LIMITS.maxPushChunks + 1 }),
      "an array": encodeCbor([begin]),
      "null": encodeCbor(null),
      "no body": new Uint8Array(0),
      "a tag": new Uint8Array([0xc0, ...encodeCbor(begin)]),
      "half a body": encodeCbor(begin).slice(0, 30),
      "a body and more": new Uint8Array([...encodeCbor(begin), ...encodeCbor(begin)]),
    };
    for (const [what, bytes] of Object.entries(bodies)) {
      assertEquals(await manager.refused({ method: "POST", route: "push", bytes }), "malformed", what);
    }
    const nested = new Uint8Array([...Array<number>(17).fill(0x81), 0]);
    assertEquals(await manager.refused({ method: "POST", route: "push", bytes: nested }), "malformed");
    const rows = Array.from({ length: LIMITS.maxChunkRows + 1 }, () => new Uint8Array(1));
    const chunk: Ask = { method: "PUT", route: "pushChunk", path: { id: begin.id, n: 0 }, body: { rows, remove: [] } };
    assertEquals(await manager.refused(chunk), "malformed");
    assertEquals(
      await session.refused({ method: "POST", route: "inbox", body: { submission: nobody(50) } }),
      "malformed",
    );
  });
}
