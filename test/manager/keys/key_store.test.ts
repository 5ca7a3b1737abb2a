import { join } from "node:path";
import { openKeyFile } from "../../../manager/keys/key_file.ts";
import { changeKek, createStoredKey, readStoredKey } from "../../../manager/keys/key_store.ts";
import type { KekProvider } from "../../../manager/keys/provider.ts";
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { type Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";
import { denoArgs, killNow, run, startScript, withFolder } from "../files/children.ts";
import { cheapPassphraseKek, CONTEXT, newKey, newKeyFileKek } from "./keks.ts";

const CHILD = "../keys/change_kek_loop.ts";

async function opensBy(path: string, kek: KekProvider): Promise<Redacted<Bytes>> {
  return await kek.unwrap(await readStoredKey(path), CONTEXT);
}

Deno.test("createStoredKey() makes one key, private and wrapped, and never replaces it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "database.key");
    const kek = cheapPassphraseKek("x");
    const key = await createStoredKey(path, kek, CONTEXT, webCryptoRandom);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assertEquals((await readStoredKey(path)).kind, "passphrase");
    assertEquals(reveal(await opensBy(path, kek)), reveal(key));
    const content = await Deno.readFile(path);
    assert(!content.toHex().includes(reveal(key).toHex()));
    await assertRejects(() => createStoredKey(path, kek, CONTEXT, webCryptoRandom), "conflict");
    assertEquals(await Deno.readFile(path), content);
  }));

Deno.test("readStoredKey() throws typed errors when the file is gone, cut off, or something else", () =>
  withFolder(async (folder) => {
    const path = join(folder, "database.key");
    await assertRejects(() => readStoredKey(path), "not_found");
    await createStoredKey(path, cheapPassphraseKek("x"), CONTEXT, webCryptoRandom);
    const whole = await Deno.readFile(path);
    for (const length of [0, 1, whole.length - 1]) {
      await Deno.writeFile(path, whole.subarray(0, length));
      await assertRejects(() => readStoredKey(path), "malformed");
    }
    await Deno.writeFile(path, new Uint8Array(1_000_000));
    await assertRejects(() => readStoredKey(path), "too_large");
  }));

Deno.test("changeKek() keeps the key, and only the new KEK opens it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "database.key");
    const keks = [
      cheapPassphraseKek("old"),
      await newKeyFileKek(folder, "one"),
      await newKeyFileKek(folder, "two"),
      cheapPassphraseKek("new"),
    ];
    const [first, ...others] = keks;
    assert(first);
    const key = await createStoredKey(path, first, CONTEXT, webCryptoRandom);
    let from = first;
    for (const to of others) {
      await changeKek({ path, context: CONTEXT, from, to });
      assertEquals(reveal(await opensBy(path, to)), reveal(key));
      await assertRejects(() => opensBy(path, from), from.kind === to.kind ? "wrong_key" : "configuration");
      from = to;
    }
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), ["database.key", "one", "two"]);
  }));

Deno.test("changeKek() changes nothing when the old KEK is wrong, or the new one does not give back what it wraps", () =>
  withFolder(async (folder) => {
    const path = join(folder, "database.key");
    const kek = cheapPassphraseKek("right");
    await createStoredKey(path, kek, CONTEXT, webCryptoRandom);
    const before = await Deno.readFile(path);
    const wrong = cheapPassphraseKek("wrong");
    await assertRejects(() => changeKek({ path, context: CONTEXT, from: wrong, to: kek }), "wrong_key");
    const other = await newKeyFileKek(folder, "other");
    const lossy: KekProvider = { ...other, wrap: (_key, context) => other.wrap(newKey(), context) };
    await assertRejects(() => changeKek({ path, context: CONTEXT, from: kek, to: lossy }), "wrong_key");
    assertEquals(await Deno.readFile(path), before);
  }));

interface Scene {
  readonly folder: string;
  /** How many of the two KEKs open the file and give the key. */
  openers(): Promise<number>;
  /** Wraps by the first KEK again, whatever a child that was killed left. */
  restoreOrder(): Promise<void>;
}

/** A file wrapped by the first of two KEKs, which a child changes from one to the other and back. */
async function withTwoKeks(use: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "database.key");
    const keks = [await newKeyFileKek(folder, "one"), await newKeyFileKek(folder, "two")] as const;
    const key = reveal(await createStoredKey(path, keks[0], CONTEXT, webCryptoRandom));
    const openers = async (): Promise<number> => {
      let count = 0;
      for (const kek of keks) {
        try {
          if (equalBytes(reveal(await opensBy(path, kek)), key)) count++;
        } catch (error) {
          if (!isPosternError(error, "wrong_key")) throw error;
        }
      }
      return count;
    };
    const restoreOrder = async (): Promise<void> => {
      const [one, two] = await Promise.all(
        ["one", "two"].map((name) => openKeyFile(join(folder, name), Deno.uid(), webCryptoRandom)),
      );
      assert(one && two);
      const byTwo = await opensBy(path, two).then(() => true, () => false);
      if (byTwo) await changeKek({ path, context: CONTEXT, from: two, to: one });
    };
    await use({ folder, openers, restoreOrder });
  });
}

Deno.test("changeKek() leaves a file that the old or the new KEK opens when its process is killed at any moment", () =>
  withTwoKeks(async ({ folder, openers, restoreOrder }) => {
    for (let round = 0; round < 4; round++) {
      const { child } = await startScript(CHILD, folder);
      await new Promise((resolve) => setTimeout(resolve, 2 + 5 * round));
      await killNow(child);
      assertEquals(await openers(), 1, "exactly one of the two KEKs opens the key");
      await restoreOrder();
    }
  }));

needs("strace").test(
  "changeKek() leaves a file that the old or the new KEK opens when killed at each of its system calls",
  () =>
    withTwoKeks(async ({ folder, openers, restoreOrder }) => {
      for (const step of ["chmod:1", "rename:1", "rename:2", "fsync:1", "fsync:2"]) {
        const [call, when] = step.split(":");
        const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${when}`];
        const result = await run(
          "strace",
          "-f",
          "-qq",
          "-o",
          "/dev/null",
          ...inject,
          Deno.execPath(),
          ...denoArgs(CHILD, folder, "40"),
        );
        assertEquals(result.signal, "SIGKILL", `not killed at ${step}: ${result.out}`);
        assertEquals(await openers(), 1, step);
        await restoreOrder();
      }
    }),
);
