/** The worked example of cover.md, opened as a stranger would from the page alone: by node's crypto, whole numbers and no code of ours. */
import { createHash, createHmac } from "node:crypto";
import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, compareBytes, concat } from "../../../shared/bytes/bytes.ts";
import { type CborInput, type CborValue, decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { readExample, type ReadStep, readStep } from "../protocol/example.ts";

const H = (key: Uint8Array, label: string, ...rest: CborInput[]): Bytes =>
  new Uint8Array(createHmac("sha256", key).update(encodeCbor([`postern/1/cover-${label}`, ...rest])).digest());
const hash = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
const mask = (a: Uint8Array, b: Uint8Array) => a.map((byte, i) => byte ^ (b[i] ?? 0));
const binary = (node: number) => node.toString(2);

const secret = readStep("cover", "tree of depth 4").inputs.bytes("secret");

/** Nodes as texts of binary digits: one lies below another when it begins with it. */
function labelOf(depth: number, within: number, without: number): Bytes {
  if (without === 0) return H(secret, "everyone", depth);
  const way = binary(without).slice(binary(within).length);
  return [...way].reduce((label, side) => H(label, "step", Number(side)), H(secret, "start", depth, within));
}

/** The keys of a leaf. */
function keysOf(depth: number, leaf: number): { nodes: Bytes[]; labels: Map<string, Bytes>; way: string } {
  const way = binary(2 ** depth + leaf);
  const nodes: Bytes[] = [];
  const labels = new Map<string, Bytes>();
  for (let above = 1; above <= depth; above++) {
    const within = way.slice(0, above);
    nodes.push(H(secret, "node", depth, parseInt(within, 2)));
    for (let length = above + 1; length <= depth + 1; length++) {
      const beside = way.slice(0, length - 1) + (way[length - 1] === "0" ? "1" : "0");
      labels.set(`${within} ${beside}`, labelOf(depth, parseInt(within, 2), parseInt(beside, 2)));
    }
  }
  return { nodes, labels, way };
}

function openAs(depth: number, leaf: number, header: Bytes, release: Bytes): Bytes | string {
  const { nodes, labels, way } = keysOf(depth, leaf);
  const [, tree, , salt, commitment, entries] = decodeCbor(header) as [string, Bytes, number, Bytes, Bytes, Bytes];
  const context = hash(encodeCbor(["postern/1/cover-context", tree, depth, salt, release]));
  const byTag = new Map<string, Bytes>();
  for (let at = 0; at < entries.length; at += 45) {
    byTag.set(toHex(entries.slice(at, at + 8)), entries.slice(at + 8, at + 45));
  }
  for (const [above, node] of nodes.entries()) {
    const place = H(node, "place", context);
    const entry = byTag.get(toHex(place.slice(0, 8)));
    if (entry === undefined) continue;
    const without = parseInt(toHex(mask(entry.slice(0, 5), place.slice(8, 13))), 16);
    if (way.startsWith(binary(without))) continue;
    const within = way.slice(0, above + 1);
    const parting = [...binary(without)].findIndex((digit, i) => digit !== way[i]);
    const start = labels.get(`${within} ${binary(without).slice(0, parting + 1)}`);
    const rest = binary(without).slice(parting + 1);
    const label = without === 0
      ? labelOf(depth, 1, 0)
      : [...rest].reduce((key, side) => H(key, "step", Number(side)), start ?? new Uint8Array(0));
    const mek = mask(entry.slice(5), H(label, "wrap", context));
    assertEquals(H(mek, "commitment", context), commitment);
    return mek;
  }
  return "revoked";
}

function stepsOf(kind: RegExp, count: number): ReadStep[] {
  const steps = readExample("cover").filter(({ name }) => kind.test(name));
  assertEquals(steps.length, count, `${kind}`);
  return steps;
}

Deno.test("COVER-03 COVER-04 the keys of the worked example derive as the page says", () => {
  for (const { inputs, outputs } of stepsOf(/^tree/, 2)) {
    const depth = inputs.number("depth");
    assertEquals(outputs.bytes("tree"), H(secret, "tree", depth).slice(0, 16));
    assertEquals(outputs.bytes("everyone"), labelOf(depth, 1, 0));
    for (const node of [1, 5]) assertEquals(outputs.bytes(`node${node}`), H(secret, "node", depth, node));
    for (const [within, without] of [[1, 1], [1, 5], [5, 5], [5, 11]] as const) {
      assertEquals(outputs.bytes(`label${within}to${without}`), labelOf(depth, within, without));
    }
  }
  for (const { inputs, outputs } of stepsOf(/^keys/, 2)) {
    const [depth, leaf] = [inputs.number("depth"), inputs.number("leaf")];
    const { nodes, labels } = keysOf(depth, leaf);
    const tree = H(secret, "tree", depth).slice(0, 16);
    const keys: CborValue[] = [concat(...nodes), concat(...labels.values()), labelOf(depth, 1, 0)];
    const encoded = encodeCbor(["postern/1/cover-member", tree, depth, leaf, ...keys]);
    assertEquals([outputs.number("length"), outputs.text("sha256")], [encoded.length, toHex(hash(encoded))]);
    if (depth === 4) assertEquals(outputs.bytes("encoded"), encoded);
  }
});

/** COVER-05 in the page's words, over ways as texts. */
function coverOf(top: string, leaves: readonly string[]): number[][] {
  const [first = "", last = ""] = [leaves[0], leaves.at(-1)];
  let length = first.length;
  while (first.slice(0, length) !== last.slice(0, length)) length--;
  const meeting = first.slice(0, length);
  const here = meeting === top ? [] : [[parseInt(top, 2), parseInt(meeting, 2)]];
  if (leaves.length < 2) return here;
  return [
    ...here,
    ...["0", "1"].flatMap((side) => coverOf(meeting + side, leaves.filter((leaf) => leaf.startsWith(meeting + side)))),
  ];
}

Deno.test("COVER-05 COVER-07 the covers of the worked example are those of the page", () => {
  for (const { inputs, outputs } of stepsOf(/^cover/, 6)) {
    const depth = inputs.number("depth");
    const leaves = inputs.numbers("revoked").map((leaf) => binary(2 ** depth + leaf)).sort();
    const expected = leaves.length === 0 ? [[1, 0]] : coverOf("1", leaves);
    assertEquals(outputs.list("subsets").map((one) => [one.number("i"), one.number("j")]), expected);
    assertEquals(outputs.number("entries"), 64);
  }
});

Deno.test("COVER-06 COVER-08 COVER-10 the headers of the worked example open for the same instances by the page alone", () => {
  for (const { inputs, outputs } of stepsOf(/^header.*opened/, 8)) {
    const { outputs: sealed } = readStep("cover", inputs.text("header"));
    const opened = openAs(
      inputs.number("depth"),
      inputs.number("leaf"),
      sealed.bytes("header"),
      inputs.bytes("release"),
    );
    if (typeof opened === "string") assertEquals(opened, outputs.text("error"));
    else assertEquals(opened, outputs.bytes("mek"));
  }
  for (const { inputs, outputs } of stepsOf(/^header.* revoked$/, 3)) {
    const header = outputs.bytes("header");
    const [, , , salt, commitment, entries] = decodeCbor(header) as [string, Bytes, number, Bytes, Bytes, Bytes];
    assertEquals([salt, commitment], [inputs.bytes("salt"), outputs.bytes("commitment")]);
    for (const entry of outputs.list("entries")) {
      const place = mask(encodePlace(entry.number("j")), entry.bytes("mask"));
      assert(toHex(entries).includes(toHex(concat(entry.bytes("tag"), place, entry.bytes("wrapped")))));
    }
    const cut = Array.from({ length: 64 }, (_, i) => entries.slice(45 * i, 45 * i + 45));
    assertEquals(cut, cut.toSorted(compareBytes));
  }
});

function encodePlace(node: number): Bytes {
  return new Uint8Array(new BigUint64Array([BigInt(node)]).buffer).slice(0, 5).reverse();
}
