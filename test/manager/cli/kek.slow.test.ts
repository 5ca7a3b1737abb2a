import { exportPrivateKey } from "../../../manager/keys/export.ts";
import { passphraseOf } from "../../../manager/keys/passphrase.ts";
import { generateHpkeSecret } from "../../../shared/crypto/hpke_keys.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals } from "../../assert.ts";
import { FakeKms, KMS_CREDENTIALS, KMS_REGION } from "../../tools/fake_kms.ts";
import { needs } from "../../tools/needs.ts";
import { PIN, softHsm } from "../../tools/soft_hsm.ts";
import { CliWorld } from "./harness.ts";

interface Settings {
  readonly kek: Readonly<Record<string, string>>;
  readonly kekBefore?: Readonly<Record<string, string>>;
}

/** A manager whose KEK is changed, with what its files are at each step. */
class Changing {
  readonly world: CliWorld;
  /** Options that every command gets: where PINs and passphrases are. */
  readonly env: Record<string, string> = {};

  constructor(world: CliWorld) {
    this.world = world;
  }

  async #files(): Promise<{ settings: Settings; key: Uint8Array }> {
    const settings = JSON.parse(await Deno.readTextFile(`${this.world.manager}/settings.json`)) as Settings;
    return { settings, key: await Deno.readFile(`${this.world.manager}/database.key`) };
  }

  async #opens(settings: Settings, key: Uint8Array, when: string): Promise<void> {
    await Deno.writeTextFile(`${this.world.manager}/settings.json`, JSON.stringify(settings));
    await Deno.writeFile(`${this.world.manager}/database.key`, key);
    const { code, err } = await this.world.run(["status"], { env: this.env });
    assertEquals(code, 0, `${when}: ${err}`);
  }

  /** Changes the KEK, and shows that the manager opens, and that the change goes through, wherever it had been cut off. */
  async to(kind: string, ...options: string[]): Promise<void> {
    const before = await this.#files();
    const change = async () => {
      const told = await this.world.jsonWith(["kek", "change", ...options], { env: this.env }) as { to: string };
      assertEquals(told.to, kind);
    };
    await change();
    const after = await this.#files();
    assertEquals(after.settings.kekBefore, undefined);
    const during = { ...after.settings, kekBefore: before.settings.kek };
    await this.#opens(during, before.key, "before the key is replaced");
    await change();
    await this.#opens(during, after.key, "after the key is replaced");
    await change();
    await this.#opens(after.settings, after.key, "at the end");
  }
}

async function privateKey(world: CliWorld, name: string, passphrase: string | null): Promise<void> {
  const pkcs8 = await generateHpkeSecret("p256");
  const pem = passphrase === null
    ? writePem("PRIVATE KEY", pkcs8)
    : await exportPrivateKey(new Redacted(pkcs8), passphraseOf(passphrase), webCryptoRandom);
  await world.write(name, pem);
}

Deno.test("kek change moves to private keys and back, and is never between two", async () => {
  await using world = await CliWorld.ready();
  const changing = new Changing(world);
  await privateKey(world, "one.pem", null);
  await privateKey(world, "two.pem", "correct horse");
  await world.write("two.pass", "correct horse\n");
  await changing.to("pki", "--to-pki", "one.pem");
  changing.env.POSTERN_PKI_PASSPHRASE_FILE = world.path("two.pass");
  await changing.to("pki", "--to-pki", "two.pem", "--to-pki-passphrase-file", "two.pass");
  assert((await world.fails(2, ["status"])).includes("--pki-passphrase-file"));
  await world.fails(77, ["status", "--pki-key", "one.pem"]);
  await changing.to("key-file", "--to-key-file", "three.key");
  await changing.to("key-file", "--to-key-file", "four.key");
  const { events } = await world.json("log", "--kind", "kek.changed") as { events: { subject: string }[] };
  assertEquals(events.slice(0, 1).concat(events.slice(-1)).map(({ subject }) => subject).sort(), ["key-file", "pki"]);
  await world.fails(2, ["kek", "change", "--to-pki", "one.pem", "--to-key-file", "five.key"]);
  await world.fails(2, ["kek", "change", "--to-kms-region", "x"]);
  await world.fails(2, ["kek", "change", "--to-pkcs11", "pkcs11:token=t"]);
});

Deno.test("init and kek change with AWS KMS", { sanitizeOps: false, sanitizeResources: false }, async () => {
  await using world = await CliWorld.ready();
  await using kms = new FakeKms();
  kms.newKey("one");
  const set = { AWS_ACCESS_KEY_ID: KMS_CREDENTIALS.id, AWS_SECRET_ACCESS_KEY: KMS_CREDENTIALS.secret };
  for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
  try {
    const place = ["--to-kms", "alias/one", "--to-kms-region", KMS_REGION, "--to-kms-endpoint", kms.endpoint];
    await new Changing(world).to("aws-kms", ...place);
    kms.isDisabled = true;
    assert((await world.fails(78, ["status"])).includes("disabled"));
    const { code, out } = await world.run(["doctor", "--offline"]);
    assertEquals(code, 3);
    assert(out.includes("the key is disabled"), out);
    kms.isDisabled = false;
    const args = ["init", ...world.edgeArgs, "--recovery-file", "second.txt", "--data", "second"];
    const named = ["--kms-key", "one", "--kms-region", KMS_REGION, "--kms-endpoint", kms.endpoint];
    await world.json(...args, ...named);
    await world.json("status", "--data", "second");
    const settings = await Deno.readTextFile(world.path("second/settings.json"));
    assert(!settings.includes(KMS_CREDENTIALS.secret));
  } finally {
    for (const name of Object.keys(set)) Deno.env.delete(name);
  }
});

needs("softhsm2", "pkcs11js").test("kek change moves to a token's key, made if it is not there", async () => {
  await using world = await CliWorld.ready();
  using hsm = await softHsm();
  const changing = new Changing(world);
  await world.write("pin", `${PIN}\n`);
  changing.env.POSTERN_PKCS11_PIN_FILE = world.path("pin");
  const uri = (object: string) =>
    `pkcs11:token=${encodeURIComponent(hsm.place.token)};object=${object}?module-path=${hsm.place.library}`;
  await changing.to("pkcs11", "--to-pkcs11", uri("one"), "--to-pkcs11-pin-file", "pin");
  await changing.to("pkcs11", "--to-pkcs11", uri("two"), "--to-pkcs11-pin-file", "pin");
  await world.fails(2, ["status"]);
  const settings = await Deno.readTextFile(`${world.manager}/settings.json`);
  assert(settings.includes("object=two") && !settings.includes(PIN));
});
