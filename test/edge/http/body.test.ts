import { readBody } from "../../../edge/http/body.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

function request(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("https://edge.test/", { method: "POST", body, headers });
}

function streamOf(chunks: readonly number[], onPull: () => void = () => {}): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      onPull();
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new Uint8Array(next).fill(next));
    },
  }, { highWaterMark: 0 });
}

Deno.test("readBody() gives the whole body when it stays within the limit (CONV-08)", async () => {
  assertEquals(await readBody(new Request("https://edge.test/"), 10), new Uint8Array(0));
  assertEquals(await readBody(request(new Uint8Array(0)), 10), new Uint8Array(0));
  for (const chunks of [[10], [4, 6], [1, 0, 9], [], [0]]) {
    const body = await readBody(request(streamOf(chunks)), 10);
    assertEquals([...body], chunks.flatMap((n) => Array<number>(n).fill(n)));
  }
});

Deno.test("readBody() stops at the limit and takes no more of the stream (CONV-08)", async () => {
  for (const chunks of [[11], [10, 1], [1, 1, 9]]) {
    await assertRejects(() => readBody(request(streamOf(chunks)), 10), "too_large");
  }
  let pulls = 0;
  await assertRejects(() => readBody(request(streamOf(Array<number>(100).fill(6), () => pulls++)), 10), "too_large");
  assert(pulls <= 3, `${pulls} pulls`);
});

Deno.test("readBody() reads nothing when the declared length is over the limit (CONV-08)", async () => {
  let pulls = 0;
  const body = streamOf([1], () => pulls++);
  await assertRejects(() => readBody(request(body, { "content-length": "11" }), 10), "too_large");
  assertEquals(pulls, 0);
});

Deno.test("readBody() refuses a body that breaks off (CONV-08)", async () => {
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(3));
      controller.error(new Error("gone"));
    },
  });
  await assertRejects(() => readBody(request(broken), 10), "malformed");
});
