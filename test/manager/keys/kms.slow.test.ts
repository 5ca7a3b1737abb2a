import { openKmsKek } from "../../../manager/keys/kms.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { FakeKms, KMS_CREDENTIALS, KMS_REGION } from "../../tools/fake_kms.ts";
import { CONTEXT, newKey } from "./keks.ts";

async function withCredentials<T>(secret: string, use: () => Promise<T>): Promise<T> {
  const set = { AWS_ACCESS_KEY_ID: KMS_CREDENTIALS.id, AWS_SECRET_ACCESS_KEY: secret };
  for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
  try {
    return await use();
  } finally {
    for (const name of Object.keys(set)) Deno.env.delete(name);
  }
}

const open = (kms: FakeKms, key: string): Promise<KekProvider> =>
  openKmsKek({ key, region: KMS_REGION, endpoint: kms.endpoint }, webCryptoRandom);

// The SDK's pools and timers outlive its client.
const quiet = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "openKmsKek() wraps and unwraps by a key service that checks signatures and contexts",
  quiet,
  () =>
    withCredentials(KMS_CREDENTIALS.secret, async () => {
      await using kms = new FakeKms();
      const arn = kms.newKey("one");
      const kek = await open(kms, "alias/one");
      assertEquals(kek.describe(), `AWS KMS key alias/one at ${kms.endpoint}`);
      const key = newKey();
      const wrapped = await kek.wrap(key, CONTEXT);
      assertEquals([wrapped.kind, wrapped.parameters.key], ["aws-kms", arn]);
      assertEquals(reveal(await kek.unwrap(wrapped, CONTEXT)), reveal(key));
      assertEquals(kms.served, ["TrentService.Encrypt", "TrentService.Decrypt"]);
      await assertRejects(() => kek.unwrap(wrapped, utf8("another context")), "tampered");
      const changed = new Uint8Array(wrapped.parameters.ciphertext as Uint8Array);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      const ciphertext = { ...wrapped, parameters: { ...wrapped.parameters, ciphertext: changed } };
      await assertRejects(() => kek.unwrap(ciphertext, CONTEXT), "tampered");
      const elsewhere = { ...wrapped, parameters: { ...wrapped.parameters, key: kms.newKey("two") } };
      await assertRejects(() => kek.unwrap(elsewhere, CONTEXT), "wrong_key");
      await assertRejects(() => kek.unwrap({ ...wrapped, parameters: { key: arn } }, CONTEXT), "unsupported");
      await assertRejects(() => kek.unwrap({ ...wrapped, kind: "pki" }, CONTEXT), "configuration");
      const sealed = wrapped.sealed.slice();
      sealed[0] = (sealed[0] ?? 0) ^ 1;
      await assertRejects(() => kek.unwrap({ ...wrapped, sealed }, CONTEXT), "tampered");
      kms.isDisabled = true;
      assert((await assertRejects(() => kek.unwrap(wrapped, CONTEXT), "configuration")).message.includes("disabled"));
    }),
);

Deno.test(
  "openKmsKek() says what the service refused, and tries again what may pass",
  quiet,
  () =>
    withCredentials(KMS_CREDENTIALS.secret, async () => {
      await using kms = new FakeKms();
      kms.newKey("one");
      const kek = await open(kms, "one");
      const expected: readonly (readonly [string, ErrorCode])[] = [
        ...[["AccessDeniedException", "forbidden"], ["KMSInvalidStateException", "configuration"]] as const,
        ...[["ExpiredTokenException", "unauthorized"], ["InvalidKeyUsageException", "unsupported"]] as const,
      ];
      for (const [name, code] of expected) {
        kms.failures.push(name);
        const error = await assertRejects(() => kek.wrap(newKey(), CONTEXT), code);
        assert(error.message.includes(name), error.message);
      }
      kms.failures.push("ThrottlingException", "InternalFailure");
      await kek.wrap(newKey(), CONTEXT);
      kms.failures.push("ThrottlingException", "ThrottlingException", "ThrottlingException");
      await assertRejects(() => kek.wrap(newKey(), CONTEXT), "rate_limited");
      const absent = await open(kms, "absent");
      await assertRejects(() => absent.wrap(newKey(), CONTEXT), "not_found");
    }),
);

Deno.test(
  "openKmsKek() lets no record choose another key than the one that is named",
  quiet,
  () =>
    withCredentials(KMS_CREDENTIALS.secret, async () => {
      await using kms = new FakeKms();
      const [one, two] = [kms.newKey("one"), kms.newKey("two")];
      const key = newKey();
      const byTwo = await (await open(kms, "alias/two")).wrap(key, CONTEXT);
      kms.served.length = 0;
      for (const named of [one, "one"]) {
        await assertRejects(async () => (await open(kms, named)).unwrap(byTwo, CONTEXT), "wrong_key");
      }
      assertEquals(kms.served, []);
      for (const named of [two, "two", "alias/two"]) {
        assertEquals(reveal(await (await open(kms, named)).unwrap(byTwo, CONTEXT)), reveal(key));
      }
    }),
);

Deno.test("openKmsKek() sends no secret over a network that others can listen to", async () => {
  for (const endpoint of ["http://kms.example.org", "http://192.168.1.1:8080", "ftp://127.0.0.1", "kms"]) {
    await assertRejects(() => openKmsKek({ key: "one", endpoint }, webCryptoRandom), "usage");
  }
});

Deno.test("openKmsKek() is refused with another secret access key, and says when nobody answers", quiet, async () => {
  await using kms = new FakeKms();
  kms.newKey("one");
  const kek = await open(kms, "one");
  await withCredentials("not the secret", () => assertRejects(() => kek.wrap(newKey(), CONTEXT), "unauthorized"));
  assertEquals(kms.served, []);
  const nobody = await openKmsKek({ key: "one", region: KMS_REGION, endpoint: "http://127.0.0.1:9" }, webCryptoRandom);
  await withCredentials(KMS_CREDENTIALS.secret, () => assertRejects(() => nobody.wrap(newKey(), CONTEXT), "network"));
});
