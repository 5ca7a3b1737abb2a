/** The worked login of docs/clients.md: made again, and followed step by step with node's crypto, as a stranger would. */
import { Buffer } from "node:buffer";
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  verify,
} from "node:crypto";
import { decodeCbor } from "../../shared/bytes/cbor.ts";
import { type Blocks, fill } from "../../scripts/worked_login/blocks.ts";
import { CLIENTS_PAGE, makeBlocks } from "../../scripts/worked_login.ts";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const page = await Deno.readTextFile(`${PROJECT_ROOT}/${CLIENTS_PAGE}`);

Deno.test("docs/clients.md is what its script makes", async () => {
  assertEquals(fill(page, await makeBlocks()), page);
});

Deno.test("fill() throws usage when a mark has no block, or a block no mark", () => {
  const mark = "<!-- made: one -->\nold\n<!-- /made -->";
  const blocks: Blocks = new Map([["one", [["value", new Uint8Array([1, 2])], ["count", 3]]]]);
  assertEquals(
    fill(`a\n${mark}\nb`, blocks),
    "a\n<!-- made: one -->\n\n```\nvalue = 0102\ncount = 3\n```\n\n<!-- /made -->\nb",
  );
  assertThrows(() => fill(mark, new Map()), "usage");
  assertThrows(() => fill("nothing", blocks), "usage");
});

/** A value as it stands on the page: whole bytes in hexadecimal, or a text. */
function valueOf(block: string, name: string): string {
  const text = new RegExp(`<!-- made: ${block} -->\\n+\`\`\`\\n([\\s\\S]*?)\\n\`\`\``).exec(page)?.[1] ?? "";
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line === `${name} =` || line.startsWith(`${name} = `));
  assert(at >= 0, `${name} of ${block}`);
  const first = lines[at] ?? "";
  if (!first.endsWith(" =")) return first.slice(`${name} = `.length);
  const indented = lines.slice(at + 1);
  const end = indented.findIndex((line) => !line.startsWith("  "));
  return indented.slice(0, end < 0 ? undefined : end).map((line) => line.slice(2)).join("\n");
}

const bytes = (block: string, name: string) => Buffer.from(valueOf(block, name).replaceAll("\n", ""), "hex");
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest();
const hmac = (key: Uint8Array, data: Uint8Array | string) => createHmac("sha256", key).update(data).digest();
const expand = (prk: Uint8Array, info: Uint8Array) => hmac(prk, Buffer.concat([info, Buffer.of(1)]));

/** Private keys in PKCS#8, by their algorithm's identifier (RFC 8410 section 7). */
function privateKey(algorithm: "ed25519" | "x25519", seed: Uint8Array) {
  const oid = algorithm === "ed25519" ? "2b6570" : "2b656e";
  const der = Buffer.concat([Buffer.from(`302e02010030050603${oid}04220420`, "hex"), seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function agree(mine: Uint8Array, theirs: Uint8Array): Buffer {
  const key = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), theirs]);
  const publicKey = createPublicKey({ key, format: "der", type: "spki" });
  return diffieHellman({ privateKey: privateKey("x25519", mine), publicKey });
}

Deno.test("A stranger's crypto signs the transcript and derives the session keys of docs/clients.md", () => {
  const transcript = bytes("transcript", "transcript");
  const signer = privateKey("ed25519", bytes("transcript", "device private key (Ed25519 seed)"));
  assert(verify(null, transcript, createPublicKey(signer), bytes("transcript", "signature")));
  const fields = decodeCbor(transcript);
  assert(Array.isArray(fields));
  const expected = [
    ...["postern/1/login", 1, valueOf("pairing", "owner id"), valueOf("pairing", "origin")],
    ...[valueOf("pairing", "edge key"), bytes("challenge", "challenge").toString("hex")],
    ...[valueOf("transcript", "ephemeral"), valueOf("pairing", "device id"), null],
  ];
  assertEquals(fields.map((one) => one instanceof Uint8Array ? Buffer.from(one).toString("hex") : one), expected);

  const mine = bytes("transcript", "ephemeral private key");
  const shared = Buffer.concat([
    agree(mine, bytes("session-keys", "edge ephemeral")),
    agree(mine, bytes("pairing", "edge key")),
  ]);
  const prk = hmac(bytes("session-keys", "salt"), shared);
  assertEquals(prk, bytes("session-keys", "prk"));
  const info = bytes("session-keys", "info of c2s");
  assertEquals(expand(prk, info), bytes("session-keys", "c2s"));
  const other = Buffer.from(info.toString("latin1").replace("c2s", "s2c"), "latin1");
  assertEquals(expand(prk, other), bytes("session-keys", "s2c"));
});

