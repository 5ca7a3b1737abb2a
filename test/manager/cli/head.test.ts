/** `postern head`: codes of heads, compared with what the manager signed. */
import { headCode, headText, parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";
import { readQr } from "./read_qr.ts";

interface Shown {
  readonly generation: number;
  readonly code: string;
  readonly text: string;
}

Deno.test("head code shows what head compare agrees with, and a head that nobody signed is forked, with advice (HEAD-08, HEAD-11)", async () => {
  await using world = await CliWorld.ready();
  await world.fails(66, ["head", "code"]);
  await world.text("sync");
  const { generation, code, text } = await world.json("head", "code") as unknown as Shown;
  assertEquals(generation, 1);
  await world.text("sync");
  for (const given of [code, code.toLowerCase(), text]) {
    assertEquals(await world.json("head", "compare", given), { result: "agree", generation: 1, newest: 2 });
  }
  await world.fails(65, ["head", "compare", "1234"]);
  const parsed = parseOtherHead(text);
  assert(parsed.kind === "text");
  const other = { ...parsed.head, hash: fromHex("77".repeat(32)) };
  for (const given of [headCode(other), headText(other), headText({ ...other, generation: 9 })]) {
    const err = await world.fails(76, ["head", "compare", given]);
    assert(err.includes("[forked]") && err.includes("  -> "), err);
  }
  await world.fails(2, ["head", "compare", headText({ ...other, owner: other.hash })]);
  const ofAnother = headText({ ...other, incarnation: other.hash.slice(0, 16) });
  assertEquals((await world.json("head", "compare", ofAnother) as { result: string }).result, "another_incarnation");
  assertEquals(await world.json("alarm", "list"), { alarms: [] });
  // The owner's word: every device is told, until it is cleared.
  await world.fails(76, ["head", "compare", "--alarm", headText(other)]);
  const { alarms } = await world.json("alarm", "list") as { alarms: { id: number; code: string }[] };
  assertEquals(alarms.map(({ code }) => code), ["forked"]);
  // What was not meant stays: a fork goes by its own word alone.
  assertEquals(await world.json("alarm", "clear"), { cleared: 0 });
  await world.fails(2, ["alarm", "clear", String(alarms[0]?.id)]);
  await world.fails(2, ["alarm", "clear", "1", "--forks"]);
  assertEquals(await world.json("alarm", "clear", "--forks"), { cleared: 1 });
});

Deno.test("head code --qr draws the text so that it can be read back, in ink or in a terminal's colours", async () => {
  await using world = await CliWorld.ready();
  await world.text("sync");
  const { text } = await world.json("head", "code") as unknown as Shown;
  const drawnBy = async (columns?: number) => {
    const { out } = await world.run(["head", "code", "--qr"], columns === undefined ? {} : { columns });
    return out.replace(/\n$/, "").split("\n").slice(3).join("\n");
  };
  const inked = await drawnBy();
  assertEquals(readQr(inked), text);
  const [first = ""] = inked.split("\n");
  const coloured = await drawnBy(first.length);
  assertEquals(coloured.split("\n").every((line) => line.startsWith("\x1b[30;107m") && line.endsWith("\x1b[0m")), true);
  // deno-lint-ignore no-control-regex
  assertEquals(coloured.replace(/\x1b\[[\d;]*m/g, ""), inked);
  assertEquals((await drawnBy(first.length - 1)).startsWith("(The QR code is "), true);
});
