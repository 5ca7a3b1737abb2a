/** The worked examples: made again, cited rightly, and believed by node's crypto, which shares no code with ours. */
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  verify,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "../../assert.ts";
import { withTempTree } from "../../tools/temp_tree.ts";
import { PROJECT_ROOT } from "../../../scripts/files.ts";
import { compareVectors, makeVectors, VECTORS_FOLDER } from "../../../scripts/make_vectors.ts";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { type CborInput, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { unpad, unpadFurther } from "../../../shared/bytes/padding.ts";
import { openHpke } from "../../../shared/crypto/hpke.ts";
import { importHpkeKey } from "../../../shared/crypto/hpke_keys.ts";
import { verifyInclusion } from "../../../shared/merkle/history_proofs.ts";
import { verifyProof } from "../../../shared/merkle/verify_proof.ts";
import { type Fields, readExample, readStep } from "./example.ts";

const enc = (...items: CborInput[]) => encodeCbor(items);
const hexOf = (bytes: ArrayBuffer | Uint8Array) => toHex(new Uint8Array(bytes));

function sha256(...parts: Uint8Array[]): string {
  return toHex(parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest());
}

function hmac(key: Uint8Array, data: Uint8Array): string {
  return toHex(createHmac("sha256", key).update(data).digest());
}

function openGcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Bytes {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.slice(-16));
  const opened = decipher.update(sealed.slice(0, -16));
  decipher.final();
  return new Uint8Array(opened);
}

/** A key of keys.json. */
function keyOf(purpose: string, table: number): Bytes {
  return readStep("keys", `${purpose} ${table}`).outputs.bytes("key");
}

const publicKeyFrom = (spki: Uint8Array) => createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
const privateKeyFrom = (pkcs8: Uint8Array) =>
  createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });

/** Ed25519 by node, over a SubjectPublicKeyInfo. */
function verifies(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, publicKeyFrom(spki), signature);
}

/** The two or three byte strings of a signed structure. */
function parts(signed: Bytes): [Bytes, Bytes, Bytes?] {
  const [first, second, third] = decodeCbor(signed) as Bytes[];
  assert(first !== undefined && second !== undefined);
  return third === undefined ? [first, second] : [first, second, third];
}

const sealedOf = (outputs: Fields) => ({
  encapsulated: outputs.bytes("encapsulated"),
  ciphertext: outputs.bytes("ciphertext"),
});

Deno.test("the worked examples are what the code makes", async () => {
  assertEquals(compareVectors(PROJECT_ROOT, await makeVectors()), []);
});

Deno.test("compareVectors() names every file that is changed, missing or surplus", async () => {
  const files = {
    [`${VECTORS_FOLDER}/a.json`]: "1",
    [`${VECTORS_FOLDER}/b.json`]: "2",
    [`${VECTORS_FOLDER}/d.json`]: "4",
  };
  await withTempTree(files, (root) => {
    const made = new Map([["a.json", "1"], ["b.json", "3"], ["c.json", "3"]]);
    assertEquals(compareVectors(root, made), [
      "d.json is made by nothing",
      "b.json is not what this code makes",
      "c.json is missing",
    ]);
  });
});

Deno.test("every figure in the pages' worked examples stands in the file that they link", () => {
  let figures = 0;
  for (const { name } of Deno.readDirSync(`${PROJECT_ROOT}/shared/spec`)) {
    if (!name.endsWith(".md")) continue;
    const [, section] = Deno.readTextFileSync(`${PROJECT_ROOT}/shared/spec/${name}`).split("\n## Worked example\n");
    if (section === undefined) continue;
    const [own = ""] = section.split("\n## ");
    const linked = [...own.matchAll(/\(vectors\/([a-z]+\.json)\)/g)].map(([, file]) => file);
    assert(linked.length > 0, name);
    const content = linked.map((file) => Deno.readTextFileSync(`${PROJECT_ROOT}/${VECTORS_FOLDER}/${file}`)).join();
    for (const [, value = ""] of own.matchAll(/^ {4}.*?[^=]= (.*)$/gm)) {
      assert(content.includes(JSON.stringify(value).slice(1, -1)), `${name}: ${value}`);
      figures += 1;
    }
  }
  assert(figures > 20, `${figures}`);
});

