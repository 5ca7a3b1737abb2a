/** Name constraints, each case judged by OpenSSL as well. */
import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { bySubject, findPath } from "../../../shared/x509/chain.ts";
import { context, contextConstructed } from "../../../shared/der/read.ts";
import { element, sequence } from "../../../shared/der/write.ts";
import { type Attribute, writeName } from "../../../shared/x509/dn.ts";
import { EMAIL_ADDRESS } from "../../../shared/x509/attribute_names.ts";
import { parseName } from "../../../shared/x509/dn_parse.ts";
import { EXTENSION } from "../../../shared/x509/extensions.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import type { GeneralName } from "../../../shared/x509/general_name.ts";
import { type NameRefusal, refusal } from "../../../shared/x509/name_constraints.ts";
import { extension } from "../../../shared/x509/write_certificate.ts";
import { authority, holder, nameDer, newKey, NOW, STRINGS } from "./builder.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

/** One GeneralName, written `dns:example.org`, `email:`, `uri:`, `ip:`, `rid:` or `x400:` and hex, or `dir:` and a name. */
function generalName(text: string): Bytes {
  const colon = text.indexOf(":");
  const value = text.slice(colon + 1);
  switch (text.slice(0, colon)) {
    case "email":
      return element(context(1), utf8(value));
    case "dns":
      return element(context(2), utf8(value));
    case "dir":
      return element(contextConstructed(4), nameDer(value));
    case "uri":
      return element(context(6), utf8(value));
    case "ip":
      return element(context(7), fromHex(value));
    case "rid":
      return element(context(8), fromHex(value));
    case "x400":
      return element(contextConstructed(3), fromHex(value));
    default:
      throw new Error(text);
  }
}

function constraintsExtension(permitted: readonly string[], excluded: readonly string[]): Bytes {
  const subtrees = (tag: number, names: readonly string[]) =>
    names.length === 0 ? [] : [element(contextConstructed(tag), ...names.map((name) => sequence(generalName(name))))];
  return extension(EXTENSION.nameConstraints, true, sequence(...subtrees(0, permitted), ...subtrees(1, excluded)));
}

interface Case {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  readonly subject?: string;
  readonly names?: readonly string[];
  readonly allowed: boolean;
  /** Why OpenSSL (3.0) answers otherwise; without this it must answer the same. */
  readonly differs?: string;
}

