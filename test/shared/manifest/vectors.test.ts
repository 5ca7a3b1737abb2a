/** The worked example of manifest.md, opened from the page alone by node's crypto, which shares no code with ours. */
import { Buffer } from "node:buffer";
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from "node:crypto";
import { assert, assertEquals } from "../../assert.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { openHpke } from "../../../shared/crypto/hpke.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { type Fields, readStep } from "../protocol/example.ts";

interface Wire {
  readonly [name: string]: unknown;
  readonly encrypted_blob: { readonly iv: string; readonly ciphertext: string; readonly tag: string };
  readonly encrypted_keys?: readonly { readonly instance_id: string; readonly encrypted_mek: string }[];
}

const step = (name: string) => readStep("manifest", name);
const text = (fields: Fields, name = "text") => fields.text(name);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const hex = (bytes: Uint8Array | ArrayBuffer) => Buffer.from(new Uint8Array(bytes)).toString("hex");
const sha256 = (data: string) => createHash("sha256").update(data).digest();
const expand = (salt: Uint8Array, key: Uint8Array, info: string, length = 32) =>
  new Uint8Array(hkdfSync("sha256", key, salt, info, length));

function openGcm(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, aad: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, iv);
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function blobOf({ encrypted_blob: { iv, ciphertext, tag } }: Wire): [iv: Buffer, sealed: Buffer] {
  return [Buffer.from(iv, "base64"), Buffer.concat([Buffer.from(ciphertext, "base64"), Buffer.from(tag, "base64")])];
}

const MANIFEST = text(step("manifest").outputs);

Deno.test("MAN-08 vectors: schema 1", () => {
  const { inputs, outputs } = step("schema 1");
  const [iv, sealed] = blobOf(JSON.parse(text(outputs)) as Wire);
  assertEquals(openGcm(inputs.bytes("key"), iv, sealed, "").toString(), MANIFEST);
});

/** From the text of an envelope and its MEK to the manifest. */
function openCommitted(file: string, mek: Uint8Array): { release: Buffer; wire: Wire } {
  const wire = JSON.parse(file) as Wire;
  const hidden = ["encrypted_blob", "encrypted_keys", "cover", "key_commitment", "manifest_commitment"];
  // The file is sorted, and so is what is left of it.
  const open = JSON.stringify(Object.fromEntries(Object.entries(wire).filter(([name]) => !hidden.includes(name))));
  const release = sha256(`["postern/1/manifest-release",${open}]`);
  const key = (purpose: string) => expand(release, mek, `["postern/1/manifest-key","${purpose}"]`);
  assertEquals(base64(key("key-commitment")), `${wire["key_commitment"]}`);
  const [iv, sealed] = blobOf(wire);
  const aad = `["postern/1/manifest-content",${open},"${wire["key_commitment"]}","${wire["manifest_commitment"]}"]`;
  const padded = openGcm(key("content"), iv, sealed, aad);
  const manifest = padded.subarray(0, padded.lastIndexOf(0x80));
  assertEquals(manifest.toString(), MANIFEST);
  assert(padded.length >= 256 && padded.subarray(manifest.length + 1).every((byte) => byte === 0));
  const commitment = createHmac("sha256", key("manifest-commitment")).update(manifest).digest("base64");
  assertEquals(commitment, `${wire["manifest_commitment"]}`);
  return { release, wire };
}

Deno.test("MAN-10 MAN-14 MAN-17 vectors: schema 2, x25519, from the instance's secrets to the manifest", () => {
  const { inputs, outputs } = step("schema 2, x25519");
  const { release, wire } = openCommitted(text(outputs), inputs.bytes("mek"));
  const id = hex(
    createHmac("sha256", inputs.bytes("entrySecret")).update(
      `["postern/1/manifest-recipient","${base64(release)}",2]`,
    ).digest().subarray(0, 16),
  );
  const entry = wire.encrypted_keys?.find((one) => one.instance_id === id);
  assert(entry !== undefined);
  const privateKey = createPrivateKey({
    key: Buffer.concat([fromHex("302e020100300506032b656e04220420"), inputs.bytes("x25519Secret")]),
    format: "der",
    type: "pkcs8",
  });
  const spki = Buffer.concat([fromHex("302a300506032b656e032100"), Buffer.from(`${wire["ephemeral"]}`, "base64")]);
  const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key: spki, format: "der", type: "spki" }) });
  const info = `["postern/1/manifest-wrap","${wire["ephemeral"]}","${base64(inputs.bytes("x25519"))}","${id}"]`;
  const okm = expand(release, shared, info, 44);
  const mek = openGcm(okm.subarray(0, 32), okm.subarray(32), Buffer.from(entry.encrypted_mek, "base64"), "");
  assertEquals(hex(mek), hex(inputs.bytes("mek")));
});

Deno.test("MAN-16 vectors: an entry of schema 2, xwing", async () => {
  const { inputs, outputs } = step("an entry of schema 2, xwing");
  const release = sha256(`["postern/1/manifest-release",${text(outputs, "public")}]`);
  assertEquals(hex(release), hex(outputs.bytes("releaseId")));
  const info = Buffer.from(`["postern/1/manifest-wrap","${base64(release)}","${hex(outputs.bytes("opaqueId"))}"]`);
  const sealed = { encapsulated: outputs.bytes("encapsulated"), ciphertext: outputs.bytes("ciphertext") };
  const key = await importHpkeKey("xwing", inputs.bytes("xwingSeed"));
  assertEquals(hex(await openHpke("xwing", key, new Uint8Array(info), sealed)), hex(inputs.bytes("mek")));
});

Deno.test("MAN-18 vectors: schema 3, from the MEK to the manifest", () => {
  const { inputs, outputs } = step("schema 3");
  const { wire } = openCommitted(text(outputs), inputs.bytes("mek"));
  assertEquals(`${wire["cover"]}`, base64(outputs.bytes("cover")));
});

Deno.test("IDX-07 vectors: rollout", () => {
  const { inputs, outputs } = step("rollout");
  const hash = createHmac("sha256", inputs.bytes("rolloutKey")).update(
    '["postern/1/manifest-rollout","postern","1.2.0"]',
  ).digest();
  assertEquals(hash.readUInt32BE(0), outputs.number("place"));
  const percent = outputs.number("firstPercent");
  assert(100 * hash.readUInt32BE(0) < percent * 2 ** 32 && 100 * hash.readUInt32BE(0) >= (percent - 1) * 2 ** 32);
});
