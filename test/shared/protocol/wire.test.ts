import type * as v from "valibot";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { requireOrigin } from "../../../shared/protocol/origin.ts";
import { pathOf, queryOf } from "../../../shared/protocol/paths.ts";
import { decodeAs } from "../../../shared/protocol/shapes.ts";
import { isTableNumber } from "../../../shared/protocol/tables.ts";
import { ANSWERS, REQUESTS } from "../../../shared/protocol/wire.ts";
import { filled } from "./epoch.ts";

Deno.test("bodies of requests refuse unknown keys, bodies of answers ignore them, CONV-05", () => {
  const asked = { submission: filled(10, 1) };
  assertEquals(decodeAs(REQUESTS.inbox, encodeCbor(asked), "body"), asked);
  assertThrows(() => decodeAs(REQUESTS.inbox, encodeCbor({ ...asked, more: 1 }), "body"), "malformed");
  assertThrows(() => decodeAs(REQUESTS.inbox, encodeCbor({}), "body"), "malformed");
  const answered = { generation: 1, epoch: 2, head: null, history: null };
  assertEquals(decodeAs(ANSWERS.head, encodeCbor(answered), "body"), answered);
  assertEquals(decodeAs(ANSWERS.head, encodeCbor({ ...answered, other: [1] }), "body"), answered);
  assertThrows(() => decodeAs(ANSWERS.head, encodeCbor({ generation: 1, epoch: 2 }), "body"), "malformed");
});

Deno.test("byte strings have their exact length, and absent values are null, CONV-04", () => {
  const login = { device: filled(16, 1), ephemeral: filled(32, 2), challenge: filled(64, 3), signature: filled(64, 4) };
  decodeAs(REQUESTS.login, encodeCbor(login), "body");
  const others = [
    { ...login, device: filled(15, 1) },
    { ...login, device: filled(17, 1) },
    { ...login, ephemeral: filled(33, 2) },
    { ...login, challenge: filled(32, 3) },
    { ...login, signature: filled(0, 4) },
    { ...login, signature: filled(1_025, 4) },
    { ...login, device: "0".repeat(16) },
    { ...login, statement: null },
  ];
  for (const other of others) assertThrows(() => decodeAs(REQUESTS.login, encodeCbor(other), "body"), "malformed");
});

Deno.test("what is signed comes in at its longest, and no longer", () => {
  const head = (size: number) => ({ generation: 1, epoch: 1, head: filled(size, 1), history: null });
  const login = { device: filled(16, 1), ephemeral: filled(32, 2), challenge: filled(64, 3), signature: filled(64, 4) };
  const statement = (size: number) => ({ ...login, statement: filled(size, 5) });
  const submission = (size: number) => ({ submission: filled(size, 1) });
  const cases = [
    [ANSWERS.head, head, 65_536 + 1_024 + 16],
    [REQUESTS.login, statement, 65_536 + 65_536 + 1_024],
    [REQUESTS.inbox, submission, 262_144 + 1_024 + 16],
  ] as const;
  for (const [shape, bodyOf, most] of cases) {
    decodeAs<v.GenericSchema>(shape, encodeCbor(bodyOf(most)), "body");
    assertThrows(() => decodeAs<v.GenericSchema>(shape, encodeCbor(bodyOf(most + 1)), "body"), "malformed");
  }
});

Deno.test("isTableNumber() knows the four tables", () => {
  assertEquals([0, 1, 2, 3, 4, 5, 1.5].filter(isTableNumber), [1, 2, 3, 4]);
});

Deno.test("pathOf() and queryOf() spell bytes in lower-case hex and numbers in decimal, CONV-06", () => {
  const owner = filled(32, 0xab);
  assertEquals(pathOf("head", { owner }), `/v1/${"ab".repeat(32)}/head`);
  assertEquals(
    pathOf("pushChunk", { owner, id: filled(16, 0x0c), n: 7 }),
    `/v1/${"ab".repeat(32)}/push/${"0c".repeat(16)}/chunks/7`,
  );
  assertEquals(
    queryOf({ epoch: 3, token: filled(2, 0xf0), from: undefined, limit: 10 }),
    "?epoch=3&token=f0f0&limit=10",
  );
  assertEquals(queryOf({ from: undefined }), "");
  try {
    pathOf("head");
  } catch (error) {
    assert(error instanceof TypeError);
    return;
  }
  throw new Error("a path without its owner was built");
});

Deno.test("requireOrigin() takes one spelling, and plain HTTP to this machine alone", () => {
  const good: [string, string][] = [
    ["https://edge.example", ""],
    ["https://edge.example/postern", "/postern"],
    ["https://edge.example:8443/a/b", "/a/b"],
    ["https://xn--bcher-kva.example", ""],
    ["http://127.0.0.1:8080", ""],
    ["http://localhost/base", "/base"],
    ["http://[::1]:81", ""],
    [`https://edge.example/${"a".repeat(491)}`, `/${"a".repeat(491)}`],
  ];
  for (const [origin, path] of good) assertEquals(requireOrigin(origin), path);
  const bad = [
    "",
    "edge.example",
    "https://edge.example/",
    "https://edge.example/postern/",
    "https://edge.example:443",
    "https://EDGE.example",
    "https://bücher.example",
    "https://user@edge.example",
    "https://user:word@edge.example",
    "https://edge.example?x=1",
    "https://edge.example/a?x=1",
    "https://edge.example#a",
    "https://edge.example/a/../b",
    " https://edge.example",
    "http://edge.example",
    "http://127.0.0.1.example",
    "http://127.1",
    "ftp://edge.example",
    "javascript:alert(1)",
    `https://edge.example/${"a".repeat(492)}`,
  ];
  for (const origin of bad) assertThrows(() => requireOrigin(origin), "malformed");
});
