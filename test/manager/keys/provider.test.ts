import { KekRegistry } from "../../../manager/keys/provider.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../assert.ts";
import { cheapPassphraseKek } from "./keks.ts";

Deno.test("KekRegistry opens the provider of a kind when it is asked for, and no other", async () => {
  const opened: string[] = [];
  const kek = cheapPassphraseKek("x");
  const registry = new KekRegistry()
    .register("passphrase", () => Promise.resolve(kek).finally(() => opened.push("passphrase")))
    .register("key-file", () => Promise.resolve(kek).finally(() => opened.push("key-file")));
  assertEquals(registry.kinds, ["key-file", "passphrase"]);
  assertEquals(await registry.open("passphrase"), kek);
  assertEquals(opened, ["passphrase"]);
  await assertRejects(() => registry.open("key-file"), "usage");
});

Deno.test("KekRegistry says what is needed and what there is when a kind is not configured", async () => {
  const empty = await assertRejects(() => new KekRegistry().open("pkcs11"), "configuration");
  assert(empty.message.includes("'pkcs11'; none is configured"), empty.message);
  const registry = new KekRegistry().register("passphrase", () => Promise.resolve(cheapPassphraseKek("x")));
  const error = await assertRejects(() => registry.open("constructor"), "configuration");
  assert(error.message.includes("configured: passphrase"), error.message);
  assertThrows(() => registry.register("passphrase", () => Promise.resolve(cheapPassphraseKek("x"))), "usage");
});
