/** Everything that docs/publishing.md tells to type, in its order. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { readRootFile } from "../../../shared/manifest/follow_root.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { readCrlFile } from "../../../shared/x509/crl.ts";
import { openInstance } from "../../../manager/instance/instance.ts";
import { currentRequest, keepAnswer, openAnswer } from "../../../manager/instance/register.ts";
import { followPublisherRoot } from "../../../manager/instance/root.ts";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { withDatabase } from "../../manager/instance/instances.ts";
import { newMdk, publicKeysOf, requestOf } from "./registry.ts";
import { Workshop } from "./workshop.ts";

const SCRIPT = /^deno run -A scripts\/(\w+)\.ts (.+)$/;

async function commandsOf(page: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${PROJECT_ROOT}/${page}`);
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) => block.trim().split("\n"));
}

async function run(workshop: Workshop, db: Database, line: string): Promise<void> {
  const [, name, rest] = SCRIPT.exec(line) ?? [];
  if (name !== undefined && rest !== undefined) {
    const { id } = await openInstance(db, workshop.now, webCryptoRandom);
    await workshop.ok(`${name} ${rest.replace(/\bID\b/, toHex(id))}`);
  } else if (line.startsWith("postern instance request")) {
    const request = await currentRequest(db, workshop.now, webCryptoRandom);
    await workshop.write("request.txt", registrationText("request", request));
  } else if (line.startsWith("postern instance register")) {
    const text = new TextDecoder().decode(await workshop.read("answer.txt"));
    const opened = await openAnswer(db, parseRegistrationText("answer", text), workshop.now, webCryptoRandom);
    const { fingerprint } = readRootFile(await workshop.read("root.pem"));
    await keepAnswer(
      db,
      opened,
      fingerprint,
      (content, signature, root) => verifyDetached(content, signature, { roots: [root], now: workshop.now }),
      workshop.now,
    );
  } else {
    const args = ["-c", `umask 077; ${line}`];
    const { success, stderr } = await new Deno.Command("bash", { args, cwd: workshop.path }).output();
    assert(success, `${line}: ${new TextDecoder().decode(stderr)}`);
  }
}

Deno.test("docs/publishing.md: every command does what it says, from the first release to the last drill", () =>
  withDatabase(async (db) => {
    await using workshop = await Workshop.make();
    workshop.now = Date.now();
    const commands = await commandsOf("docs/publishing.md");
    assert(commands.length > 25);
    for (const line of commands) {
      workshop.now += 2_000;
      if (line.includes("--root root3.pem") && line.includes(" init ")) await requireFollowed(workshop, db);
      await run(workshop, db, line);
      // Nobody releases for nobody: another instance takes the place of the one that is lost.
      if (line.includes("instance.ts revoke")) await registerAnother(workshop);
    }
    assertEquals(await workshop.read("web/root.pem"), await workshop.read("root3.pem"));
  }));

/** The drill before the last leads instances to the new root. */
async function requireFollowed(workshop: Workshop, db: Database): Promise<void> {
  const index = {
    content: await workshop.read("web/index.json"),
    signature: await workshop.read("web/index.json.sig"),
  };
  const trust = { crls: readCrlFile(await workshop.read("web/release.crl")), requireCrl: true, now: workshop.now };
  const followed = await followPublisherRoot(db, "postern", await workshop.read("web/root.pem"), index, trust);
  assertEquals(followed?.fingerprint, readRootFile(await workshop.read("root2.pem")).fingerprint);
}

async function registerAnother(workshop: Workshop): Promise<void> {
  const { bytes } = await requestOf(publicKeysOf(await newMdk()));
  await workshop.write("another.txt", registrationText("request", bytes));
  const signer = "--root root.pem --cert release_cert.pem --key release_key.pem --passphrase-file release.pass";
  const files = "--request another.txt --answer another.answer --registry-passphrase-file registry.pass";
  await workshop.ok(`instance register ${files} ${signer}`);
}

Deno.test("release.yml calls scripts that there are, with options that they know", async () => {
  const text = (await Deno.readTextFile(`${PROJECT_ROOT}/.github/workflows/release.yml`)).replaceAll(/\\\n\s+/g, "");
  const lines = [...text.matchAll(/^\s+(deno run -A scripts\/.+)$/gm)].map(([, line = ""]) => SCRIPT.exec(line));
  assertEquals(lines.length, 7);
  await using workshop = await Workshop.make();
  for (const [, name = "", rest = ""] of lines.filter((one) => one !== null)) {
    const help = (await workshop.run(`${name} --help`)).out;
    for (const [flag] of rest.matchAll(/--[a-z-]+/g)) assert(help.includes(flag), `${name} ${flag}`);
  }
});
