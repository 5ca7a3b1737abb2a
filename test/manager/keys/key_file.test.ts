import { join } from "node:path";
import { createKeyFile, openCredential, openKeyFile } from "../../../manager/keys/key_file.ts";
import { decodeWrappedKey, encodeWrappedKey } from "../../../manager/keys/wrapped_key.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { withFolder } from "../files/children.ts";
import { CONTEXT, newKey, newKeyFileKek } from "./keks.ts";

const open = (path: string) => openKeyFile(path, Deno.uid(), webCryptoRandom);

async function writePrivate(path: string, content: Uint8Array): Promise<void> {
  await Deno.writeFile(path, content, { mode: 0o600 });
}

Deno.test("createKeyFile() makes a private file once, and openKeyFile() unwraps by it and by no other", () =>
  withFolder(async (folder) => {
    for (const form of ["hex", "raw"] as const) {
      const path = join(folder, form);
      await createKeyFile(path, webCryptoRandom, form);
      const info = await Deno.stat(path);
      assertEquals([info.size, (info.mode ?? 0) & 0o777], [form === "hex" ? 65 : 32, 0o600]);
      await assertRejects(() => createKeyFile(path, webCryptoRandom, form), "conflict");
      const key = newKey();
      const wrapped = decodeWrappedKey(encodeWrappedKey(await (await open(path)).wrap(key, CONTEXT)));
      assertEquals(reveal(await (await open(path)).unwrap(wrapped, CONTEXT)), reveal(key));
      const other = await newKeyFileKek(folder, `other-${form}`);
      const error = await assertRejects(() => other.unwrap(wrapped, CONTEXT), "wrong_key");
      assert(error.message.includes("restore it from a backup"), error.message);
    }
  }));

Deno.test("openKeyFile() takes the same key raw, as a line of hex with either line end, or without", () =>
  withFolder(async (folder) => {
    const secret = webCryptoRandom(32);
    const forms = [secret, utf8(toHex(secret)), utf8(`${toHex(secret)}\n`), utf8(`${toHex(secret)}\r\n`)];
    const key = newKey();
    await writePrivate(join(folder, "key"), secret);
    const wrapped = await (await open(join(folder, "key"))).wrap(key, CONTEXT);
    for (const form of forms) {
      await writePrivate(join(folder, "key"), form);
      assertEquals(reveal(await (await open(join(folder, "key"))).unwrap(wrapped, CONTEXT)), reveal(key));
    }
  }));

Deno.test("openKeyFile() refuses what is no key, without showing it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    const hex = toHex(webCryptoRandom(32));
    const wrong = [
      "",
      hex.slice(1),
      `${hex}0`,
      hex.toUpperCase(),
      `${hex} `,
      ` ${hex.slice(1)}`,
      `${hex.slice(2)}zz`,
      "x".repeat(31),
    ];
    for (const content of wrong) {
      await writePrivate(path, utf8(content));
      const error = await assertRejects(() => open(path), "malformed");
      assert(!error.message.includes(hex.slice(4, 20)) && error.message.includes(path), error.message);
    }
    for (const zeros of [new Uint8Array(32), utf8("0".repeat(64)), new Uint8Array(32).fill(255)]) {
      await writePrivate(path, zeros);
      await assertRejects(() => open(path), "malformed");
    }
    await writePrivate(path, new Uint8Array(67));
    await assertRejects(() => open(path), "too_large");
    await assertRejects(() => open(join(folder, "missing")), "not_found");
    await assertRejects(() => open(folder), "unsupported");
  }));

Deno.test("openKeyFile() refuses a file that others may read, and names the command that mends it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "key");
    await createKeyFile(path, webCryptoRandom);
    for (const mode of [0o640, 0o604, 0o660, 0o700]) {
      await Deno.chmod(path, mode);
      const error = await assertRejects(() => open(path), "configuration");
      assert(error.message.includes(`chmod 0600 ${path}`), error.message);
    }
    for (const mode of [0o600, 0o400]) {
      await Deno.chmod(path, mode);
      assertEquals((await open(path)).kind, "key-file");
    }
  }));

Deno.test("openCredential() takes the file that systemd handed over, whatever its mode, and says what to put into the unit", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "kek"), `${toHex(webCryptoRandom(32))}\n`);
    await Deno.chmod(join(folder, "kek"), 0o644);
    const kek = await openCredential(folder, "kek", webCryptoRandom);
    assertEquals([kek.kind, kek.describe()], ["systemd-credential", "systemd credential kek"]);
    const key = newKey();
    assertEquals(reveal(await kek.unwrap(await kek.wrap(key, CONTEXT), CONTEXT)), reveal(key));
    const missing = await assertRejects(() => openCredential(folder, "other", webCryptoRandom), "configuration");
    assert(missing.message.includes("LoadCredential=other:"), missing.message);
    for (const unset of [undefined, ""]) {
      const error = await assertRejects(() => openCredential(unset, "kek", webCryptoRandom), "configuration");
      assert(error.message.includes("CREDENTIALS_DIRECTORY"), error.message);
    }
    for (const name of ["", ".", "..", "../kek", "a/b", "a\0b"]) {
      await assertRejects(() => openCredential(folder, name, webCryptoRandom), "configuration");
    }
    await Deno.writeTextFile(join(folder, "bad"), "short");
    await assertRejects(() => openCredential(folder, "bad", webCryptoRandom), "malformed");
  }));

Deno.test("openKeyFile() gives nothing but a typed error when any byte of a record is changed", () =>
  withFolder(async (folder) => {
    const kek = await newKeyFileKek(folder, "key");
    const encoded = encodeWrappedKey(await kek.wrap(newKey(), CONTEXT));
    const codes = new Map<string, number>();
    for (let at = 0; at < encoded.length; at++) {
      for (const bit of [1, 16, 128]) {
        const changed = encoded.slice();
        changed[at] = (changed[at] ?? 0) ^ bit;
        try {
          await kek.unwrap(decodeWrappedKey(changed), CONTEXT);
          throw new Error(`the record opened with byte ${at} changed`);
        } catch (error) {
          if (!isPosternError(error)) throw error;
          codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
        }
      }
    }
    const expected = ["configuration", "malformed", "tampered", "unsupported", "wrong_key"];
    assertEquals([...codes.keys()].filter((code) => !expected.includes(code)), []);
    assertEquals([codes.get("wrong_key"), codes.get("tampered")], [3 * 32, 3 * (12 + 48)]);
  }));

Deno.test("openKeyFile() refuses a record with parameters, and one of another kind", () =>
  withFolder(async (folder) => {
    const kek = await newKeyFileKek(folder, "key");
    const wrapped = await kek.wrap(newKey(), CONTEXT);
    await assertRejects(() => kek.unwrap({ ...wrapped, parameters: { rounds: 1 } }, CONTEXT), "unsupported");
    const error = await assertRejects(() => kek.unwrap({ ...wrapped, kind: "passphrase" }, CONTEXT), "configuration");
    assert(error.message.includes("'passphrase'"), error.message);
  }));