const net = "0a000000ff000000";
const CASES: readonly Case[] = [
  { permitted: ["dns:example.org"], names: ["dns:example.org"], allowed: true },
  { permitted: ["dns:example.org"], names: ["dns:Mail.EXAMPLE.org"], allowed: true },
  { permitted: ["dns:example.org"], names: ["dns:badexample.org"], allowed: false },
  { permitted: ["dns:example.org"], names: ["dns:example.com"], allowed: false },
  { permitted: ["dns:example.org"], names: ["dns:example.org.evil.com"], allowed: false },
  { permitted: ["dns:example.org"], names: ["dns:a.example.org", "dns:evil.com"], allowed: false },
  { permitted: ["dns:a.org", "dns:b.org"], names: ["dns:x.b.org"], allowed: true },
  { permitted: [".example.org"].map((d) => `dns:${d}`), names: ["dns:a.example.org"], allowed: true },
  { permitted: [".example.org"].map((d) => `dns:${d}`), names: ["dns:example.org"], allowed: false },
  { permitted: [".example.org"].map((d) => `dns:${d}`), names: ["dns:longer.example.com"], allowed: false },
  { permitted: ["dns:"], names: ["dns:anything.example"], allowed: true },
  { excluded: ["dns:"], names: ["dns:anything.example"], allowed: false },
  { permitted: ["dns:example.org"], names: ["dns:*.example.org"], allowed: true },
  { permitted: ["dns:a.example.org"], names: ["dns:*.example.org"], allowed: false },
  { excluded: ["dns:example.org"], names: ["dns:a.example.org"], allowed: false },
  { excluded: ["dns:example.org"], names: ["dns:example.com"], allowed: true },
  {
    excluded: ["dns:a.example.org"],
    names: ["dns:*.example.org"],
    allowed: false,
    differs: "compares '*' as a letter",
  },
  { excluded: ["dns:a.b.example.org"], names: ["dns:*.example.org"], allowed: true },
  {
    permitted: ["dns:example.org"],
    names: ["dns:f*.example.org"],
    allowed: false,
    differs: "compares '*' as a letter",
  },
  {
    permitted: ["dns:example.org"],
    excluded: ["dns:secret.example.org"],
    names: ["dns:x.secret.example.org"],
    allowed: false,
  },
  {
    permitted: ["dns:example.org"],
    excluded: ["dns:secret.example.org"],
    names: ["dns:open.example.org"],
    allowed: true,
  },
  { permitted: ["dns:example.org"], names: ["ip:0a000001"], allowed: true },
  { permitted: ["dns:example.org"], allowed: true },

  { permitted: [`ip:${net}`], names: ["ip:0a010203"], allowed: true },
  { permitted: [`ip:${net}`], names: ["ip:0b010203"], allowed: false },
  { excluded: [`ip:${net}`], names: ["ip:0a010203"], allowed: false },
  { excluded: [`ip:${net}`], names: ["ip:0b010203"], allowed: true },
  { permitted: [`ip:${net}`], names: [`ip:20010db8${"00".repeat(12)}`], allowed: false },
  {
    permitted: [`ip:20010db8${"00".repeat(12)}ffffffff${"00".repeat(12)}`],
    names: [`ip:20010db8${"01".repeat(12)}`],
    allowed: true,
  },
  {
    permitted: [`ip:20010db8${"00".repeat(12)}ffffffff${"00".repeat(12)}`],
    names: [`ip:20010db9${"01".repeat(12)}`],
    allowed: false,
  },
  { permitted: [`ip:20010db8${"00".repeat(12)}ffffffff${"00".repeat(12)}`], names: ["ip:0a000001"], allowed: false },
  { permitted: ["ip:0a010203ff000000"], names: ["ip:0a040506"], allowed: true },
  { excluded: [`ip:${net}`], names: ["ip:0a0102"], allowed: false },
  { permitted: ["ip:0a000000ff00ff00"], names: ["ip:0a000001"], allowed: false, differs: "takes a mask with holes" },

  { permitted: ["email:example.org"], names: ["email:ann@example.org"], allowed: true },
  { permitted: ["email:example.org"], names: ["email:ann@EXAMPLE.org"], allowed: true },
  { permitted: ["email:example.org"], names: ["email:ann@mail.example.org"], allowed: false },
  { permitted: ["email:.example.org"], names: ["email:ann@mail.example.org"], allowed: true },
  { permitted: ["email:.example.org"], names: ["email:ann@example.org"], allowed: false },
  { permitted: ["email:.example.org"], names: ["email:ann@longer.example.com"], allowed: false },
  { permitted: ["email:ann@example.org"], names: ["email:ann@example.org"], allowed: true },
  { permitted: ["email:ann@example.org"], names: ["email:Ann@example.org"], allowed: false },
  { permitted: ["email:ann@example.org"], names: ["email:bob@example.org"], allowed: false },
  { excluded: ["email:example.org"], names: ["email:ann@example.org"], allowed: false },
  { excluded: ["email:example.org"], names: ["email:ann@example.com"], allowed: true },
  { permitted: ["email:example.org"], subject: "CN=x,emailAddress=ann@example.org", allowed: true },
  { permitted: ["email:example.org"], subject: "CN=x,emailAddress=ann@evil.com", allowed: false },
  { excluded: ["email:evil.com"], subject: "CN=x,emailAddress=ann@evil.com", allowed: false },
  { permitted: ["email:evil.com"], names: ['email:"a@b"@evil.com'], allowed: false, differs: "takes the last '@'" },
  { excluded: ["email:example.org"], names: ["email:nobody"], allowed: false },

  { permitted: ["dir:O=Org,C=DE"], subject: "CN=x,O=Org,C=DE", allowed: true },
  { permitted: ["dir:O=Org,C=DE"], subject: "CN=x,O= ORG ,C=de", allowed: true },
  { permitted: ["dir:O=Org,C=DE"], subject: "O=Org,C=DE", allowed: true },
  { permitted: ["dir:O=Org,C=DE"], subject: "CN=x,O=Other,C=DE", allowed: false },
  { permitted: ["dir:O=Org,C=DE"], subject: "C=DE", allowed: false },
  { permitted: ["dir:O=Org,C=DE"], subject: "CN=x,C=DE,O=Org", allowed: false },
  { permitted: ["dir:C=DE"], subject: "CN=x,C=DE", names: ["dir:C=FR"], allowed: false },
  { excluded: ["dir:O=Org,C=DE"], subject: "CN=x,O=Org,C=DE", allowed: false },
  { excluded: ["dir:O=Org,C=DE"], subject: "CN=x,O=Orga,C=DE", allowed: true },
  { permitted: ["dir:O=Zo\u00eb"], subject: "CN=x,O=ZO\u00cb", allowed: true, differs: "folds ASCII only" },

  { permitted: ["uri:example.org"], names: ["uri:https://example.org/"], allowed: false, differs: "compares URIs" },
  { excluded: ["uri:example.org"], names: ["uri:https://example.com/"], allowed: false, differs: "compares URIs" },
  { permitted: ["uri:example.org"], names: ["dns:example.com"], allowed: true },
  { permitted: ["dns:example.org"], names: ["uri:https://example.com/"], allowed: true },

  { permitted: ["dir:O=Org,C=DE"], subject: "", names: ["dns:example.org"], allowed: true },

  { permitted: ["rid:2a03"], names: ["rid:2a03"], allowed: false },
  { excluded: ["rid:2a03"], names: ["rid:2a04"], allowed: false },
  { permitted: ["rid:2a03"], names: ["x400:3000"], allowed: true },
  { permitted: ["rid:2a03"], names: ["dns:example.org"], allowed: true },
];

