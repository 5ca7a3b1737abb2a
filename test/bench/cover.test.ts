import { parseCoverArgs } from "../../bench/cover/args.ts";
import { measureCover } from "../../bench/cover/measure.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("parseCoverArgs() takes powers of two as numbers and as 2^n", () => {
  const none = { depth: 32, revoked: 100, json: false, help: false };
  assertEquals(parseCoverArgs([]), none);
  assertEquals(parseCoverArgs(["--leaves", "4294967296", "--revoked", "0", "--json"]), {
    ...{ ...none, revoked: 0, json: true },
  });
  assertEquals(parseCoverArgs(["--leaves=2^20", "--revoked=65536"]), { ...none, depth: 20, revoked: 65_536 });
  assertEquals(parseCoverArgs(["--leaves", "2", "--revoked", "1", "--help"]), {
    ...{ ...none, depth: 1, revoked: 1, help: true },
  });
});

Deno.test("parseCoverArgs() says what is wrong with anything else", () => {
  const wrong = [
    ["--leaves"],
    ["--leaves", "1000"],
    ["--leaves", "1", "--revoked", "0"],
    ["--leaves", "2^33"],
    ["--leaves", "8589934592"],
    ["--leaves", "1e6"],
    ["--revoked"],
    ["--revoked", "-1"],
    ["--revoked", "65537"],
    ["--revoked", "1.5"],
    ["--leaves", "64", "--revoked", "64"],
    ["--jsn"],
  ];
  for (const args of wrong) assert(typeof parseCoverArgs(args) === "string", args.join(" "));
});

Deno.test("measureCover() really opens as an instance, and is refused as every revoked one", async () => {
  const figures = await measureCover(7, 5);
  assertEquals([figures.leaves, figures.revoked, figures.entries], [128, 5, 64]);
  assertEquals([figures.opened, figures.revokedRefused], [true, 5]);
  assert(figures.openMs > 0 && figures.encryptMs > 0 && figures.subsets <= 9);
});