Deno.test("node's crypto derives the keys of keys.json", () => {
  const { inputs, outputs } = readStep("keys", "prk");
  const context = [inputs.bytes("owner"), inputs.bytes("incarnation"), inputs.number("epoch")] as const;
  assertEquals(sha256(enc("postern/1/epoch", ...context)), outputs.text("salt"));
  const derived = readExample("keys").slice(1);
  assertEquals(derived.length, 15);
  for (const step of derived) {
    const info = enc("postern/1/key", step.inputs.text("purpose"), step.inputs.number("table"));
    assertEquals(toHex(info), step.outputs.text("info"));
    const key = hkdfSync("sha256", inputs.bytes("symKey"), outputs.bytes("salt"), info, 32);
    assertEquals(hexOf(key), step.outputs.text("key"), step.name);
  }
});

/** Lists whose name is text; that of the others is bytes. */
const TEXT_NAMES = ["subject", "channels", "channel", "generations"];

Deno.test("node's crypto opens the rows of rows.json and finds their tokens and MACs, ROW-03 ROW-13", () => {
  const { inputs: of } = readStep("keys", "prk");
  const context = [of.bytes("owner"), of.bytes("incarnation"), of.number("epoch")] as const;
  const rows = readExample("rows").filter(({ name }) => name !== "cover");
  assertEquals(rows.length, 10);
  for (const { name, inputs, outputs } of rows) {
    const [table, number, kind] = [inputs.number("table"), inputs.number("number"), inputs.text("kind")];
    const list = TEXT_NAMES.includes(kind) ? inputs.text("name") : inputs.bytes("name");
    assertEquals(hmac(keyOf("token", table), enc("postern/1/token", kind, list)), outputs.text("token"), name);
    const place = [...context, table, outputs.bytes("token"), number] as const;
    assertEquals(toHex(enc("postern/1/row-aad", ...place)), outputs.text("aad"));
    const key = keyOf("row-encryption", table);
    const padded = openGcm(key, inputs.bytes("nonce"), outputs.bytes("ciphertext"), outputs.bytes("aad"));
    assertEquals([padded.length, toHex(unpadFurther(padded))], [outputs.number("padded"), inputs.text("plaintext")]);
    const fields = decodeCbor(outputs.bytes("row")) as CborInput[];
    assertEquals(fields.slice(0, 4), [1, table, outputs.bytes("token"), number]);
    const input = enc("postern/1/row-mac", ...place, ...fields.slice(4, 7));
    assertEquals(hmac(keyOf("row-mac", table), input), outputs.text("mac"), name);
    assertEquals(fields.slice(7), [outputs.bytes("mac")]);
    assertEquals(sha256(enc("postern/1/row-hash", outputs.bytes("row"))), outputs.text("rowHash"));
  }
});

Deno.test("node's crypto verifies the statement and the head", () => {
  const { inputs, outputs } = readStep("statement", "statement");
  const [root, statement, signature] = parts(outputs.bytes("signed"));
  assert(signature !== undefined);
  assertEquals([toHex(root), toHex(statement)], [inputs.text("root"), outputs.text("statement")]);
  assertEquals([sha256(root), sha256(outputs.bytes("signed"))], [inputs.text("owner"), outputs.text("hash")]);
  const rootKey = privateKeyFrom(fromHex(`302e020100300506032b657004220420${inputs.text("rootSeed")}`));
  const { x } = rootKey.export({ format: "jwk" });
  const raw = Buffer.from(x ?? "", "base64url");
  assert(verifies(concat(fromHex("302a300506032b6570032100"), raw), statement, signature));
  const head = readStep("head", "head");
  const bytes = head.outputs.bytes("head");
  assert(verifies(inputs.bytes("managerKey"), bytes, head.outputs.bytes("signature")));
  assertEquals(sha256(enc("postern/1/head-hash", bytes)), head.outputs.text("hash"));
  const [nonce, sealed, aad] = [
    head.inputs.bytes("nonce"),
    head.outputs.bytes("sealed"),
    head.outputs.bytes("sealedAad"),
  ];
  assertEquals(decodeCbor(unpad(openGcm(keyOf("head", 0), nonce, sealed, aad))), [
    head.inputs.bytes("contentRoot"),
    null,
    null,
  ]);
});

