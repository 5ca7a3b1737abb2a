import { join } from "node:path";
import { examineKek, type KekPackages, type LibraryFacts } from "../../../manager/doctor/examine_kek.ts";
import { judgeKek } from "../../../manager/doctor/judge_kek.ts";
import type { KekPlace } from "../../../manager/store/folder.ts";
import { PosternError } from "../../../shared/errors.ts";
import { assert, assertEquals } from "../../assert.ts";
import { withFolder } from "../files/children.ts";

const uid = Deno.uid() ?? 0;
const loads: KekPackages = { pkcs11: () => Promise.resolve(), kms: () => Promise.resolve() };
const fails = () => Promise.reject(new PosternError("configuration", "The package could not be loaded: build it"));

function uriOf(library: string): string {
  return `pkcs11:token=postern;object=kek?module-path=${encodeURIComponent(library)}`;
}

/** `level check` of what is found. */
async function levels(place: KekPlace, folder: string, packages = loads): Promise<string[]> {
  return judgeKek(await examineKek(place, folder, packages), uid).map(({ level, check }) => `${level} ${check}`);
}

Deno.test("doctor says nothing of a KEK that needs neither package nor library", async () => {
  assertEquals(judgeKek(await examineKek({ keyFile: "/kek.key" }, "/"), uid), []);
});

Deno.test("doctor finds the package of a key service or a token missing, and says how to get it", () =>
  withFolder(async (folder) => {
    const library = join(folder, "token.so");
    await Deno.writeTextFile(library, "");
    const missing = { pkcs11: fails, kms: fails };
    assertEquals(await levels({ kmsKey: "alias/one" }, folder), ["good KEK"]);
    assertEquals(await levels({ kmsKey: "alias/one" }, folder, missing), ["fault KEK"]);
    const elsewhere = join(folder, "data");
    await Deno.mkdir(elsewhere);
    assertEquals(await levels({ pkcs11: uriOf(library) }, elsewhere), ["good KEK", "good library"]);
    assertEquals(await levels({ pkcs11: uriOf(library) }, elsewhere, missing), ["fault KEK", "good library"]);
    const [finding] = judgeKek(await examineKek({ kmsKey: "one" }, folder, missing), uid);
    assert(finding?.found.includes("AWS KMS") && finding.found.includes("build it"), finding?.found ?? "");
  }));

Deno.test("doctor finds a token's library that is missing, no file, in the data folder, or open to others", () =>
  withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.mkdir(join(folder, "lib"));
    await Deno.mkdir(data);
    const library = join(folder, "lib/token.so");
    const found = async (path: string) => (await levels({ pkcs11: uriOf(path) }, data)).slice(1);
    assertEquals(await found(library), ["fault library"]);
    assertEquals(await found(join(folder, "lib")), ["fault library"]);
    await Deno.writeTextFile(library, "");
    assertEquals(await found(library), ["good library"]);
    for (const mode of [0o620, 0o602]) {
      await Deno.chmod(library, mode);
      assertEquals(await found(library), ["fault library"]);
    }
    await Deno.chmod(library, 0o644);
    // Whoever may write to its folder puts another file there; in a folder like /tmp only its owner may.
    await Deno.chmod(join(folder, "lib"), 0o777);
    assertEquals(await found(library), ["fault library"]);
    await Deno.chmod(join(folder, "lib"), 0o1777);
    assertEquals(await found(library), ["good library"]);
    // A link from elsewhere leads into the data folder all the same.
    await Deno.rename(library, join(data, "token.so"));
    await Deno.symlink(join(data, "token.so"), library);
    assertEquals(await found(library), ["warning library"]);
    assertEquals((await levels({ pkcs11: "pkcs11:token=postern" }, data)).slice(1), ["fault library"]);
  }));

Deno.test("doctor finds a token's library that is another user's", () => {
  const owners = [{ path: "/opt/it's.so", mode: 0o755, uid: 4_711 }, { path: "/opt", mode: 0o755, uid: 0 }];
  const value: LibraryFacts = { named: "/opt/it's.so", isFile: true, isInDataFolder: false, owners };
  const facts = { kind: "PKCS#11", loaded: { ok: true, value: null }, library: { ok: true, value } } as const;
  const said = judgeKek(facts, 1_000).map(({ remedy }) => remedy);
  assertEquals(said, [null, "chown root '/opt/it'\\''s.so'"]);
  assertEquals(judgeKek(facts, 4_711).map(({ level }) => level), ["good", "good"]);
  assertEquals(judgeKek(facts, null).map(({ level }) => level), ["good", "good"]);
});
