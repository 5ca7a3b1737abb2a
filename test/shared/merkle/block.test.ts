import fc from "fast-check";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { decodeCbor, encodeCbor } from "../../../shared/bytes/cbor.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { type BlockNode, decodeBlock, encodeBlock, isPath } from "../../../shared/merkle/block.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { builtBlocks } from "./block_model.ts";
import { leafSets, sorted, tableLeaves } from "./state_tree_model.ts";

const hash = new Uint8Array(32).fill(7);

/** A leaf of 72 bytes whose key begins so. */
function leaf(...key: number[]): Bytes {
  const node = new Uint8Array(72);
  node.set(key);
  return node;
}

Deno.test("TREE-07: decodeBlock() gives back what encodeBlock() took", () => {
  fc.assert(fc.property(leafSets, (leaves) => {
    for (const [path, nodes] of builtBlocks(sorted(leaves))) {
      assertEquals(decodeBlock(path, encodeBlock(nodes)), [...nodes]);
    }
  }));
});

Deno.test("TREE-07: decodeBlock() throws malformed for what is no block of the path", () => {
  const full = Array.from({ length: 16 }, () => hash);
  const inner = (bit: number, left: BlockNode[], right: BlockNode[]): BlockNode[] => [bit, ...left, ...right];
  const bad: Record<string, [string, unknown[]]> = {
    "no inner node": ["a", [hash]],
    "nothing": ["a", []],
    "two roots": ["", [hash, hash]],
    "an inner node alone": ["", [0]],
    "a side that is missing": ["", [0, hash]],
    "a node too many": ["", [0, hash, hash, hash]],
    "a bit above the path's digit": ["a", [3, hash, hash]],
    "a bit below the path's digit": ["a", [8, hash, hash]],
    "the same bit twice": ["", inner(1, inner(1, [hash], [hash]), [hash])],
    "a bit that falls": ["", inner(1, [hash], inner(0, [hash], [hash]))],
    "a bit of no key": ["0".repeat(79), [320, hash, hash]],
    "a negative bit": ["", [-1, hash, hash]],
    "null": ["", [0, null, hash]],
    "a text": ["", [0, "x", hash]],
    "an array": ["", [0, [], hash]],
    "a short hash": ["", [0, hash.subarray(1), hash]],
    "a long leaf": ["", [0, new Uint8Array(73), hash]],
    "a leaf of another path": ["a", [4, leaf(0xb0), hash]],
    "a leaf on the wrong side": ["", [0, leaf(0x80), hash]],
    "a leaf on the wrong side further down": ["", inner(0, [hash], inner(2, [leaf(0xa0)], [hash]))],
    "a path in upper case": ["A", [4, hash, hash]],
    "a path of 80 digits": ["0".repeat(80), [319, hash, hash]],
    "no array": ["", { a: 1 } as unknown as unknown[]],
    "more nodes than four bits have": ["", [0, 1, 2, 3, ...full, ...full]],
  };
  for (const [path, nodes] of Object.values(bad)) {
    assertThrows(() => decodeBlock(path, encodeCbor(nodes as BlockNode[])), "malformed");
  }
  assertThrows(() => decodeBlock("", new Uint8Array(0)), "malformed");
  assertThrows(() => decodeBlock("", new Uint8Array(LIMITS.maxBlockBytes + 1)), "too_large");
});

Deno.test("TREE-07: the block of the empty path may be empty, one leaf or one hash", () => {
  for (const nodes of [[], [leaf(0xff)], [hash]]) assertEquals(decodeBlock("", encodeBlock(nodes)), nodes);
});

Deno.test("decodeBlock() accepts nothing but what encodes to the same bytes again", () => {
  const blocks = [...builtBlocks(tableLeaves(200))].map(([path, nodes]) => [path, encodeBlock(nodes)] as const);
  const damage = fc.record({ block: fc.nat(blocks.length - 1), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) });
  fc.assert(
    fc.property(damage, fc.boolean(), ({ block, at, byte, cut }, isLonger) => {
      const [path, bytes] = blocks[block] ?? ["", new Uint8Array(1)];
      const damaged = isLonger ? concat(bytes, Uint8Array.of(byte)) : bytes.slice(0, bytes.length - cut);
      damaged[at % damaged.length] = byte;
      let nodes: BlockNode[];
      try {
        nodes = decodeBlock(path, damaged);
      } catch (error) {
        assert(isPosternError(error, "malformed") || isPosternError(error, "too_large"));
        return;
      }
      assertEquals(encodeBlock(nodes), damaged);
      assertEquals(decodeCbor(damaged), nodes.map((node) => typeof node === "number" ? node : node.slice()));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("decodeBlock() answers for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeBlock("", new Uint8Array(bytes));
      } catch (error) {
        assert(isPosternError(error, "malformed"));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("isPath() knows lower-case hexadecimal of 0 to 79 digits", () => {
  for (const path of ["", "0", "0af", "f".repeat(79)]) assertEquals(isPath(path), true);
  for (const path of ["A", "g", "0 ", "0\n", "f".repeat(80)]) assertEquals(isPath(path), false);
});
