import { join } from "node:path";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { filePlace } from "../../../shared/manifest/places.ts";
import { currentVersion, stagedVersions } from "../../../manager/update/install_folder.ts";
import { releaseRecords, searchReleases } from "../../../manager/update/releases.ts";
import { applyUpdate, downloadUpdate, rollBack } from "../../../manager/update/updater.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { PRODUCT } from "./publisher.ts";
import { serveFolder } from "./server.ts";
import { Tenant, withTenant } from "./tenant.ts";

const large = new Uint8Array(300_000).map((_, at) => at % 251);
const hash = toHex(sha256(large));

Deno.test("applyUpdate() installs beside what runs, switches, and keeps the last versions", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    const config = { ...await tenant.config(), install, health: ["bin/run"], keep: 2 };
    await tenant.configure(config);
    for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
      await publisher.release(version);
      const switched = await applyUpdate(await tenant.environment());
      assertEquals([switched?.to, switched?.returned], [version, null]);
    }
    assertEquals(await applyUpdate(await tenant.environment()), null);
    assertEquals([await currentVersion(install), await stagedVersions(install)], ["1.2.0", ["1.2.0", "1.1.0"]]);
    const ran = await new Deno.Command(join(install, "current/bin/run")).output();
    assertEquals(new TextDecoder().decode(ran.stdout), "1.2.0\n");
    const modes = await Promise.all(
      ["bin/run", "lib/data", "lib"].map((path) => Deno.stat(join(install, "current", path))),
    );
    assertEquals(modes.map(({ mode }) => (mode ?? 0) & 0o777), [0o755, 0o644, 0o755]);
    assertEquals((await tenant.events("update.applied")).map((one) => JSON.parse(one)), [
      ...[{ from: null, to: "1.0.0" }, { from: "1.0.0", to: "1.1.0" }, { from: "1.1.0", to: "1.2.0" }],
    ]);
    // Back by hand, only to what is staged; and unattended, that version is not taken again.
    const { message } = await assertRejects(async () => rollBack(await tenant.environment(), "1.0.0"), "not_found");
    assert(message.includes("staged are: 1.2.0, 1.1.0"), message);
    assertEquals((await rollBack(await tenant.environment(), undefined)).to, "1.1.0");
    assertEquals(await applyUpdate(await tenant.environment({ isUnattended: true })), null);
    // What is staged and right is not laid down again.
    const laidDown = async () => (await Deno.stat(join(install, "releases/1.2.0"))).ino;
    const before = await laidDown();
    assertEquals((await applyUpdate(await tenant.environment()))?.to, "1.2.0");
    assertEquals(await laidDown(), before);
    const found = [];
    for await (const one of searchReleases(tenant.db, PRODUCT, "LIB/da")) {
      found.push([one.record.version, ...one.paths]);
    }
    assertEquals(found, ["1.2.0", "1.1.0", "1.0.0"].map((version) => [version, "lib/data"]));
  }));

Deno.test("a version that fails its health check is gone back from, the first one to nothing", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install, health: ["bin/run"], healthMillis: 2_000 });
    await publisher.release("1.0.0", { files: { "bin/run": "#!/bin/sh\nexit 7\n" } });
    const first = await applyUpdate(await tenant.environment());
    assert(first?.returned?.includes("7"), first?.returned ?? "");
    assertEquals(await currentVersion(install), undefined);
    await publisher.release("1.1.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.2.0", { files: { "bin/run": "#!/bin/sh\nexec sleep 20\n" } });
    const second = await applyUpdate(await tenant.environment());
    assert(second?.returned?.includes("within"), second?.returned ?? "");
    await publisher.release("1.3.0", { files: { "bin/other": "no such check" } });
    assert((await applyUpdate(await tenant.environment()))?.returned?.includes("started"));
    assertEquals(await currentVersion(install), "1.1.0");
    assertEquals((await tenant.events("update.returned")).length, 3);
    const records = await releaseRecords(tenant.db, PRODUCT);
    assertEquals(records.map(({ returned }) => returned !== null), [true, true, false, true]);
  }));