Deno.test("node's crypto verifies what the device signs: request, submissions, login", () => {
  const request = readStep("pairing", "request");
  const device = request.inputs.bytes("publicKey");
  const [body, signature] = parts(request.outputs.bytes("request"));
  assert(verifies(device, body, signature));
  let previous: string | null = null;
  for (const { inputs, outputs } of readExample("inbox").slice(0, 2)) {
    const [submission, by] = parts(outputs.bytes("signed"));
    assert(verifies(device, submission, by));
    assertEquals(sha256(enc("postern/1/submission-hash", submission)), outputs.text("hash"));
    if (previous !== null) assertEquals(inputs.text("previous"), previous);
    previous = outputs.text("hash");
  }
  const login = readStep("session", "login").outputs;
  assert(verifies(device, login.bytes("transcript"), login.bytes("signature")));
});

Deno.test("node's crypto agrees on the keys of session.json", () => {
  const { inputs, outputs } = readStep("session", "login");
  const agreed = (own: string, theirs: string) =>
    toHex(diffieHellman({
      privateKey: privateKeyFrom(fromHex(`302e020100300506032b656e04220420${inputs.text(own)}`)),
      publicKey: publicKeyFrom(fromHex(`302a300506032b656e032100${inputs.text(theirs)}`)),
    }));
  assertEquals(agreed("clientSecret", "edgeEphemeral"), outputs.text("withEphemeral"));
  assertEquals(agreed("edgeSecret", "ephemeral"), outputs.text("withStatic"));
  const context = enc("postern/1/login-salt", outputs.bytes("transcript"), inputs.bytes("edgeEphemeral"));
  const shared = concat(outputs.bytes("withEphemeral"), outputs.bytes("withStatic"));
  for (const direction of ["c2s", "s2c"]) {
    const info = enc("postern/1/session-key", direction);
    assertEquals(hexOf(hkdfSync("sha256", shared, fromHex(sha256(context)), info, 32)), outputs.text(direction));
  }
});

Deno.test("node's crypto signs the messages of session.json alike", () => {
  const keys = readStep("session", "login").outputs;
  const signed = (key: string, lines: string[], { outputs }: { outputs: Fields }) => {
    const parameters = outputs.text("signature-input").slice("postern=".length);
    const base = [...lines, `"@signature-params": ${parameters}`].join("\n");
    return `:${createHmac("sha256", keys.bytes(key)).update(base).digest("base64")}:`;
  };
  const request = readStep("session", "request 1");
  const asked = signed("c2s", [
    `"@method": ${request.inputs.text("method")}`,
    `"@path": ${request.inputs.text("path")}`,
    `"@query": ${request.inputs.text("query")}`,
    `"content-digest": ${request.outputs.text("content-digest")}`,
    `"postern-session": ${request.inputs.text("session")}`,
  ], request);
  assertEquals(request.outputs.text("signature"), `postern=${asked}`);
  const answer = readStep("session", "answer to request 1");
  assertEquals(answer.inputs.text("request"), asked);
  const digest = `"content-digest": ${answer.outputs.text("content-digest")}`;
  const answered = signed("s2c", ['"@status": 200', digest, `"signature";req;key="postern": ${asked}`], answer);
  assertEquals(answer.outputs.text("signature"), `postern=${answered}`);
  const login = readStep("session", "answer to the login");
  const body = createHash("sha256").update(login.inputs.bytes("body")).digest("base64");
  assertEquals(login.outputs.text("content-digest"), `sha-256=:${body}:`);
  const loginLines = ['"@status": 200', `"content-digest": sha-256=:${body}:`];
  assertEquals(login.outputs.text("signature"), `postern=${signed("s2c", loginLines, login)}`);
});