/** Mail addresses as IA5String, which RFC 5280 demands and OpenSSL insists on. */
function subjectDer(text: string): Bytes {
  const ia5 = ({ type, text, der }: Attribute) => ({
    type,
    text,
    der: type === EMAIL_ADDRESS ? STRINGS.ia5(text ?? "") : der,
  });
  return writeName(parseName(text).map((rdn) => rdn.map(ia5)));
}

const keys = [await newKey(), await newKey()] as const;

async function scene({ permitted = [], excluded = [], subject = "CN=x", names = [] }: Case) {
  const root = await authority("CN=root", undefined, {
    key: keys[0],
    extensions: [constraintsExtension(permitted, excluded)],
  });
  const basic = extension(EXTENSION.basicConstraints, true, sequence());
  const san = extension(EXTENSION.subjectAltName, false, sequence(...names.map(generalName)));
  const extensions = names.length === 0 ? [basic] : [basic, san];
  return {
    root: root.certificate,
    leaf: (await holder({ subject: subjectDer(subject), key: keys[1], extensions }, root)).certificate,
  };
}

Deno.test("findPath() keeps to name constraints", async () => {
  for (const item of CASES) {
    const { root, leaf } = await scene(item);
    const result = await findPath(leaf, { anchors: bySubject([root]), candidates: () => [], now: NOW });
    assertEquals(
      result.ok ? "allowed" : result.reason,
      item.allowed ? "allowed" : "name_not_allowed",
      JSON.stringify(item),
    );
  }
});

