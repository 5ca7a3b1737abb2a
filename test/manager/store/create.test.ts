/** Setting up a data folder: whole or not at all, whenever it is cut off. */
import { join } from "node:path";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { PosternError } from "../../../shared/errors.ts";
import { createKeyFile, KEY_FILE_KIND, openKeyFile } from "../../../manager/keys/key_file.ts";
import { KekRegistry } from "../../../manager/keys/provider.ts";
import { createManager } from "../../../manager/store/create.ts";
import { folderState, readSettings, writeSettings } from "../../../manager/store/folder.ts";
import { openManager } from "../../../manager/store/open.ts";
import { readPolicy, setPolicy } from "../../../manager/store/policy.ts";
import { lockDataFolder } from "../../../manager/files/lock.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";

const EDGE = { origin: "https://edge.test", key: new Uint8Array(32).fill(7) };
const NOW = Date.UTC(2030, 0, 1);

class Place implements AsyncDisposable {
  readonly root: string;
  readonly folder: string;
  readonly keyFile: string;
  kept = 0;

  constructor(root: string) {
    this.root = root;
    this.folder = join(root, "manager");
    this.keyFile = join(root, "kek");
  }

  static async make(): Promise<Place> {
    const place = new Place(await Deno.makeTempDir({ prefix: "postern-create-" }));
    await createKeyFile(place.keyFile, webCryptoRandom);
    return place;
  }

  async create(keep: () => Promise<void> = () => Promise.resolve()) {
    return await createManager(
      {
        folder: this.folder,
        kek: () => openKeyFile(this.keyFile, Deno.uid(), webCryptoRandom),
        kekPlace: { keyFile: this.keyFile },
        owner: { edge: EDGE, intervalMillis: 300_000 },
        holder: { pid: Deno.pid, sinceMillis: NOW },
        keepRecoveryKey: async () => {
          this.kept++;
          await keep();
        },
      },
      NOW,
      webCryptoRandom,
    );
  }

  async open() {
    const kek = () => openKeyFile(this.keyFile, Deno.uid(), webCryptoRandom);
    const registry = new KekRegistry().register(KEY_FILE_KIND, kek);
    return await openManager({ folder: this.folder, kek: () => Promise.resolve(registry) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("createManager() starts over what was cut off, and only that", async () => {
  await using place = await Place.make();
  const cut = () => Promise.reject(new PosternError("storage", "the printer is out of paper"));
  await assertRejects(() => place.create(cut), "storage");
  assertEquals(await folderState(place.folder), "unfinished");
  await assertRejects(() => place.open(), "configuration");
  const made = await place.create();
  assertEquals([made.hasRestarted, place.kept], [true, 2]);
  assertEquals(await folderState(place.folder), "ready");
  await assertRejects(() => place.create(), "conflict");
  assertEquals(place.kept, 2);
});

Deno.test("createManager() starts over whatever files an interrupted one left", async () => {
  for (
    const left of [[], ["database.key"], ["database.key", "manager.db"], [
      "database.key",
      "manager.db",
      "manager.db-wal",
      "manager.db-shm",
    ]]
  ) {
    await using place = await Place.make();
    await Deno.mkdir(place.folder, { mode: 0o700 });
    await writeSettings(place.folder, { isComplete: false, kek: {} });
    for (const name of left) await Deno.writeFile(join(place.folder, name), webCryptoRandom(512));
    assert((await place.create()).hasRestarted);
    await (await place.open()).close();
  }
});

Deno.test("createManager() lets one of two that begin together through", async () => {
  await using place = await Place.make();
  const results = await Promise.allSettled([place.create(), place.create()]);
  const lost = results.flatMap((result) => result.status === "rejected" ? [result.reason as PosternError] : []);
  assertEquals(lost.length, 1);
  assert(lost[0]?.code === "storage" || lost[0]?.code === "conflict");
  await (await place.open()).close();
});

Deno.test("createManager() does not touch a folder that another process has locked, or that holds other files", async () => {
  await using place = await Place.make();
  await Deno.mkdir(place.folder, { mode: 0o700 });
  {
    await using _lock = await lockDataFolder(place.folder, { pid: 1, sinceMillis: 0 });
    await assertRejects(() => place.create(), "storage");
  }
  await Deno.writeTextFile(join(place.folder, "letter"), "mine");
  await assertRejects(() => place.create(), "conflict");
  assertEquals(await folderState(place.folder), "foreign");
});

Deno.test("openManager() can be open in several processes' stead at once, each seeing what the other wrote", async () => {
  await using place = await Place.make();
  await place.create();
  const [one, two] = [await place.open(), await place.open()];
  const policy = { fullUpToRows: 9, maxEpochMillis: 3_600_000, review: "all", coverRows: 3 } as const;
  await one.execute(setPolicy(policy));
  assertEquals(await readPolicy(two), policy);
  await Promise.all([one.close(), two.close()]);
});

Deno.test("readSettings() gives back what writeSettings() wrote", async () => {
  await using place = await Place.make();
  await Deno.mkdir(place.folder);
  for (const kek of [{}, { keyFile: "/a b/c" }, { credential: "postern-kek" }, { keyFile: "/a", credential: "b" }]) {
    await writeSettings(place.folder, { isComplete: true, kek });
    assertEquals(await readSettings(place.folder), { isComplete: true, kek });
  }
});