const CURVES = { x25519: "X25519", p256: "P-256", p384: "P-384", p521: "P-521" } as const;

/** A raw private key of the examples as DER, by way of its JWK. */
function pkcs8Of(suite: keyof typeof CURVES, inputs: Fields): Bytes {
  const [d, point] = [inputs.bytes("privateKey"), inputs.bytes("publicKey")];
  const text = (bytes: Bytes) => Buffer.from(bytes).toString("base64url");
  const half = (point.length - 1) / 2;
  const key = suite === "x25519"
    ? { kty: "OKP", crv: CURVES[suite], d: text(d), x: text(point) }
    : { kty: "EC", crv: CURVES[suite], d: text(d), x: text(point.slice(1, 1 + half)), y: text(point.slice(1 + half)) };
  return new Uint8Array(createPrivateKey({ key, format: "jwk" }).export({ type: "pkcs8", format: "der" }));
}

Deno.test("what the examples seal opens with their keys, WRAP-01 INBOX-02", async () => {
  for (const { inputs, outputs } of readExample("wrapping")) {
    const suite = inputs.text("suite");
    assert(suite === "xwing" || suite in CURVES, suite);
    const secret = suite === "xwing" ? inputs.bytes("seed") : pkcs8Of(suite as keyof typeof CURVES, inputs);
    const recipient = await importHpkeKey(suite as keyof typeof CURVES | "xwing", secret);
    assertEquals(recipient.publicKey, inputs.bytes("publicKey"));
    const opened = await openHpke(suite, recipient, outputs.bytes("info"), sealedOf(outputs));
    assertEquals(opened, inputs.bytes("symKey"));
  }
  const inbox = await importHpkeKey("xwing", readStep("statement", "statement").inputs.bytes("inboxSeed"));
  for (const { inputs, outputs } of readExample("inbox").slice(0, 2)) {
    const opened = await openHpke("xwing", inbox, outputs.bytes("info"), sealedOf(outputs));
    assertEquals(unpad(opened), inputs.bytes("payload"));
  }
  const { inputs, outputs } = readStep("inbox", "part of a message");
  const place = [inputs.bytes("deviceId"), inputs.bytes("stream"), inputs.number("number")] as const;
  const position = [inputs.number("index"), inputs.number("count")] as const;
  const owner = readStep("keys", "prk").inputs.bytes("owner");
  const aad = enc("postern/1/inbox-part", owner, ...place, ...position);
  const nonce = new Uint8Array(12);
  nonce[11] = position[0];
  const opened = openGcm(inputs.bytes("partKey"), nonce, outputs.bytes("ciphertext"), aad);
  assertEquals(unpad(opened), inputs.bytes("bytes"));
});

/** A leaf as the page has it: key and value in hexadecimal. */
interface Leaf {
  readonly key: string;
  readonly value: string;
}

function bitOf({ key }: Leaf, at: number): number {
  return (Number.parseInt(key.slice(2 * (at >> 3), 2 * (at >> 3) + 2), 16) >> (7 - at % 8)) & 1;
}

/** The root of a set of leaves, read off the page without a thought for speed. */
function rootOf(leaves: readonly Leaf[]): string {
  const [first] = leaves;
  if (first === undefined) return sha256(Uint8Array.of(2));
  if (leaves.length === 1) return sha256(Uint8Array.of(0), fromHex(first.key), fromHex(first.value));
  let at = 0;
  while (leaves.every((leaf) => bitOf(leaf, at) === bitOf(first, at))) at += 1;
  const sides = [0, 1].map((side) => fromHex(rootOf(leaves.filter((leaf) => bitOf(leaf, at) === side))));
  return sha256(Uint8Array.of(1, at >> 8, at & 255), ...sides);
}

