/** How many rows a copy asks for one by one. */
import { fetchNamed, type NamedRow } from "../../../shared/client/copy_lists.ts";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

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
