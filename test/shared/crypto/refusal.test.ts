import { orFailed, orMalformed } from "../../../shared/crypto/refusal.ts";
import { assertEquals, assertRejects, assertRejectsWith } from "../../assert.ts";

const refusals = ["DataError", "OperationError", "NotSupportedError"].map((name) => new DOMException("no", name));
const bug = Object.assign(new TypeError("no function"), { name: "OperationError" });

Deno.test("orMalformed() gives the key, malformed for every DOMException, and a bug as it is", async () => {
  assertEquals(await orMalformed(Promise.resolve("key"), "a key"), "key");
  for (const refusal of refusals) {
    const { cause } = await assertRejects(() => orMalformed(Promise.reject(refusal), "a key"), "malformed");
    assertEquals(cause, refusal);
  }
  await assertRejectsWith(() => orMalformed(Promise.reject(bug), "a key"), bug);
});

Deno.test("orFailed() gives the result, the code for an OperationError, and everything else as it is", async () => {
  assertEquals(await orFailed(Promise.resolve("bytes"), "tampered", "no"), "bytes");
  const [wrong, failed, missing] = refusals;
  for (const code of ["tampered", "unsupported"] as const) {
    const { cause } = await assertRejects(() => orFailed(Promise.reject(failed), code, "no"), code);
    assertEquals(cause, failed);
    for (const other of [wrong, missing, bug]) {
      await assertRejectsWith(() => orFailed(Promise.reject(other), code, "no"), other);
    }
  }
});