function historyOf(heads: readonly string[]): string {
  if (heads.length === 0) return sha256(new Uint8Array());
  if (heads.length === 1) return sha256(Uint8Array.of(0), fromHex(heads[0] ?? ""));
  const half = 2 ** Math.floor(Math.log2(heads.length - 1));
  return sha256(Uint8Array.of(1), fromHex(historyOf(heads.slice(0, half))), fromHex(historyOf(heads.slice(half))));
}

Deno.test("the trees of tree.json follow from the page, TREE-01 TREE-02 TREE-03 TREE-06", () => {
  const tables = readExample("tree").filter(({ name }) => name.startsWith("table of "));
  assertEquals(tables.length, 5);
  for (const { name, inputs, outputs } of tables) {
    const leaves = inputs.list("leaves").map((leaf) => ({ key: leaf.text("key"), value: leaf.text("rowHash") }));
    assertEquals(rootOf(leaves), outputs.text("root"), name);
  }
  const content = readStep("tree", "content tree").outputs;
  const leaves = content.list("leaves").map((leaf) => ({ key: leaf.text("key"), value: leaf.text("value") }));
  assertEquals(rootOf(leaves), content.text("root"));
  const { inputs, outputs } = readStep("tree", "history tree");
  const heads = inputs.texts("headHashes");
  assertEquals(
    outputs.texts("rootsBySize"),
    [...Array(heads.length + 1).keys()].map((size) => historyOf(heads.slice(0, size))),
  );
});

/** The root of a proof's tree by node's hashes; what it shows of rows is taken from `rows`. */
function proofRoot(nodes: (number | Bytes | null)[], rows: { key: string; value: string }[]): string {
  const node = nodes.shift();
  if (typeof node === "number") {
    const [left, right] = [proofRoot(nodes, rows), proofRoot(nodes, rows)];
    return sha256(Uint8Array.of(1, node >> 8, node & 255), fromHex(left), fromHex(right));
  }
  if (node instanceof Uint8Array) return node.length === 72 ? sha256(Uint8Array.of(0), node) : toHex(node);
  const row = rows.shift();
  assert(row);
  return sha256(Uint8Array.of(0), fromHex(row.key), fromHex(row.value));
}

Deno.test("the proofs of tree.json lead to the root of its table and prove their ranges, PROOF-01 PROOF-02", () => {
  const proofs = readExample("tree").filter(({ name }) => name.startsWith("proof "));
  assertEquals(proofs.length, 7);
  const whole = readStep("tree", "table of 8 rows").outputs.text("root");
  for (const { name, inputs, outputs } of proofs) {
    const rows = inputs.list("rows").map((row) => ({ key: row.text("key"), value: row.text("rowHash") }));
    const proof = decodeCbor(outputs.bytes("encoded")) as (number | Bytes | null)[];
    const root = proof.length === 0 ? sha256(Uint8Array.of(2)) : proofRoot([...proof], [...rows]);
    assertEquals([root, root], [inputs.text("root"), name === "proof in an empty table" ? root : whole], name);
    const leaves = rows.map(({ key, value }) => ({ key: fromHex(key), rowHash: fromHex(value) }));
    const claim = { lowest: inputs.bytes("lowest"), highest: inputs.bytes("highest"), rows: leaves };
    verifyProof(proof, claim, inputs.bytes("root"));
  }
});

Deno.test("the paths of tree.json lead to the root of its history, TREE-06", () => {
  const { inputs, outputs } = readStep("tree", "paths in the history");
  const root = fromHex(readStep("tree", "history tree").outputs.texts("rootsBySize").at(-1) ?? "");
  const heads = inputs.texts("headHashes");
  const paths = outputs.lists("pathsByNumber");
  assertEquals(paths.length, heads.length);
  for (const [index, path] of paths.entries()) {
    const leafHash = fromHex(sha256(Uint8Array.of(0), fromHex(heads[index] ?? "")));
    verifyInclusion({ index, size: heads.length, leafHash, root }, path.map(fromHex));
  }
});
