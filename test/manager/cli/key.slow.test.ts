import { toHex } from "../../../shared/bytes/encoding.ts";
import { reveal } from "../../../shared/crypto/redacted.ts";
import { parseRegistrationText } from "../../../shared/manifest/registration.ts";
import { instanceIdOf, readRegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { importPrivateKey } from "../../../manager/keys/export.ts";
import { passphraseOf } from "../../../manager/keys/passphrase.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { writeEdgeKey } from "../../../manager/cli/texts/edge_key.ts";
import { needs } from "../../tools/needs.ts";
import { CliWorld } from "./harness.ts";

const WORDS = "correct horse battery staple";

async function exported(world: CliWorld, role: string): Promise<string> {
  await world.write(`${role}.pass`, `${WORDS}\n`);
  await world.json("key", "export", role, "--out", `${role}.pem`, "--export-passphrase-file", `${role}.pass`);
  return await Deno.readTextFile(world.path(`${role}.pem`));
}

Deno.test("key export writes each key under its own passphrase, and only so", async () => {
  await using world = await CliWorld.ready();
  for (const [role, kind] of [["root", "Ed25519"], ["manager", "Ed25519"], ["inbox", "X-Wing"]] as const) {
    const pem = await exported(world, role);
    assert(pem.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    const imported = await importPrivateKey(pem, passphraseOf(WORDS));
    assertEquals(imported.kind, kind);
    assert(reveal(imported.pkcs8).length > 32);
    await assertRejects(() => importPrivateKey(pem, passphraseOf("another one")), "wrong_key");
    assertEquals(((await Deno.stat(world.path(`${role}.pem`))).mode ?? 0) & 0o777, 0o600);
  }
  await world.fails(73, ["key", "export", "root", "--out", "root.pem", "--export-passphrase-file", "root.pass"]);
  await world.fails(2, ["key", "export", "root", "--out", "other.pem"]);
  await world.fails(2, ["key", "export", "database", "--out", "other.pem"]);
});

Deno.test("key export --remove-here keeps the root key elsewhere, and key import brings it back, and no other", async () => {
  await using world = await CliWorld.ready();
  await using stranger = await CliWorld.ready();
  await world.write("pass", `${WORDS}\n`);
  await world.write("wrong.pass", "other words than these\n");
  const out = ["--out", "root.pem", "--export-passphrase-file", "pass", "--remove-here"];
  await world.fails(2, ["key", "export", "manager", ...out]);
  const { removedHere } = await world.json("key", "export", "root", ...out) as { removedHere: boolean };
  assertEquals(removedHere, true);
  // Such a backup is restored with the key's file, and with no other.
  await world.json("backup", "create", "apart.backup");
  const restore = ["backup", "restore", "apart.backup", "--recovery-file", "recovery.txt", "--key-file", "new.key"];
  const into = ["--data", "restored", "--devices", "none", "--offline", "--root-passphrase-file", "pass"];
  assert((await world.fails(78, [...restore, ...into])).includes("--root-key"));
  await world.write("strangers.pem", await exported(stranger, "root"));
  await world.fails(77, [...restore, ...into, "--root-key", "strangers.pem"]);
  await world.json(...restore, ...into, "--root-key", "root.pem");
  // Pushes go on; what the root signs does not.
  await world.text("sync");
  const move = ["edge", "url", "https://other.example", "--edge-key", writeEdgeKey(world.identity.name.key)];
  const said = await world.fails(78, move);
  assert(said.includes("postern key import root"), said);
  await world.fails(78, ["key", "export", "root", "--out", "again.pem", "--export-passphrase-file", "pass"]);

  const bringBack = (
    file: string,
    pass = "pass",
  ) => ["key", "import", "root", "--in", file, "--import-passphrase-file", pass];
  await world.fails(77, bringBack("root.pem", "wrong.pass"));
  assert((await world.fails(77, bringBack("strangers.pem"))).includes("not that of this owner's root"));
  await world.fails(77, bringBack((await exported(world, "inbox"), "inbox.pem")));
  await world.write("nothing.pem", "nothing");
  await world.fails(65, bringBack("nothing.pem"));
  await world.fails(66, bringBack("missing.pem"));
  await world.write("huge.pem", "x".repeat(20_000));
  await world.fails(65, bringBack("huge.pem"));
  await world.fails(2, ["key", "import", "manager", "--in", "root.pem", "--import-passphrase-file", "pass"]);
  await world.fails(2, ["key", "import", "root", "--in", "root.pem"]);
  await world.fails(78, move);

  assertEquals((await world.json(...bringBack("root.pem")) as { isNew: boolean }).isNew, true);
  assertEquals((await world.json(...bringBack("root.pem")) as { isNew: boolean }).isNew, false);
  await world.json(...move);
});

needs("openssl").test("key export is opened by OpenSSL", async () => {
  await using world = await CliWorld.ready();
  await exported(world, "root");
  const args = ["pkey", "-in", world.path("root.pem"), "-passin", `pass:${WORDS}`, "-noout", "-text"];
  const { success, stdout } = await new Deno.Command("openssl", { args, stderr: "null" }).output();
  assert(success);
  assert(new TextDecoder().decode(stdout).includes("ED25519 Private-Key"));
});

Deno.test("kek change protects the database by the new KEK alone", async () => {
  await using world = await CliWorld.ready();
  await world.write("pass", `${WORDS}\n`);
  await world.fails(2, ["kek", "change"]);
  await world.fails(2, ["kek", "change", "--to-passphrase", "--to-key-file", "other.key"]);
  const changed = await world.json("kek", "change", "--to-passphrase-file", "pass") as { from: string; to: string };
  assertEquals([changed.from, changed.to], ["key-file", "passphrase"]);
  await world.fails(2, ["status"]);
  await world.fails(2, ["status", "--key-file", "kek.key"]);
  assert((await world.run(["status", "--passphrase-file", "pass"])).code === 0);
  const env = { POSTERN_PASSPHRASE_FILE: world.path("pass") };
  await world.jsonWith(["kek", "change", "--to-key-file", "other.key"], { env });
  await world.json("status");
  await Deno.remove(world.path("other.key"));
  await world.fails(66, ["status"]);
});

Deno.test("a passphrase is taken from private files alone, and not from two places at once", async () => {
  await using world = await CliWorld.ready();
  await world.write("pass", `${WORDS}\n`);
  await world.json("kek", "change", "--to-passphrase-file", "pass");
  await world.fails(2, ["status", "--passphrase-file", "pass", "--passphrase-fd", "0"]);
  await world.fails(2, ["status", "--passphrase-fd", "first"]);
  await Deno.chmod(world.path("pass"), 0o644);
  const said = await world.fails(78, ["status", "--passphrase-file", "pass"]);
  assert(said.includes("chmod 0600"));
  const wrong = await world.fails(77, ["status", "--passphrase-fd", "0"], {
    input: new TextEncoder().encode("wrong words"),
  });
  assert(!wrong.includes("wrong words"));
});

Deno.test("a systemd credential opens the database inside of its service, and says what is missing outside", async () => {
  await using world = await CliWorld.ready();
  await Deno.mkdir(world.path("credentials"));
  await Deno.copyFile(world.path("kek.key"), world.path("credentials/postern-kek"));
  const env = { CREDENTIALS_DIRECTORY: world.path("credentials") };
  await world.jsonWith(["kek", "change", "--to-credential", "postern-kek"], { env });
  await world.jsonWith(["status"], { env });
  assert((await world.fails(78, ["status"])).includes("LoadCredential"));
});

interface Listed {
  readonly keys: readonly { readonly role: string; readonly version: number; readonly state: string }[];
}

Deno.test("key rotate, list and revoke show the versions of the mdk", async () => {
  await using world = await CliWorld.ready();
  const states = async () => {
    const { keys } = await world.json("key", "list") as Listed;
    return keys.filter(({ role }) => role === "mdk").map(({ version, state }) => `${version} ${state}`);
  };
  assertEquals(await states(), ["1 current"]);
  await world.fails(73, ["key", "revoke", "1"]);
  await world.json("key", "rotate");
  assertEquals(await states(), ["1 earlier", "2 current"]);
  await world.json("key", "revoke", "1");
  assertEquals(await states(), ["1 revoked", "2 current"]);
  await world.fails(2, ["key", "revoke", "one"]);
  await world.fails(66, ["key", "revoke", "3"]);
  const text = await world.text("key", "list");
  for (const role of ["root", "manager", "inbox", "instance", "mdk"]) assert(text.includes(role), role);
});

Deno.test("key export mdk and key import carry the instance to another manager", async () => {
  await using world = await CliWorld.ready();
  await using other = await CliWorld.ready();
  await world.json("key", "rotate");
  await world.write("mdk.pass", `${WORDS}\n`);
  await world.json("key", "export", "mdk", "--out", "i.mdk", "--export-passphrase-file", "mdk.pass");
  assertEquals(((await Deno.stat(world.path("i.mdk"))).mode ?? 0) & 0o777, 0o600);
  const file = world.path("i.mdk");
  await other.write("wrong.pass", "something else\n");
  await other.fails(77, ["key", "import", "mdk", "--in", file, "--import-passphrase-file", "wrong.pass"]);
  const taken = await other.json(
    "key",
    "import",
    "mdk",
    "--in",
    file,
    "--import-passphrase-file",
    world.path("mdk.pass"),
  );
  assertEquals(taken, { outcome: "replaced", versions: [1, 2], products: [] });
  assertEquals(await other.json("instance", "show"), await world.json("instance", "show"));
});

Deno.test("instance request writes what a publisher reads, the same each time", async () => {
  await using world = await CliWorld.ready();
  const { instance } = await world.json("instance", "show") as { instance: string };
  await world.json("instance", "request", "--out", "request.txt");
  const text = await Deno.readTextFile(world.path("request.txt"));
  assertEquals(await world.text("instance", "request"), text);
  const request = await readRegistrationRequest(parseRegistrationText("request", text));
  assertEquals([toHex(instanceIdOf(request.identityKey)), request.keys.version], [instance, 1]);
  await world.fails(73, ["instance", "request", "--out", "request.txt"]);
});
