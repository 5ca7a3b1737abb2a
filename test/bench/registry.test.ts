import { fillRegistry, REVOKED_EACH } from "../../bench/registry/fill.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { Registry } from "../../scripts/publisher/registry/registry.ts";
import { REGISTRY_SECRET_BYTES, RegistrySecret } from "../../scripts/publisher/registry/secret.ts";
import { assertEquals } from "../assert.ts";

Deno.test("fillRegistry() registers as many as it is told, and a registry lists them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const generation = { product: "org.postern.bench", keyId: "fleet", keyVersion: 1, depth: 32 };
    const secret = new RegistrySecret(generation, new Redacted(new Uint8Array(REGISTRY_SECRET_BYTES)), false);
    await (await Registry.open(folder, secret))[Symbol.asyncDispose]();
    await fillRegistry(folder, 20_001, 1_000);
    await using registry = await Registry.open(folder, secret);
    assertEquals(await registry.count(), { all: 20_001, revoked: Math.ceil(20_001 / REVOKED_EACH) });
    let listed = 0;
    for await (const page of registry.all(false)) listed += page.length;
    assertEquals(listed, 20_001);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
