/** Whoever backs up sweeps what backups that were cut off left, and nothing that is still being written. */
import { basename, join } from "node:path";
import { growingBackup, joinWriters } from "../../../manager/backup/writers.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

const OWNER = new Uint8Array(32).fill(7);
const OTHER = new Uint8Array(32).fill(8);

/** A data folder, and one that backups are made into. */
async function withFolders(run: (data: string, target: string) => Promise<void>): Promise<void> {
  const [data, target] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  await run(data, target);
  for (const folder of [data, target]) await Deno.remove(folder, { recursive: true });
}

/** Puts a file there; returns its name. */
async function put(path: string): Promise<string> {
  await Deno.writeTextFile(path, "half");
  return basename(path);
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("joinWriters() takes away what this owner's backups left in the folder, and nothing else", () =>
  withFolders(async (data, target) => {
    const file = join(target, "one.backup");
    await put(growingBackup(file, OWNER));
    const kept = [
      await put(file),
      await put(growingBackup(file, OTHER)),
      await put(join(target, `.postern-${crypto.randomUUID()}.tmp`)),
      await put(join(target, ".postern-0707070707070707-mine.tmp")),
    ];
    (await joinWriters(data, file, OWNER))[Symbol.dispose]();
    assertEquals(names(target), kept.sort());
    await assertRejects(() => joinWriters(data, join(target, "missing", "one.backup"), OWNER), "not_found");
  }));

Deno.test("joinWriters() leaves what another backup is writing meanwhile, until the last one is done", () =>
  withFolders(async (data, target) => {
    const file = join(target, "one.backup");
    const first = await joinWriters(data, file, OWNER);
    const growing = await put(growingBackup(file, OWNER));
    const second = await joinWriters(data, file, OWNER);
    assertEquals(names(target), [growing]);
    first[Symbol.dispose]();
    (await joinWriters(data, file, OWNER))[Symbol.dispose]();
    assertEquals(names(target), [growing]);
    second[Symbol.dispose]();
    (await joinWriters(data, file, OWNER))[Symbol.dispose]();
    assertEquals(names(target), []);
  }));