Deno.test("downloadUpdate() goes on where it was cut off, and fetches only the rest", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.0.0", { files: { "large": large, "small": "abc" } });
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    const place = filePlace("v1.0.0", hash);
    const isWhole = (request: Request) => request.headers.get("range") === null;
    server.misbehave = (asked, request) => {
      if (asked !== place || !isWhole(request)) return undefined;
      return new Response(large.subarray(0, 100_000));
    };
    const fetched = await downloadUpdate(await tenant.environment());
    assertEquals([fetched?.fetched, fetched?.reused], [300_003, 0]);
    assert(server.asked.includes(`${place} bytes=100000-`), server.asked.join());
    assertEquals((await downloadUpdate(await tenant.environment()))?.fetched, 0);
    // A part that was damaged on this disk is begun anew; and so is one that the server cannot go on with.
    const [parts, cache] = ["parts", "cache"].map((name) => join(tenant.folder, "update", name));
    assert(parts !== undefined && cache !== undefined);
    for (const part of [new Uint8Array(200_000), large.slice(0, 200_000), new Uint8Array(400_000)]) {
      await Deno.remove(join(cache, hash));
      await Deno.writeFile(join(parts, hash), part);
      server.misbehave = (asked) =>
        part.length < 300_000 && part[5] === 5 && asked === place ? new Response(large) : undefined;
      await downloadUpdate(await tenant.environment());
      assertEquals(await Deno.readFile(join(cache, hash)), large);
    }
  }));

Deno.test("a file that is another, endless or missing at the source is refused, and nothing is cached", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.0.0", { files: { large } });
    await using server = serveFolder(publisher.folder);
    await tenant.configure({ ...await tenant.config(), source: { kind: "http", url: server.url } });
    const place = filePlace("v1.0.0", hash);
    const answer = (bytes: Uint8Array<ArrayBuffer> | null) => {
      server.misbehave = (asked) => {
        if (asked !== place) return undefined;
        return bytes === null ? new Response(null, { status: 404 }) : new Response(bytes);
      };
    };
    const attempt = async () => downloadUpdate(await tenant.environment());
    answer(new Uint8Array(300_000));
    await assertRejects(attempt, "tampered");
    answer(new Uint8Array(300_001));
    await assertRejects(attempt, "too_large");
    answer(large.slice(0, 299_999));
    await assertRejects(attempt, "network");
    answer(null);
    await assertRejects(attempt, "not_found");
    const refused = (await tenant.events("update.refused")).map((one) => JSON.parse(one).outcome);
    assertEquals(refused, ["tampered", "too_large"]);
    const names = [...Deno.readDirSync(join(tenant.folder, "update/cache"))];
    assertEquals(names, []);
    assertEquals((await releaseRecords(tenant.db, PRODUCT))[0]?.downloaded, null);
  }));

Deno.test("two tenants share a cache, and what one of them puts there is not believed", () =>
  withTenant(async (publisher, tenant, folder) => {
    const cache = join(folder, "cache");
    await Deno.mkdir(cache);
    await using second = await Tenant.create(join(folder, "second"));
    await using server = serveFolder(publisher.folder);
    const shared = { source: { kind: "http", url: server.url } as const, cache };
    await second.follow(publisher, { ...shared, install: join(folder, "second-app") });
    await tenant.configure({ ...await tenant.config(), ...shared, install: join(folder, "app") });
    await publisher.release("1.0.0", { files: { large, "small": "abc" } });
    await publisher.release("1.1.0", { files: { large, "small": "abcd" } });
    const results = await Promise.all(
      [tenant, second].map(async (one) => downloadUpdate(await one.environment())),
    );
    assert(results.every((one) => one?.manifest.version === "1.1.0"));
    server.asked.length = 0;
    assertEquals((await applyUpdate(await tenant.environment()))?.to, "1.1.0");
    assert(!server.asked.some((one) => one.includes(hash)), "nothing is downloaded twice");
    // Another tenant puts something else there, or a link.
    const path = join(cache, hash);
    const secret = join(folder, "secret");
    await Deno.writeFile(secret, large);
    for (const spoil of [() => Deno.writeFile(path, new Uint8Array(300_000)), () => Deno.symlink(secret, path)]) {
      await Deno.remove(path);
      await spoil();
      await downloadUpdate(await second.environment());
      assertEquals((await Deno.lstat(path)).isFile, true);
      assertEquals(await Deno.readFile(path), large);
    }
    // Or stands in the way for good.
    await Deno.remove(path);
    await Deno.mkdir(join(path, "folder"), { recursive: true });
    assertEquals((await applyUpdate(await second.environment()))?.to, "1.1.0");
    assertEquals((await Deno.lstat(path)).isDirectory, true);
  }));

