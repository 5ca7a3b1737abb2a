import { join } from "node:path";
import { openPkiKek } from "../../../manager/keys/pki.ts";
import { exportPrivateKey } from "../../../manager/keys/export.ts";
import { passphraseOf } from "../../../manager/keys/passphrase.ts";
import { xwingPrivateKeyInfo } from "../../../manager/keys/private_key_info.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../../../manager/keys/wrapped_key.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { generateHpkeSecret, type HpkeSuite } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { exportPkcs8, generateSigningKey } from "../../../shared/crypto/signature.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { withFolder } from "../files/children.ts";
import { CONTEXT, newKey } from "./keks.ts";

const SUITES: readonly HpkeSuite[] = ["rsa-oaep-256", "p256", "p384", "p521", "xwing"];
const unasked = () => Promise.reject(new Error("nobody is to be asked"));

async function pkcs8Of(suite: HpkeSuite): Promise<Bytes> {
  const secret = await generateHpkeSecret(suite);
  return suite === "xwing" ? xwingPrivateKeyInfo(secret) : secret;
}

async function fileOf(folder: string, label: string, bytes: Bytes): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await Deno.writeTextFile(path, writePem(label, bytes), { mode: 0o600 });
  return path;
}

const open = (path: string, passphrase = unasked as () => Promise<Redacted<string>>): Promise<KekProvider> =>
  openPkiKek(path, Deno.uid(), passphrase, webCryptoRandom);

Deno.test("openPkiKek() wraps and unwraps by keys of every kind, and by no other key", () =>
  withFolder(async (folder) => {
    for (const suite of SUITES) {
      const path = await fileOf(folder, "PRIVATE KEY", await pkcs8Of(suite));
      const kek = await open(path);
      assertEquals(kek.describe(), `private key ${path} (${suite})`);
      const key = newKey();
      const wrapped = decodeWrappedKey(encodeWrappedKey(await kek.wrap(key, CONTEXT)));
      assertEquals(reveal(await kek.unwrap(wrapped, CONTEXT)), reveal(key), suite);
      await assertRejects(() => kek.unwrap(wrapped, utf8("another context")), "tampered");
      const other = await open(await fileOf(folder, "PRIVATE KEY", await pkcs8Of(suite === "p256" ? "p384" : "p256")));
      await assertRejects(() => other.unwrap(wrapped, CONTEXT), "wrong_key");
      const again = await kek.wrap(key, CONTEXT);
      assert(
        JSON.stringify(again.parameters.ciphertext) !== JSON.stringify(wrapped.parameters.ciphertext),
        "a fresh secret",
      );
      for (const name of ["ciphertext", "encapsulated"] as const) {
        const changed = new Uint8Array(wrapped.parameters[name] as Bytes);
        if (changed.length === 0) continue;
        changed[1] = (changed[1] ?? 0) ^ 1;
        const record = { ...wrapped, parameters: { ...wrapped.parameters, [name]: changed } };
        await assertRejects(() => kek.unwrap(record, CONTEXT), "tampered");
      }
      const { suite: _, ...less } = wrapped.parameters;
      await assertRejects(() => kek.unwrap({ ...wrapped, parameters: less }, CONTEXT), "unsupported");
      await assertRejects(() => kek.unwrap({ ...wrapped, kind: "key-file" }, CONTEXT), "configuration");
    }
  }));

Deno.test("openPkiKek() asks for the passphrase of an encrypted key, and for no other", () =>
  withFolder(async (folder) => {
    const pkcs8 = new Redacted(await pkcs8Of("p256"));
    const path = join(folder, "encrypted.pem");
    const pem = await exportPrivateKey(pkcs8, passphraseOf("right"), webCryptoRandom);
    await Deno.writeTextFile(path, pem, { mode: 0o600 });
    const kek = await open(path, () => Promise.resolve(passphraseOf("right")));
    const plain = await open(await fileOf(folder, "PRIVATE KEY", reveal(pkcs8)));
    const key = newKey();
    assertEquals(reveal(await plain.unwrap(await kek.wrap(key, CONTEXT), CONTEXT)), reveal(key));
    await assertRejects(() => open(path, () => Promise.resolve(passphraseOf("wrong"))), "wrong_key");
  }));

Deno.test("openPkiKek() refuses files that others may read, keys that only sign, and what is no key", () =>
  withFolder(async (folder) => {
    const path = await fileOf(folder, "PRIVATE KEY", await pkcs8Of("p256"));
    await Deno.chmod(path, 0o640);
    await assertRejects(() => open(path), "configuration");
    const { privateKey } = await generateSigningKey("Ed25519", true);
    const ed25519 = await fileOf(folder, "PRIVATE KEY", await exportPkcs8(privateKey));
    await assertRejects(() => open(ed25519), "unsupported");
    const old = await fileOf(folder, "EC PRIVATE KEY", utf8("x"));
    await assertRejects(() => open(old), "unsupported");
    for (const label of ["PRIVATE KEY", "CERTIFICATE"]) {
      const none = await fileOf(folder, label, utf8("x"));
      await assertRejects(() => open(none), "malformed");
    }
    await assertRejects(() => open(join(folder, "absent")), "not_found");
  }));

needs("openssl").test(
  "openPkiKek() opens keys that OpenSSL made, encrypted or not",
  () =>
    withFolder(async (folder) => {
      const kinds = [["RSA", "rsa_keygen_bits:2048"], ["EC", "ec_paramgen_curve:P-384"]] as const;
      for (const [algorithm, option] of kinds) {
        const path = join(folder, algorithm);
        const args = ["genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", path];
        for (const more of [[], ["-aes-256-cbc", "-pass", "pass:right"]]) {
          const { success } = await new Deno.Command("openssl", { args: [...args, ...more], stderr: "null" }).output();
          assert(success);
          await Deno.chmod(path, 0o600);
          const kek = await open(path, more.length === 0 ? unasked : () => Promise.resolve(passphraseOf("right")));
          const key = newKey();
          assertEquals(reveal(await kek.unwrap(await kek.wrap(key, CONTEXT), CONTEXT)), reveal(key));
        }
      }
    }),
);
