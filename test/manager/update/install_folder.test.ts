/** What lies where versions are installed, when it is as it should be and when it is not. */
import { join } from "node:path";
import {
  currentVersion,
  pointNowhere,
  pointTo,
  prepareFolder,
  pruneVersions,
  readJournal,
  requireStaged,
  stagedVersions,
  stageRelease,
  writeJournal,
} from "../../../manager/update/install_folder.ts";
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { contentOf, namesIn, withFolder } from "./scratch.ts";

const manifest: ReleaseManifest = {
  ...{ product: "postern", version: "1.0.0", tagName: "v1.0.0", isCritical: false, created: 0, expires: 1 },
  files: [{ path: "a/b/run", mode: "0755", ...contentOf("run") }, { path: "data", mode: "0644", ...contentOf("data") }],
};

async function withVersions(run: (folder: string, cached: (name: string) => Promise<string>) => Promise<void>) {
  await withFolder(async (folder) => {
    const cached = async (name: string) => {
      const path = join(folder, `${name}.cached`);
      await Deno.writeTextFile(path, name);
      return path;
    };
    await run(join(folder, "app"), cached);
  });
}

Deno.test("stageRelease() lays down folders that everybody may read, whatever the process's umask", () =>
  withVersions(async (folder, cached) => {
    await prepareFolder(folder);
    const before = Deno.umask(0o077);
    try {
      await stageRelease(folder, manifest, ({ path }) => cached(path.split("/").at(-1) ?? ""));
    } finally {
      Deno.umask(before);
    }
    const mode = async (path: string) => ((await Deno.stat(join(folder, "releases/1.0.0", path))).mode ?? 0) & 0o777;
    assertEquals(await Promise.all(["", "a", "a/b", "a/b/run", "data"].map(mode)), [0o755, 0o755, 0o755, 0o755, 0o644]);
    await requireStaged(folder, manifest);
  }));

Deno.test("stageRelease() leaves nothing when a file is missing or another", () =>
  withVersions(async (folder, cached) => {
    await prepareFolder(folder);
    await assertRejects(() => stageRelease(folder, manifest, () => cached("another")), "tampered");
    await assertRejects(
      () => stageRelease(folder, manifest, () => Promise.resolve(join(folder, "nowhere"))),
      "not_found",
    );
    assertEquals(namesIn(folder, "releases"), []);
    await assertRejects(() => requireStaged(folder, manifest), "not_found");
  }));

Deno.test("currentVersion() is a version of this folder, or none", () =>
  withVersions(async (folder) => {
    await prepareFolder(folder);
    assertEquals(await currentVersion(folder), undefined);
    await pointNowhere(folder);
    await pointTo(folder, "1.0.0");
    assertEquals(await currentVersion(folder), "1.0.0");
    await pointNowhere(folder);
    assertEquals(await currentVersion(folder), undefined);
    // As long as the folder's own name.
    await Deno.symlink("versions/1.0.0", join(folder, "current"));
    await assertRejects(() => currentVersion(folder), "storage");
    await Deno.remove(join(folder, "current"));
    await Deno.mkdir(join(folder, "current"));
    await assertRejects(() => currentVersion(folder), "storage");
    await assertRejects(() => pointTo(folder, "1.0.0"), "storage");
    await assertRejects(() => pointTo(join(folder, "nowhere"), "1.0.0"), "not_found");
  }));

Deno.test("an install folder that is no folder is told of, and not taken for an empty one", () =>
  withVersions(async (folder) => {
    assertEquals(await stagedVersions(folder), []);
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "releases"), "");
    await assertRejects(() => stagedVersions(folder), "storage");
    await assertRejects(() => prepareFolder(folder), "conflict");
  }));

Deno.test("pruneVersions() removes the oldest beyond so many, but for those that are needed", () =>
  withVersions(async (folder) => {
    const versions = ["1.3.0", "1.2.0", "1.1.0", "1.0.0"];
    for (const version of versions) await Deno.mkdir(join(folder, "releases", version), { recursive: true });
    assertEquals(await pruneVersions(folder, 2, ["1.3.0", "1.0.0"]), ["1.1.0"]);
    assertEquals(await stagedVersions(folder), ["1.3.0", "1.2.0", "1.0.0"]);
    await Deno.mkdir(join(folder, "releases/.removing-1.0.0/x"), { recursive: true });
    await assertRejects(() => pruneVersions(folder, 2, []), "storage");
  }));

Deno.test("readJournal() reads what was written, and says of what else lies there that it is damaged", () =>
  withVersions(async (folder) => {
    await prepareFolder(folder);
    assertEquals(await readJournal(folder), null);
    const entry = { product: "postern", from: null, to: "1.0.0", step: "switching" } as const;
    await writeJournal(folder, entry);
    assertEquals(await readJournal(folder), entry);
    for (
      const text of ["", "{}", JSON.stringify({ ...entry, to: "../../etc" }), JSON.stringify({ ...entry, more: 1 })]
    ) {
      await Deno.writeTextFile(join(folder, "update.json"), text);
      await assertRejects(() => readJournal(folder), "storage");
    }
    await Deno.writeTextFile(join(folder, "update.json"), JSON.stringify(entry).padEnd(5_000));
    await assertRejects(() => readJournal(folder), "too_large");
  }));
