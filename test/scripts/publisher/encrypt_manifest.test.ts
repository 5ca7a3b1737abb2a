import { createDecipheriv } from "node:crypto";
import { Buffer } from "node:buffer";
import { isPosternError } from "../../../shared/errors.ts";
import { parseEnvelope } from "../../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../../shared/manifest/instance_keys.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../../shared/manifest/open_envelope.ts";
import { writeManifest } from "../../../shared/manifest/manifest.ts";
import { assert, assertEquals } from "../../assert.ts";
import { manifest } from "../../shared/manifest/fixture.ts";
import { writeRegistry } from "./registry.ts";
import { Workshop } from "./workshop.ts";

const BASE = "encrypt_manifest --input manifest.json --output encrypted_manifest.json --key-id fleet";
const KEY = Buffer.alloc(32, 7).toString("base64");

async function makeWorkshop(): Promise<Workshop> {
  const workshop = await Workshop.make();
  await workshop.write("manifest.json", writeManifest(manifest()));
  return workshop;
}

async function open(workshop: Workshop, keys: InstanceKeys) {
  const envelope = parseEnvelope(await workshop.read("encrypted_manifest.json"));
  return validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, keys)));
}

Deno.test("MAN-08 encrypt_manifest --schema 1 makes what another library opens", async () => {
  await using workshop = await makeWorkshop();
  const { json } = await workshop.ok(`${BASE} --schema 1 --key ${KEY} --key-version 4`);
  assertEquals([json["schema"], json["keyVersion"], json["recipients"]], [1, 4, null]);
  const { encrypted_blob: blob } = JSON.parse(new TextDecoder().decode(await workshop.read("encrypted_manifest.json")));
  const decipher = createDecipheriv("aes-256-gcm", Buffer.from(KEY, "base64"), Buffer.from(blob.iv, "base64"));
  decipher.setAuthTag(Buffer.from(blob.tag, "base64"));
  const plaintext = Buffer.concat([decipher.update(Buffer.from(blob.ciphertext, "base64")), decipher.final()]);
  assertEquals(new Uint8Array(plaintext), writeManifest(manifest()));
  await workshop.write("key", `${KEY}\n`, 0o600);
  await workshop.ok(`${BASE} --schema 1 --key-file key`);
  assertEquals(((await Deno.stat(`${workshop.path}/encrypted_manifest.json`)).mode ?? 0) & 0o777, 0o644);
});

Deno.test("encrypt_manifest chooses schema 2 up to 32 instances and schema 3 above", async () => {
  await using workshop = await makeWorkshop();
  for (const [count, schema, recipients] of [[1, 2, 1], [32, 2, 32], [33, 3, null]] as const) {
    const { first } = await writeRegistry(workshop, `of-${count}`, count);
    const { json } = await workshop.ok(`${BASE} --registry of-${count}`);
    assertEquals([json["schema"], json["recipients"], json["keyVersion"]], [schema, recipients, 1]);
    assertEquals(await open(workshop, first), manifest());
  }
});

Deno.test("encrypt_manifest makes the schema that is asked for, whatever the number of instances", async () => {
  await using workshop = await makeWorkshop();
  const { first, revoked } = await writeRegistry(workshop, "registry", 40);
  const sizes: number[] = [];
  for (const flags of ["--schema 2", "--schema 2 --classical"]) {
    const { json } = await workshop.ok(`${BASE} ${flags}`);
    assertEquals([json["schema"], json["recipients"]], [2, 40]);
    assertEquals(await open(workshop, first), manifest());
    sizes.push(Number(json["bytes"]));
  }
  assert((sizes[0] ?? 0) > 8 * (sizes[1] ?? 0));
  workshop.env = { POSTERN_REGISTRY: "registry" };
  const { json } = await workshop.ok(`${BASE} --schema 3 --key-version 9`);
  assertEquals([json["schema"], json["revoked"], json["keyVersion"]], [3, 1, 9]);
  assertEquals(await open(workshop, first), manifest());
  try {
    await open(workshop, revoked);
    throw new Error("a revoked instance opens it");
  } catch (error) {
    assert(isPosternError(error, "revoked"));
  }
});

const REFUSED: readonly (readonly [string, string, string, ((workshop: Workshop) => Promise<unknown>)?])[] = [
  ["nobody to encrypt for", BASE, "usage"],
  ["a registry that is not there", `${BASE} --registry nowhere`, "not_found"],
  ["schema 1 without a key", `${BASE} --schema 1`, "usage"],
  ["a key without schema 1", `${BASE} --key ${KEY}`, "usage"],
  ["schema 4", `${BASE} --schema 4`, "usage"],
  ["a key that is too short", `${BASE} --schema 1 --key AAAA`, "malformed"],
  ["a key that is not base64", `${BASE} --schema 1 --key ${KEY.replace("=", "")}`, "malformed"],
  ["a key version of 0", `${BASE} --schema 1 --key ${KEY} --key-version 0`, "usage"],
  ["schema 1 with a registry", `${BASE} --schema 1 --key ${KEY} --registry r`, "usage"],
  [
    "a key file that others can read",
    `${BASE} --schema 1 --key-file key`,
    "configuration",
    (w) => w.write("key", `${KEY}\n`, 0o640),
  ],
  ["schema 3 with a classical wrap", `${BASE} --schema 3 --classical`, "usage"],
  ["no key id", BASE.replace("--key-id fleet", ""), "usage"],
  ["a key id that is a path", BASE.replace("fleet", "../x --schema 1 --key " + KEY), "malformed"],
  ["an input that is no manifest", BASE, "malformed", (w) => w.write("manifest.json", "{}")],
  ["an input with a line feed", BASE, "malformed", async (w) => {
    await w.write("manifest.json", `${new TextDecoder().decode(await w.read("manifest.json"))}\n`);
  }],
  ["a registry of another product", BASE, "mixed_up", async (w) => {
    await w.write("manifest.json", writeManifest(manifest({ product: "other" })));
    await writeRegistry(w, "registry", 1);
  }],
  ["a registry without instances", BASE, "not_found", (w) => writeRegistry(w, "registry", 0)],
  ["a registry whose secret others can read", BASE, "configuration", async (w) => {
    await writeRegistry(w, "registry", 1);
    await Deno.chmod(`${w.path}/registry/registry.json`, 0o644);
  }],
  ["a registry whose secret is another thing", BASE, "malformed", async (w) => {
    await writeRegistry(w, "registry", 1);
    await w.write("registry/registry.json", "{}");
  }],
  ["a registry whose list is another thing", BASE, "storage", async (w) => {
    await writeRegistry(w, "registry", 1);
    for (const name of ["-wal", "-shm"]) await Deno.remove(`${w.path}/registry/registry.db${name}`).catch(() => {});
    await w.write(
      "registry/registry.db",
      "no database, but longer than the first page's header of a hundred bytes".repeat(99),
    );
  }],
  [
    "a shared key that the registry has not",
    `${BASE.replace("fleet", "other")} --schema 1`,
    "usage",
    (w) => writeRegistry(w, "registry", 1),
  ],
];

for (const [what, line, code, prepare] of REFUSED) {
  Deno.test(`encrypt_manifest refuses ${what}: ${code}`, async () => {
    await using workshop = await makeWorkshop();
    await prepare?.(workshop);
    assertEquals(await workshop.code(line), code);
    assert(![...Deno.readDirSync(workshop.path)].some(({ name }) => name === "encrypted_manifest.json"));
  });
}
