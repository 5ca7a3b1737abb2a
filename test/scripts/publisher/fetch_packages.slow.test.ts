/** Packages from a registry, by the real npm: what is not what the lock file names is refused, whatever the registry says of it. */
import { createHash } from "node:crypto";
import { fetchPackages, type PackageName } from "../../../scripts/publisher/build/fetch_packages.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { needs } from "../../tools/needs.ts";

const integrityOf = (bytes: Uint8Array) => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** The archive of a package with one file, and a script that would run if anybody ran it. */
async function pack(folder: string, name: string, content: string): Promise<Uint8Array<ArrayBuffer>> {
  await Deno.mkdir(`${folder}/package`, { recursive: true });
  const scripts = Object.fromEntries(["prepack", "prepare", "install"].map((one) => [one, `touch ${folder}/ran`]));
  await Deno.writeTextFile(`${folder}/package/package.json`, JSON.stringify({ name, version: "1.0.0", scripts }));
  await Deno.writeTextFile(`${folder}/package/index.js`, content);
  const { success } = await new Deno.Command("tar", { args: ["-czf", "it.tgz", "package"], cwd: folder }).output();
  assert(success);
  return await Deno.readFile(`${folder}/it.tgz`);
}

needs("npm").test("fetchPackages() takes what the lock file names, and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "postern-registry-" });
  const [a, b] = [await pack(`${folder}/a`, "a", "a"), await pack(`${folder}/b`, "@s/b", "b")];
  const archives = new Map([["/a.tgz", a], ["/b.tgz", b]]);
  const served = new Map(archives);
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname, origin } = new URL(request.url);
    const archive = served.get(pathname);
    if (archive !== undefined) return new Response(archive);
    const [name, tarball] = pathname === "/a" ? ["a", "/a.tgz"] : ["@s/b", "/b.tgz"];
    // The registry stands by whatever it serves.
    const dist = { tarball: `${origin}${tarball}`, integrity: integrityOf(served.get(tarball) ?? a) };
    const version = { name, version: "1.0.0", dist };
    return Response.json({ name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } });
  });
  const before = ["npm_config_registry", "npm_config_cache"].map((name) => [name, Deno.env.get(name)] as const);
  Deno.env.set("npm_config_registry", `http://127.0.0.1:${server.addr.port}/`);
  const fetched = async (packages: readonly PackageName[]) => {
    // What npm has seen before would hide what comes now.
    Deno.env.set("npm_config_cache", await Deno.makeTempDir({ dir: folder }));
    return await fetchPackages(packages, await Deno.makeTempDir({ dir: folder }));
  };
  try {
    const [integrityA, integrityB] = [integrityOf(a), integrityOf(b)];
    const packages = [
      { name: "a", version: "1.0.0", integrity: integrityA },
      { name: "@s/b", version: "1.0.0", integrity: integrityB },
    ];
    const folders = await fetched(packages);
    assertEquals(await Deno.readTextFile(`${folders.get(integrityA)}/index.js`), "a");
    assertEquals(await Deno.readTextFile(`${folders.get(integrityB)}/index.js`), "b");
    served.set("/b.tgz", await pack(`${folder}/c`, "@s/b", "another"));
    const { message } = await assertRejects(() => fetched(packages), "tampered");
    assert(message.startsWith("@s/b@1.0.0 "), message);
    for (const one of ["a", "b", "c"]) {
      assert(await Deno.stat(`${folder}/${one}/ran`).then(() => false, () => true), "a script of a package ran");
    }
  } finally {
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    await Deno.remove(folder, { recursive: true });
  }
});
