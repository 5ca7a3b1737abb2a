import fc from "fast-check";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { type Bytes, concat, equalBytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey } from "../../../shared/crypto/signature.ts";
import { decodeContent, listsOf, type RowContent, sameList, standsIn } from "../../../shared/protocol/contents.ts";
import {
  contentLeaf,
  encodeCertificate,
  encodeChannel,
  encodeDevice,
  encodeMessage,
  encodePart,
} from "../../../shared/protocol/plaintexts.ts";
import { encodeChanges, encodeCover, encodeReceipt } from "../../../shared/protocol/records.ts";
import type { TableNumber } from "../../../shared/protocol/tables.ts";
import { LISTS } from "../../../shared/protocol/token.ts";
import { issueRoot } from "../../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import * as arbitrary from "./arbitraries.ts";
import { filled } from "./epoch.ts";

function encode(content: RowContent): Bytes {
  switch (content.kind) {
    case "device":
      return encodeDevice(content.device);
    case "certificate":
      return encodeCertificate(content.certificate);
    case "channel":
      return encodeChannel(content.channel);
    case "message":
      return encodeMessage(content.message);
    case "part":
      return encodePart(content.part);
    case "receipt":
      return encodeReceipt(content.receipt);
    case "changes":
      return encodeChanges(content.changes);
    case "cover":
      return encodeCover(content.zeros);
  }
}

const TABLE: Readonly<Record<Exclude<RowContent["kind"], "cover">, TableNumber>> = {
  ...{ device: 1, certificate: 2, channel: 3, message: 3, part: 3, receipt: 3, changes: 4 },
};

Deno.test("decodeContent() knows every kind, and in its own table alone, ROW-07", () => {
  fc.assert(fc.property(arbitrary.content, (content) => {
    for (const table of [1, 2, 3, 4] as const) {
      const read = () => decodeContent(table, encode(content));
      if (content.kind === "cover" || TABLE[content.kind] === table) assertEquals(read(), content);
      else assertThrows(read, "malformed");
    }
  }));
});

Deno.test("decodeContent() refuses what is of no kind", () => {
  const others = [
    encodeCbor(["devices", 1]),
    encodeCbor(["", 1]),
    encodeCbor([1, 2]),
    encodeCbor("device"),
    encodeCbor([]),
    encodeCbor({ device: 1 }),
    new Uint8Array(),
    Uint8Array.of(0x81, 0x66),
    // No length of a text, and very much behind it.
    concat(Uint8Array.of(0x82, 0x10), new Uint8Array(900_000)),
  ];
  for (const bytes of others) assertThrows(() => decodeContent(1, bytes), "malformed");
});

async function certificate(): Promise<{ der: Bytes; fingerprint: Bytes; subject: string }> {
  const pair = await generateSigningKey("Ed25519", false);
  const validity = { notBefore: 0, notAfter: 1_000_000 };
  return await issueRoot(cryptoKeySigner(pair.privateKey), await exportSpki(pair.publicKey), validity, webCryptoRandom);
}

Deno.test("listsOf() names the places of each kind and standsIn() no others but those of cover rows, ROW-10 ROW-13", async () => {
  const sample = <T>(one: fc.Arbitrary<T>): T => {
    const [value] = fc.sample(one, 1);
    if (value === undefined) throw new Error("no sample");
    return value;
  };
  const { der, fingerprint, subject } = await certificate();
  const device = sample(arbitrary.device);
  const message = { ...sample(arbitrary.message), position: 5, channel: "mail" };
  const part = { ...sample(arbitrary.part), index: 2 };
  const receipt = { ...sample(arbitrary.receipt), number: 9 };
  const places: [RowContent, { list: Parameters<typeof sameList>[0]; number: number }[]][] = [
    [{ kind: "device", device }, [{ list: LISTS.device(device.id), number: 0 }]],
    [{ kind: "certificate", certificate: { ...sample(arbitrary.certificate), der } }, [
      { list: LISTS.fingerprint(fingerprint), number: 0 },
      { list: LISTS.subject(subject), number: 0 },
      { list: LISTS.subject(subject), number: 41 },
    ]],
    [{ kind: "channel", channel: sample(arbitrary.channel) }, [{ list: LISTS.channels, number: 3 }]],
    [{ kind: "message", message }, [{ list: LISTS.channel("mail"), number: 5 }]],
    [{ kind: "part", part }, [{ list: LISTS.message(part.message), number: 2 }]],
    [{ kind: "receipt", receipt }, [
      { list: { kind: "receipt", name: concat(receipt.device, receipt.stream) }, number: 9 },
    ]],
    [{ kind: "changes", changes: { generation: 12, changes: [] } }, [
      { list: { kind: "generations", name: "" }, number: 12 },
    ]],
    [{ kind: "cover", zeros: 3 }, []],
  ];
  const all = places.flatMap(([, own]) => own);
  for (const [content, own] of places) {
    for (const place of all) {
      const isOwn = content.kind === "cover"
        ? ["subject", "channels", "channel"].includes(place.list.kind)
        : own.some(({ list, number }) => sameList(list, place.list) && number === place.number);
      assertEquals(standsIn(content, place), isOwn, `${content.kind} in ${place.list.kind} ${place.number}`);
    }
    for (const { list } of own.filter(({ list: { kind } }) => kind !== "subject" && kind !== "channels")) {
      assert(!standsIn(content, { list, number: 1_000_000 }), `${content.kind} in ${list.kind}`);
    }
  }
  assert(!standsIn({ kind: "device", device }, { list: LISTS.device(device.id), number: 1 }));
  assert(!standsIn({ kind: "channel", channel: { name: "x", created: 0 } }, { list: LISTS.channels, number: 0 }));
});

Deno.test("listsOf() finds a certificate that cannot be read by its fingerprint alone", () => {
  const der = filled(20, 7);
  const broken: RowContent = {
    kind: "certificate",
    certificate: { der, status: 0, added: 0, origin: "import", note: "", isAnchor: false, reason: "" },
  };
  assertEquals(listsOf(broken, 0), [LISTS.fingerprint(sha256(der))]);
  assertEquals(listsOf(broken, 1), []);
});

Deno.test("contentLeaf() is the same in every epoch and another for every place and content, TREE-05", () => {
  const plaintext = filled(10, 1);
  const leaf = contentLeaf(LISTS.channel("mail"), 4, plaintext);
  assertEquals(
    leaf.key,
    concat(sha256(encodeCbor(["postern/1/content-name", 3, "channel", "mail", 4])), new Uint8Array(8)),
  );
  assertEquals(leaf.value, sha256(encodeCbor(["postern/1/content", plaintext])));
  assert(!equalBytes(contentLeaf(LISTS.channel("mail"), 5, plaintext).key, leaf.key));
  assert(!equalBytes(contentLeaf(LISTS.subject("mail"), 4, plaintext).key, leaf.key));
  assert(!equalBytes(contentLeaf(LISTS.channel("mail"), 4, filled(10, 2)).value, leaf.value));
});
