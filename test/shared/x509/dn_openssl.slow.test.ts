/** Names against OpenSSL: what it prints, and which names it takes for the same (its subject hash). */
import { rootCertificates } from "node:tls";
import { assert, assertEquals } from "../../assert.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { displayDn } from "../../../shared/x509/dn.ts";
import { parseDn } from "../../../shared/x509/dn_parse.ts";
import { readPem, writePem } from "../../../shared/x509/pem.ts";
import { element } from "../../../shared/der/write.ts";
import { build, rawName, STRINGS } from "./builder.ts";
import { withOpenssl } from "../crypto/openssl.ts";
import { OpensslFolder } from "./openssl_folder.ts";

const roots = rootCertificates.flatMap((text) => readPem(text)).map(({ bytes }) => bytes);

/** OpenSSL's hash over its canonical form of each certificate's subject, from the links that `rehash` makes. */
async function subjectHashes(certificates: readonly Uint8Array<ArrayBuffer>[]): Promise<string[]> {
  await using folder = await OpensslFolder.make();
  for (const [i, der] of certificates.entries()) await folder.write(`${i}.pem`, writePem("CERTIFICATE", der));
  await folder.run("rehash", ".");
  const hashes = new Map<string, string>();
  for await (const { name, isSymlink } of Deno.readDir(folder.path)) {
    if (isSymlink) hashes.set(await Deno.readLink(`${folder.path}/${name}`), name.split(".")[0] ?? "");
  }
  return certificates.map((_, i) => {
    const hash = hashes.get(`${i}.pem`);
    if (hash === undefined) throw new Error(`OpenSSL read no certificate ${i}`);
    return hash;
  });
}

/** For each pair, the names are equal here if, and only if, they are for OpenSSL. Returns how many equal pairs there were. */
function compareEquality(names: readonly string[], hashes: readonly string[]): number {
  let equal = 0;
  for (const [i, name] of names.entries()) {
    for (let j = 0; j < i; j++) {
      assertEquals(name === names[j], hashes[i] === hashes[j], `${name} / ${names[j]}`);
      if (name === names[j]) equal++;
    }
  }
  return equal;
}

withOpenssl.test("canonicalDn() takes the runtime's roots for the same exactly where OpenSSL does", async () => {
  assert(roots.length > 100, `only ${roots.length} roots`);
  compareEquality(roots.map((der) => readCertificate(der).subject), await subjectHashes(roots));
});

withOpenssl.test("canonicalDn() takes variants of a name for the same exactly where OpenSSL does (spec: ROW-12)", async () => {
  const texts = [
    "Example CA",
    "EXAMPLE  ca",
    " example ca ",
    "ExampleCA",
    "Example\tCA",
    "Example, CA",
    "Ex\\ample CA",
    "#0c0161",
    "a",
    "",
  ];
  const names = [
    ...texts.flatMap((text) => Object.values(STRINGS).map((form) => rawName([["2.5.4.3", form(text)]]))),
    ...texts.map((text) => rawName([["2.5.4.10", STRINGS.utf8(text)]])),
    ...["Zo\u00eb", "Zo\u00eb ", "Zoe"].flatMap((text) =>
      [STRINGS.utf8, STRINGS.bmp, STRINGS.teletex, STRINGS.universal].map((form) => rawName([["2.5.4.3", form(text)]]))
    ),
    ...["12", " 12"].map((text) => rawName([["2.5.4.5", element(0x12, new TextEncoder().encode(text))]])),
    rawName([["2.5.4.45", element(0x03, Uint8Array.of(0, 1))]]),
    rawName([["2.5.4.6", STRINGS.printable("DE")]], [["2.5.4.3", STRINGS.utf8("x")]]),
    rawName([["2.5.4.6", STRINGS.utf8("de")]], [["2.5.4.3", STRINGS.printable("X")]]),
    rawName([["2.5.4.3", STRINGS.printable("X")]], [["2.5.4.6", STRINGS.utf8("de")]]),
    rawName([["2.5.4.3", STRINGS.printable("x")], ["2.5.4.6", STRINGS.printable("de")]]),
    rawName([["2.5.4.3", STRINGS.printable("X")], ["2.5.4.6", STRINGS.printable("DE")]]),
  ];
  const certificates = await Promise.all(names.map((subject) => build({ subject, issuer: "CN=issuer" })));
  const equal = compareEquality(
    certificates.map((der) => readCertificate(der).subject),
    await subjectHashes(certificates),
  );
  assert(equal > 100, `only ${equal} pairs were equal`);
});

withOpenssl.test("displayDn() prints what OpenSSL prints, and parseDn() finds a name by that", async () => {
  await using folder = await OpensslFolder.make();
  const odd = [
    'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h',
    "CN=\\#x,O=\\ y\\ ",
    "CN=Zo\u00eb \u5b57,O=\ud83d\ude00",
    "DC=org+UID=x,CN=a\\0ab",
    "1.2.3=#0c0161",
  ];
  const certificates = [...roots, ...await Promise.all(odd.map((subject) => build({ subject })))];
  // Several at a time: starting a process is most of the work.
  const queue = certificates.entries();
  const work = async () => {
    for (const [i, der] of queue) {
      await folder.write(`${i}.der`, der);
      const args = ["x509", "-inform", "DER", "-in", `${i}.der`, "-noout", "-subject", "-nameopt"];
      const printed = (await folder.run(...args, "RFC2253,-esc_msb,utf8")).replace(/^subject=|\n$/g, "");
      const { subject, subjectName } = readCertificate(der);
      assertEquals(parseDn(printed), subject);
      // Which attribute of an RDN comes first is nobody's rule.
      if (subjectName.every((rdn) => rdn.length === 1)) assertEquals(displayDn(subjectName), printed);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
});
