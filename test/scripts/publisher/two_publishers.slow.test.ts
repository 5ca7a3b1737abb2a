/** Two processes of a publisher at once: the second one is told so, and nothing of either is lost. */
import { registrationText } from "../../../shared/manifest/registration.ts";
import { assertEquals } from "../../assert.ts";
import { script, start } from "./processes.ts";
import { newMdk, publicKeysOf, requestOf, writeRegistry } from "./registry.ts";
import { encryptRelease, SIGNER } from "./releases.ts";
import { Workshop } from "./workshop.ts";

const AUTHORITY = "--root root.pem --root-key root.key";

/** With an authority whose certificates are good now. */
async function makeWorkshop(protection: string): Promise<Workshop> {
  const workshop = await Workshop.make();
  workshop.now = Date.now() - 60_000;
  workshop.env = { SOURCE_DATE_EPOCH: `${Math.floor(workshop.now / 1_000)}` };
  await workshop.write("pass", "correct horse battery staple\n");
  await workshop.ok(`publisher_ca init ${AUTHORITY}`);
  await workshop.ok(`publisher_ca issue ${AUTHORITY} ${SIGNER}${protection}`);
  await writeRegistry(workshop, "registry", 1);
  return workshop;
}

/** A pipe: whoever reads it waits in the middle of its work until the test writes. */
async function makePipe(workshop: Workshop, name: string): Promise<string> {
  const path = `${workshop.path}/${name}`;
  await Deno.remove(path).catch(() => {});
  await new Deno.Command("mkfifo", { args: ["-m", "600", path] }).output();
  return path;
}

/** How a script fails. */
async function codeOf(workshop: Workshop, line: string): Promise<string> {
  const { stdout } = await start(workshop, line.split(" ")).output();
  return JSON.parse(new TextDecoder().decode(stdout)).error.code;
}

/** Starts a script, lets others run once it reads the pipe, and then ends it well. */
async function during(workshop: Workshop, line: string, pipe: string, content: Uint8Array, run: () => Promise<void>) {
  const first = start(workshop, line.split(" ")).spawn();
  const writer = await Deno.open(pipe, { write: true });
  try {
    await run();
    await writer.write(content);
  } finally {
    writer.close();
  }
  const { stdout } = await first.output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)).ok, true);
}

Deno.test("two processes that register at once lose no instance", async () => {
  await using workshop = await makeWorkshop(" --passphrase-file pass");
  const keys = publicKeysOf(await newMdk());
  for (const name of ["one", "two"]) {
    await workshop.write(`${name}.txt`, registrationText("request", (await requestOf(keys)).bytes));
  }
  const before = Number((await script(workshop, "instance list"))["registered"]);
  const pipe = await makePipe(workshop, "slow");
  const register = (name: string, pass: string) =>
    `instance register --request ${name}.txt --answer ${name}.answer --root root.pem ${SIGNER} --passphrase-file ${pass}`;
  await during(workshop, register("one", "slow"), pipe, await workshop.read("pass"), async () => {
    assertEquals(await codeOf(workshop, register("two", "pass")), "conflict");
    assertEquals((await script(workshop, "instance list"))["registered"], before, "reading needs no lock");
  });
  assertEquals((await script(workshop, register("two", "pass")))["outcome"], "new");
  assertEquals((await script(workshop, "instance list"))["registered"], before + 2);
});

Deno.test("two processes that publish at once lose no release", async () => {
  await using workshop = await makeWorkshop("");
  const publish = `publish_release --to web --root root.pem ${SIGNER}`;
  await script(workshop, `${publish} --anew`);
  const describe = async (version: string) => {
    await Deno.mkdir(`${workshop.path}/${version}`);
    await workshop.write(`${version}/postern`, `version ${version}\n`);
    await workshop.ok(`generate_manifest --version ${version} --release-dir ${version} --output manifest.json`);
    await encryptRelease(workshop);
    for (const name of ["manifest.json", "encrypted_manifest.json", "encrypted_manifest.json.sig"]) {
      await Deno.rename(`${workshop.path}/${name}`, `${workshop.path}/${version}.${name}`);
    }
    const parts = `--manifest ${version}.manifest.json --envelope ${version}.encrypted_manifest.json`;
    return `${publish} --release-dir ${version} ${parts}`;
  };
  const [first, second] = [await describe("1.0.0"), await describe("1.1.0")];
  const content = await workshop.read("1.0.0/postern");
  const pipe = await makePipe(workshop, "1.0.0/postern");
  await during(workshop, first, pipe, content, async () => assertEquals(await codeOf(workshop, second), "conflict"));
  const { releases } = await script(workshop, second) as { releases: { version: string }[] };
  assertEquals(releases.map(({ version }) => version), ["1.0.0", "1.1.0"]);
  for (const [name, mode] of [["web", 0o755], ["web/v1.0.0", 0o755], ["web/index.json", 0o644]] as const) {
    assertEquals(((await Deno.stat(`${workshop.path}/${name}`)).mode ?? 0) & 0o777, mode, `a web server reads ${name}`);
  }
});

Deno.test("two processes that revoke at once lose no revocation", async () => {
  await using workshop = await makeWorkshop("");
  await workshop.ok("publisher_ca init --root other.pem --root-key other.key --passphrase-file pass");
  const authority = (pass: string) => `--root other.pem --root-key other.key --root-passphrase-file ${pass}`;
  for (const name of ["one", "two"]) {
    await workshop.ok(`publisher_ca issue ${authority("pass")} --cert ${name}.pem --key ${name}.key`);
  }
  const revoke = (name: string, pass: string) =>
    `publisher_ca crl ${authority(pass)} --crl other.crl --revoke ${name}.pem`;
  await workshop.ok(`publisher_ca crl ${authority("pass")} --crl other.crl --anew`);
  const pipe = await makePipe(workshop, "slow");
  await during(workshop, revoke("one", "slow"), pipe, await workshop.read("pass"), async () => {
    assertEquals(await codeOf(workshop, revoke("two", "pass")), "conflict");
    const renew = `publisher_ca rotate-release ${authority("pass")} --cert next.pem --key next.key --crl other.crl`;
    assertEquals(await codeOf(workshop, renew), "conflict");
  });
  const { crl } = await script(workshop, revoke("two", "pass")) as { crl: { revoked: number } };
  assertEquals(crl.revoked, 2);
});
