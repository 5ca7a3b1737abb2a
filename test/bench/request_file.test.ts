import nodeAssert from "node:assert/strict";
import fc from "fast-check";
import { decodeRequests, encodeRequests, rawRequest } from "../../bench/load/request_file.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { assertEquals } from "../assert.ts";

Deno.test("decodeRequests() gives back what encodeRequests() took, whatever the requests", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (requests) => {
    const decoded = decodeRequests(encodeRequests(requests)).map((one) => [...one]);
    assertEquals(decoded, requests.map((one) => [...one]));
  }));
});

Deno.test("decodeRequests() throws when the file is cut off at any byte of a request", () => {
  const file = encodeRequests([utf8("one"), utf8("two")]);
  for (const end of [1, 4, 6, 8, 11, 13]) {
    nodeAssert.throws(() => decodeRequests(file.subarray(0, end)), /cut off/, `at ${end}`);
  }
});

Deno.test("rawRequest() writes HTTP/1.1, with a length when there is a body", () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(text(rawRequest("GET", "/a?b", { x: "y" })), "GET /a?b HTTP/1.1\r\nhost: 127.0.0.1\r\nx: y\r\n\r\n");
  const post = "POST /a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\nhi";
  assertEquals(text(rawRequest("POST", "/a", {}, utf8("hi"))), post);
});
