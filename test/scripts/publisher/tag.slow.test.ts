/** What a tag of a real repository says of a release. */
import { parseManifest } from "../../../shared/manifest/manifest.ts";
import { assert, assertEquals } from "../../assert.ts";
import { Workshop } from "./workshop.ts";

const BASE = "generate_manifest --version 1.2.0 --release-dir release --output manifest.json --from-tag";

async function git(workshop: Workshop, ...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"];
  const command = new Deno.Command("git", { args: ["-C", workshop.path, ...identity, ...args] });
  const { success, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("generate_manifest --from-tag takes notes, floor and whether it is critical from an annotated tag", async () => {
  await using workshop = await Workshop.make();
  workshop.now = Date.now();
  await Deno.mkdir(`${workshop.path}/release`);
  await workshop.write("release/postern", "x");
  const read = async () => parseManifest(await workshop.read("manifest.json"));
  await git(workshop, "init", "-q");
  await git(workshop, "commit", "-q", "--allow-empty", "-m", "first");
  assertEquals(await workshop.code(BASE), "not_found");
  await git(workshop, "tag", "v1.2.0");
  const { err } = await workshop.ok(BASE);
  assert(err.includes("no message"), err);
  const plain = await read();
  assertEquals([plain.isCritical, plain.floor, plain.notes], [false, undefined, undefined]);
  const message = "Postern 1.2.0\n\nFaster.\n\nCritical: yes\nMin-Version: 1.1.0\n";
  await git(workshop, "tag", "-f", "-a", "-m", message, "v1.2.0");
  const { json } = await workshop.ok(BASE);
  assertEquals([json["critical"], json["floor"]], [true, "1.1.0"]);
  const { isCritical, floor, notes, tagName, commit } = await read();
  assertEquals([isCritical, floor, notes, tagName], [true, "1.1.0", "Postern 1.2.0\n\nFaster.\n", "v1.2.0"]);
  assertEquals(commit, plain.commit);
  // What is said on the command line counts.
  await workshop.write("notes.txt", "Other notes.\n");
  await workshop.ok(`${BASE} --min-version 1.0.0 --notes-file notes.txt`);
  const other = await read();
  assertEquals([other.isCritical, other.floor, other.notes], [true, "1.0.0", "Other notes.\n"]);
  // A name is no pattern.
  assertEquals(await workshop.code(`${BASE} --tag v*`), "not_found");
  await git(workshop, "tag", "-a", "-m", "1.3.0\n\nCritcal: yes\n", "v1.3.0");
  assertEquals(await workshop.code(`${BASE} --tag v1.3.0`), "usage");
  await git(workshop, "commit", "-q", "--allow-empty", "-m", "second");
  assertEquals(await workshop.code(BASE), "mixed_up");
});
