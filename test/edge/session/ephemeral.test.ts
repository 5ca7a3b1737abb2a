import { EphemeralKey } from "../../../edge/session/ephemeral.ts";
import { webCryptoKeys } from "../../../shared/crypto/native_keys.ts";
import { assert } from "../../assert.ts";

Deno.test("EphemeralKey current() keeps a key for 60 seconds and makes another one then (SESS-07)", async () => {
  const ephemeral = new EphemeralKey(webCryptoKeys);
  const first = await ephemeral.current(1_000);
  assert(await ephemeral.current(60_999) === first);
  const second = await ephemeral.current(61_000);
  assert(second !== first && second.publicKey.join() !== first.publicKey.join());
});

Deno.test("EphemeralKey forget() lets go of the key when its time is over or the clock was set back (SESS-07)", async () => {
  const ephemeral = new EphemeralKey(webCryptoKeys);
  const first = await ephemeral.current(1_000_000);
  ephemeral.forget(1_059_999);
  assert(await ephemeral.current(1_000_000) === first);
  ephemeral.forget(1_060_000);
  const second = await ephemeral.current(1_000_000);
  assert(second !== first);
  ephemeral.forget(999_999);
  assert(await ephemeral.current(1_000_000) !== second);
});
