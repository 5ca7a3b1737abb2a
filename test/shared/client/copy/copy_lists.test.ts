/** How many rows a copy asks for one by one. */
import { fetchNamed, type NamedRow } from "../../../../shared/client/copy/copy_lists.ts";
import { PosternError } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../../assert.ts";

/** Rows that each stand alone in their list. */
function alone(count: number): NamedRow[] {
  return Array.from({ length: count }, (_, index) => {
    const token = new Uint8Array(32);
    new DataView(token.buffer).setUint32(0, index);
    return { name: "messages", table: 3, token, number: 1, isThere: true };
  });
}

Deno.test("fetchNamed() leaves it to a full fetch to fetch what lies in too many places, COPY-01", async () => {
  let asked = 0;
  const link = {
    verifier: { profile: {} },
    read: () => {
      asked += 1;
      return Promise.reject(new PosternError("network", "There is nobody"));
    },
  } as unknown as Parameters<typeof fetchNamed>[0];
  const view = {} as Parameters<typeof fetchNamed>[1];
  assertEquals(await fetchNamed(link, view, alone(LIMITS.maxCopyRuns + 1), {}), null);
  assertEquals(asked, 0);
  await assertRejects(() => fetchNamed(link, view, alone(LIMITS.maxCopyRuns), {}), "network");
  const gone = alone(3).map((row) => ({ ...row, isThere: false }));
  assertEquals((await fetchNamed(link, view, gone, {}))?.remove.length, 3);
});

Deno.test("fetchNamed() asks once for rows that follow each other in one list, COPY-01", async () => {
  const asked: string[] = [];
  const view = { keys: { epoch: 1 } } as unknown as Parameters<typeof fetchNamed>[1];
  const link = {
    verifier: { profile: { owner: new Uint8Array(32) } },
    read: (make: (view: unknown) => { query: string }) => {
      const query = new URLSearchParams(make(view).query);
      asked.push(["token", "from", "limit"].map((name) => query.get(name)?.slice(-2)).join(" "));
      return Promise.reject(new PosternError("network", "There is nobody"));
    },
  } as unknown as Parameters<typeof fetchNamed>[0];
  const row = (list: number, number: number): NamedRow => {
    return { name: "messages", table: 3, token: new Uint8Array(32).fill(list), number, isThere: true };
  };
  const rows = [row(2, 3), row(1, 4), row(1, 2), row(1, 1), row(2, 5), row(1, 7)];
  await assertRejects(() => fetchNamed(link, view, rows, {}), "network");
  assertEquals(asked, ["01 1 2", "01 4 1", "01 7 1", "02 3 1", "02 5 1"]);
});
