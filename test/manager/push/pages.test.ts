import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { PosternError } from "../../../shared/errors.ts";
import { oneAhead, oneByOne } from "../../../manager/push/pages.ts";

Deno.test("oneAhead() gives the same pages, and has asked for the next one while one is in use", async () => {
  let asked = 0;
  async function* pages(): AsyncGenerator<number> {
    for (const page of [1, 2, 3]) {
      asked = page;
      await Promise.resolve();
      yield page;
    }
  }
  const seen: [page: number, asked: number][] = [];
  for await (const page of oneAhead(pages())) seen.push([page, asked]);
  assertEquals(seen, [[1, 2], [2, 3], [3, 3]]);
});

Deno.test("oneAhead() fails when the turn of the page that failed has come", async () => {
  async function* pages(): AsyncGenerator<number> {
    yield await Promise.resolve(1);
    throw new PosternError("withheld", "no more");
  }
  const seen: number[] = [];
  await assertRejects(async () => {
    for await (const page of oneAhead(pages())) seen.push(page);
  }, "withheld");
  assertEquals(seen, [1]);
});

Deno.test("oneAhead() leaves nothing on its way when it is left", async () => {
  let isUnderWay = false;
  async function* pages(): AsyncGenerator<number> {
    for (let page = 0;; page++) {
      isUnderWay = true;
      await new Promise((resume) => setTimeout(resume, 5));
      isUnderWay = false;
      if (page === 1) throw new PosternError("withheld", "no more");
      yield page;
    }
  }
  for await (const page of oneAhead(pages())) {
    assertEquals(page, 0);
    assert(isUnderWay);
    break;
  }
  assert(!isUnderWay);
});

Deno.test("oneByOne() gives the items of all pages", async () => {
  async function* pages(): AsyncGenerator<number[]> {
    yield await Promise.resolve([1, 2]);
    yield [];
    yield [3];
  }
  const seen: number[] = [];
  for await (const item of oneByOne(pages())) seen.push(item);
  assertEquals(seen, [1, 2, 3]);
});