Deno.test("a staged version that was changed is laid down anew, and never gone back to", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install });
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0");
    await applyUpdate(await tenant.environment());
    const old = join(install, "releases/1.0.0");
    const spoilt: [string, () => Promise<void>][] = [
      ["another content", () => Deno.writeTextFile(join(old, "lib/data"), "another")],
      ["another file", () => Deno.writeTextFile(join(old, "lib/more"), "")],
      [
        "a link",
        () => Deno.remove(join(old, "lib/data")).then(() => Deno.symlink("/etc/passwd", join(old, "lib/data"))),
      ],
      ["another mode", () => Deno.chmod(join(old, "lib/data"), 0o666)],
      ["a missing file", () => Deno.remove(join(old, "lib/data"))],
    ];
    for (const [what, spoil] of spoilt) {
      await Deno.remove(old, { recursive: true });
      await new Deno.Command("cp", { args: ["-a", join(install, "releases/1.1.0"), old] }).output();
      await Deno.writeTextFile(join(old, "bin/run"), "#!/bin/sh\necho 1.0.0\n");
      await spoil();
      await assertRejects(async () => rollBack(await tenant.environment(), "1.0.0"), "tampered").catch((error) => {
        throw new Error(what, { cause: error });
      });
    }
    // spec: AUDIT-05
    assertEquals((await tenant.events("update.refused")).length, spoilt.length);
    assertEquals(await currentVersion(install), "1.1.0");
    await publisher.release("1.2.0");
    await Deno.mkdir(join(install, "releases/1.2.0"));
    assertEquals((await applyUpdate(await tenant.environment()))?.to, "1.2.0");
  }));

Deno.test("a file that is not what it must be once it is laid down is never switched to", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install });
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0");
    const { rename } = Deno;
    Deno.rename = async (from, to) => {
      await rename(from, to);
      // As a disk does that wrote something else.
      if (`${to}` === join(install, "releases/1.1.0")) await Deno.writeTextFile(join(`${to}`, "lib/data"), "another");
    };
    try {
      await assertRejects(async () => applyUpdate(await tenant.environment()), "tampered");
    } finally {
      Deno.rename = rename;
    }
    assertEquals([await currentVersion(install), await tenant.events("update.returned")], ["1.0.0", []]);
    assertEquals((await applyUpdate(await tenant.environment()))?.to, "1.1.0");
  }));

Deno.test("a staged file that is changed between the last look and the switch is never run, and gone back from", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    const ran = join(folder, "ran");
    await tenant.configure({ ...await tenant.config(), install, health: ["bin/run"] });
    await publisher.release("1.0.0");
    await applyUpdate(await tenant.environment());
    await publisher.release("1.1.0");
    // The switch makes its link first: all looks before it are over by then.
    const symlink = Deno.symlink;
    Deno.symlink = async (target, path, options) => {
      if (`${target}` === "releases/1.1.0") {
        await Deno.writeTextFile(join(install, "releases/1.1.0/bin/run"), `#!/bin/sh\ntouch ${ran}\n`);
      }
      await symlink(target, path, options);
    };
    try {
      const switched = await applyUpdate(await tenant.environment());
      assertEquals([switched?.from, switched?.to], ["1.0.0", "1.1.0"]);
      assert(switched?.returned?.includes("not what the manifest says"), switched?.returned ?? "");
    } finally {
      Deno.symlink = symlink;
    }
    assertEquals(await currentVersion(install), "1.0.0");
    assert(![...Deno.readDirSync(folder)].some(({ name }) => name === "ran"), "it was run");
    const [why] = (await tenant.events("update.returned")).map((one) => JSON.parse(one).why);
    assert(why.includes("not what the manifest says"), why);
    // The owner asks again: it is laid down anew, and runs.
    assertEquals((await applyUpdate(await tenant.environment()))?.returned, null);
    assertEquals(await currentVersion(install), "1.1.0");
  }));

Deno.test("an install folder that others changed is left alone, and what is unfinished there is swept", () =>
  withTenant(async (publisher, tenant, folder) => {
    const install = join(folder, "app");
    await tenant.configure({ ...await tenant.config(), install });
    await publisher.release("1.0.0", { files: { "a/b/c": "deep", "a/d": "" } });
    await Deno.mkdir(join(install, "releases/.staging-0.9.0/x"), { recursive: true });
    await Deno.mkdir(join(install, "releases/not a version"));
    await Deno.symlink("nowhere", join(install, ".current-1"));
    await applyUpdate(await tenant.environment());
    assertEquals([...Deno.readDirSync(install)].map(({ name }) => name).sort(), ["current", "lock", "releases"]);
    assertEquals(await stagedVersions(install), ["1.0.0"]);
    for (const path of ["a", "a/b"]) {
      assertEquals(((await Deno.stat(join(install, "current", path))).mode ?? 0) & 0o777, 0o755);
    }
    await publisher.release("1.1.0");
    await Deno.writeTextFile(join(install, "update.json"), "{}");
    await assertRejects(async () => applyUpdate(await tenant.environment()), "storage");
    await Deno.remove(join(install, "update.json"));
    for (const target of ["/etc", "releases/..", "elsewhere/1.0.0"]) {
      await Deno.remove(join(install, "current"));
      await Deno.symlink(target, join(install, "current"));
      await assertRejects(async () => applyUpdate(await tenant.environment()), "storage");
    }
  }));
