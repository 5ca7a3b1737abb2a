import { createHash } from "node:crypto";
import { parseManifest } from "../../../shared/manifest/manifest.ts";
import { assert, assertEquals } from "../../assert.ts";
import { Workshop } from "./workshop.ts";

const BASE = "generate_manifest --version 1.2.0 --release-dir release --output manifest.json";

async function makeRelease(workshop: Workshop): Promise<void> {
  await Deno.mkdir(`${workshop.path}/release/bin`, { recursive: true });
  await workshop.write("release/bin/postern", "#!/bin/sh\n", 0o755);
  await workshop.write("release/README.md", "x".repeat(200_000), 0o640);
  await workshop.write("release/empty", "");
}

Deno.test("generate_manifest describes every file with path, size, mode and SHA-256", async () => {
  await using workshop = await Workshop.make();
  await makeRelease(workshop);
  await workshop.write("notes.txt", "Größer.\r\nSchneller.\n");
  const flags =
    "--critical --min-version 1.1.0 --notes-file notes.txt --date 2026-06-01T00:00:00Z --expires 90d --tag r1";
  const { json } = await workshop.ok(`${BASE} --product other --commit ${"ab".repeat(20)} ${flags}`);
  const bytes = await workshop.read("manifest.json");
  const hash = (content: string) => createHash("sha256").update(content).digest("hex");
  assertEquals(parseManifest(bytes), {
    ...{ product: "other", version: "1.2.0", tagName: "r1", isCritical: true, floor: "1.1.0" },
    ...{ created: Date.UTC(2026, 5, 1), expires: Date.UTC(2026, 7, 30), commit: "ab".repeat(20) },
    notes: "Größer.\nSchneller.\n",
    files: [
      { path: "README.md", size: 200_000, mode: "0644", sha256: hash("x".repeat(200_000)) },
      { path: "bin/postern", size: 10, mode: "0755", sha256: hash("#!/bin/sh\n") },
      { path: "empty", size: 0, mode: "0644", sha256: hash("") },
    ],
  });
  assertEquals([json["files"], json["bytes"], json["version"]], [3, 200_010, "1.2.0"]);
  assertEquals(json["sha256"], createHash("sha256").update(bytes).digest("hex"));
  assertEquals(((await Deno.stat(`${workshop.path}/manifest.json`)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("MAN-04 generate_manifest gives the same bytes for the same files, whatever their times and the umask", async () => {
  await using one = await Workshop.make();
  await using other = await Workshop.make();
  for (const workshop of [one, other]) {
    workshop.env = { SOURCE_DATE_EPOCH: "1780272000" };
    await makeRelease(workshop);
  }
  await Deno.chmod(`${other.path}/release/bin/postern`, 0o700);
  await Deno.chmod(`${other.path}/release/README.md`, 0o600);
  await Deno.utime(`${other.path}/release/empty`, 1, 1);
  other.now += 86_400_000;
  for (const workshop of [one, other]) await workshop.ok(BASE);
  const bytes = await one.read("manifest.json");
  assertEquals(await other.read("manifest.json"), bytes);
  assertEquals(parseManifest(bytes).created, 1_780_272_000_000);
  assert(!bytes.includes(0x0a));
});

Deno.test("generate_manifest takes commit and date from git where the source is a checkout", async () => {
  await using workshop = await Workshop.make();
  await makeRelease(workshop);
  const git = async (...args: string[]) => {
    const env = { GIT_COMMITTER_DATE: "1780000000 +0200", GIT_AUTHOR_DATE: "1780000000 +0200" };
    const identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
    const command = new Deno.Command("git", { args: ["-C", workshop.path, ...identity, ...args], env });
    assert((await command.output()).success);
  };
  await git("init", "-q");
  await git("commit", "-q", "--allow-empty", "-m", "first");
  await workshop.ok(BASE);
  const { created, commit } = parseManifest(await workshop.read("manifest.json"));
  assertEquals(created, 1_780_000_000_000);
  assert(/^[0-9a-f]{40}$/.test(commit ?? ""));
});

const REFUSED: readonly (readonly [string, string, string, (workshop: Workshop) => Promise<unknown>])[] = [
  ["a link to a file", BASE, "unsupported", (w) => Deno.symlink("empty", `${w.path}/release/link`)],
  ["a link to a folder", BASE, "unsupported", (w) => Deno.symlink("/etc", `${w.path}/release/etc`)],
  ["a link to nothing", BASE, "unsupported", (w) => Deno.symlink("nowhere", `${w.path}/release/link`)],
  ["a name that is a device on Windows", BASE, "malformed", (w) => w.write("release/aux.txt", "")],
  ["a name with a backslash", BASE, "malformed", (w) => w.write("release/a\\b", "")],
  ["names that differ in case alone", BASE, "malformed", (w) => w.write("release/readme.MD", "")],
  ["a version that is none", BASE.replace("1.2.0", "1.2"), "malformed", nothing],
  ["a floor above the version", `${BASE} --min-version 1.3.0`, "malformed", nothing],
  ["a date that is none", `${BASE} --date yesterday`, "usage", nothing],
  ["an end that is past", `${BASE} --date 2020-01-01`, "expired", nothing],
  ["an end that is too far away", `${BASE} --date 2026-01-01 --expires 2999-01-01`, "malformed", nothing],
  ["an output within the release", BASE.replace("manifest.json", "release/m.json"), "usage", nothing],
  [
    "an output within a folder of the release that begins with two dots",
    BASE.replace("manifest.json", "release/..a/m.json"),
    "usage",
    (w) => Deno.mkdir(`${w.path}/release/..a`),
  ],
  ["no release", BASE.replace("release ", "nowhere "), "not_found", nothing],
  ["a file as the release", BASE.replace("release ", "release/empty "), "unsupported", nothing],
  ["an empty release", BASE.replace("release ", "none "), "not_found", (w) => Deno.mkdir(`${w.path}/none`)],
  ["no version", BASE.replace("--version 1.2.0 ", ""), "usage", nothing],
  ["an unknown flag", `${BASE} --sign`, "usage", nothing],
  ["notes that are not UTF-8", `${BASE} --notes-file n`, "malformed", (w) => w.write("n", new Uint8Array([0xff]))],
];

function nothing(): Promise<void> {
  return Promise.resolve();
}

for (const [what, line, code, prepare] of REFUSED) {
  Deno.test(`MAN-05 generate_manifest refuses ${what}: ${code}`, async () => {
    await using workshop = await Workshop.make();
    await makeRelease(workshop);
    await prepare(workshop);
    assertEquals(await workshop.code(line), code);
    const written = [...Deno.readDirSync(workshop.path)].map(({ name }) => name);
    assert(!written.includes("manifest.json") && !written.some((name) => name.endsWith(".tmp")));
  });
}