withOpenssl.test("findPath() agrees with OpenSSL about name constraints, but for named exceptions", async () => {
  await using folder = await OpensslFolder.make();
  for (const item of CASES.filter(({ differs }) => differs === undefined)) {
    const { root, leaf } = await scene(item);
    await folder.write("root.pem", writePem("CERTIFICATE", root.der));
    await folder.write("leaf.pem", writePem("CERTIFICATE", leaf.der));
    const { success } = await folder.try("verify", "-attime", String(NOW / 1000), "-CAfile", "root.pem", "leaf.pem");
    assertEquals(success, item.allowed, JSON.stringify(item));
  }
});

Deno.test("findPath() applies constraints to everything below, except an authority's own new certificates", async () => {
  const root = await authority("CN=root", undefined, { extensions: [constraintsExtension(["dir:O=in"], [])] });
  const outside = await authority("CN=a,O=out", root);
  const inside = await authority("CN=b,O=in", root);
  const rekeyed = await authority("CN=root", root);
  const below = async (by: typeof root) => {
    const { certificate } = await holder({ subject: "CN=c,O=in" }, by);
    const candidates = bySubject([outside, inside, rekeyed].map(({ certificate }) => certificate));
    return await findPath(certificate, { anchors: bySubject([root.certificate]), candidates, now: NOW });
  };
  assertEquals([(await below(inside)).ok, (await below(rekeyed)).ok], [true, true]);
  const found = await below(outside);
  assert(!found.ok && found.reason === "name_not_allowed" && found.certificate === outside.certificate);
  // As the certificate in question it is no exception.
  const last = await findPath(rekeyed.certificate, {
    anchors: bySubject([root.certificate]),
    candidates: () => [],
    now: NOW,
  });
  assert(!last.ok && last.reason === "name_not_allowed");
});

Deno.test("findPath() stops comparing names when two long lists multiply", async () => {
  const many = (count: number, suffix: string) => Array.from({ length: count }, (_, i) => `dns:${i}.${suffix}`);
  const { root, leaf } = await scene({ excluded: many(900, "a"), names: many(900, "b"), allowed: false });
  const found = await findPath(leaf, { anchors: bySubject([root]), candidates: () => [], now: NOW });
  assert(
    !found.ok && found.reason === "name_not_allowed" && found.message.includes("too many"),
    JSON.stringify(found.ok),
  );
});

Deno.test("refusal() compares as often as it may, and counts both lists", () => {
  const dns = (text: string) => ({ form: "dns", text }) as const;
  const constraints = { permitted: [dns("a"), dns("b")], excluded: [dns("c"), dns("d"), dns("e")] };
  const after = (comparisons: number) => {
    const budget = { comparisons };
    return [refusal([dns("x.a"), dns("x.b")], constraints, budget), budget.comparisons];
  };
  assertEquals(after(13), [undefined, 1]);
  assertEquals(after(12), [undefined, 0]);
  assertEquals(after(11), ["too many to compare", -1]);
});

Deno.test("refusal() waves no constraint through that has not one meaning", () => {
  const judged = (name: GeneralName, base: GeneralName) =>
    [{ permitted: [base], excluded: undefined }, { permitted: undefined, excluded: [base] }]
      .map((constraints) => refusal([name], constraints, { comparisons: 9 }));
  const unclear: NameRefusal[] = ["of a form that cannot be compared", "of a form that cannot be compared"];
  const mail = { form: "email", text: "ann@example.org" } as const;
  for (const text of ["", "ann@mail@example.org", '"ann"@example.org']) {
    assertEquals(judged(mail, { form: "email", text }), unclear);
  }
  const address = { form: "ip", bytes: Uint8Array.of(10, 0, 0, 1) } as const;
  for (const length of [0, 6, 10, 31, 33]) {
    assertEquals(judged(address, { form: "ip", bytes: new Uint8Array(length) }), unclear);
  }
  // A name that is nothing but what it must have something in front of.
  assertEquals(judged({ form: "dns", text: ".example.org" }, { form: "dns", text: ".example.org" }), [
    ...["not permitted", undefined],
  ]);
  assertEquals(judged({ form: "email", text: "ann@.example.org" }, { form: "email", text: ".example.org" }), [
    ...["not permitted", undefined],
  ]);
});