Deno.test("A stranger's crypto verifies every signature on the wire of docs/clients.md", () => {
  const signed = [
    ["answer-base", "login-answer", "s2c"],
    ["read-request", "read-request", "c2s"],
    ["read-answer", "read-answer", "s2c"],
  ] as const;
  for (const [base, headers, key] of signed) {
    const mac = hmac(bytes("session-keys", key), valueOf(base, "signature base")).toString("base64");
    assertEquals(valueOf(headers, "signature"), `postern=:${mac}:`);
    const input = valueOf(headers, "signature-input").slice("postern=".length);
    assert(valueOf(base, "signature base").endsWith(`"@signature-params": ${input}`));
    assert(valueOf(base, "signature base").includes(`"content-digest": ${valueOf(headers, "content-digest")}`));
  }
  const digest = sha256(bytes("read-answer", "body")).toString("base64");
  assertEquals(valueOf("read-answer", "content-digest"), `sha-256=:${digest}:`);
});

Deno.test("A stranger's crypto checks the commitment and opens the message of docs/clients.md", () => {
  assertEquals(sha256(bytes("statement", "root certificate")), bytes("pairing", "owner id"));
  assertEquals(bytes("statement", "SHA-256"), bytes("pairing", "statement hash"));
  const prk = hmac(bytes("epoch", "salt"), bytes("unwrap", "sym key"));
  assertEquals(prk, bytes("epoch", "prk"));
  assertEquals(expand(prk, bytes("epoch", "info of the commitment")), bytes("head", "commitment"));
  assertEquals(valueOf("epoch", 'key("commitment", 0)'), valueOf("epoch", "commitment of the head"));
  assertEquals(
    hmac(bytes("epoch", 'key("token", 1)'), bytes("record", "input of the token")),
    bytes("record", "token"),
  );
  assertEquals(
    hmac(bytes("read-token", 'key("token", 3)'), bytes("read-token", "input of the token")),
    bytes("read-token", "token"),
  );

  assertEquals(
    hmac(bytes("read-row", 'key("row-mac", 3)'), bytes("read-row", "input of the MAC")),
    bytes("read-row", "mac"),
  );
  const macInput = decodeCbor(bytes("read-row", "input of the MAC"));
  assert(Array.isArray(macInput));
  const ciphertext = macInput.at(-1);
  assert(ciphertext instanceof Uint8Array);
  const key = bytes("read-row", 'key("row-encryption", 3)');
  const decipher = createDecipheriv("aes-256-gcm", key, bytes("read-row", "nonce"));
  decipher.setAAD(bytes("read-row", "associated data"));
  decipher.setAuthTag(ciphertext.slice(-16));
  const padded = Buffer.concat([decipher.update(ciphertext.slice(0, -16)), decipher.final()]);
  const plaintext = bytes("read-row", "plaintext");
  assertEquals(padded, Buffer.concat([plaintext, Buffer.of(0x80), Buffer.alloc(padded.length - plaintext.length - 1)]));
  const message = decodeCbor(plaintext);
  assert(Array.isArray(message));
  assertEquals([message[0], message[2], message[3]], ["message", "mail", 1]);
});
