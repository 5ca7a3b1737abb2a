import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals } from "../../assert.ts";
import { authority, build, DAY, holder } from "../../shared/x509/builder.ts";
import { NOW } from "../../fixtures/owner.ts";
import { CliWorld } from "./harness.ts";

const LONG = { notBefore: NOW - DAY, notAfter: NOW + 365 * DAY };

interface Listed {
  readonly certificates: readonly { fingerprint: string; status: string; trusted: boolean; subject: string }[];
}

async function list(world: CliWorld): Promise<string[]> {
  const { certificates } = await world.json("cert", "list") as Listed;
  return certificates.map(({ subject, status, trusted }) => `${subject} ${trusted ? "trusted" : status}`).sort();
}

Deno.test("cert import makes usable what a trusted authority vouches for, in whatever order, and holds back the rest", async () => {
  await using world = await CliWorld.ready();
  const root = await authority("CN=Root", undefined, LONG);
  const middle = await authority("CN=Middle", root, LONG);
  const leaf = await holder({ subject: "CN=Leaf", ...LONG }, middle);
  const stranger = await holder({ subject: "CN=Stranger", ...LONG });
  const pem = (...ders: Uint8Array<ArrayBuffer>[]) => ders.map((der) => writePem("CERTIFICATE", der)).join("");
  await world.write("root.pem", pem(root.certificate.der));
  await world.write("rest.pem", pem(leaf.certificate.der, stranger.certificate.der, middle.certificate.der));

  assertEquals(await world.json("cert", "import", "root.pem", "--trust"), {
    ...{ usable: 1, waiting: 0, blocked: 0, trusted: 1, known: 0, problems: [] },
  });
  const rest = await world.json("cert", "import", "rest.pem") as { usable: number; waiting: number };
  assertEquals([rest.usable, rest.waiting], [2, 1]);
  assertEquals(await list(world), ["CN=Leaf usable", "CN=Middle usable", "CN=Root trusted", "CN=Stranger waiting"]);
  assertEquals((await world.json("cert", "import", "rest.pem") as { known: number }).known, 3);

  assert((await world.text("cert", "review")).includes("CN=Stranger"));
  const fingerprint = toHex(sha256(stranger.certificate.der));
  await world.json("cert", "allow", fingerprint.slice(0, 12));
  await world.json("cert", "block", toHex(sha256(leaf.certificate.der)), "--reason", "lost");
  assertEquals(await list(world), ["CN=Leaf blocked", "CN=Middle usable", "CN=Root trusted", "CN=Stranger usable"]);
  await world.json("cert", "remove", fingerprint.slice(0, 12));
  await world.fails(66, ["cert", "show", fingerprint]);
});

Deno.test("cert allow --trust makes usable what waited for that authority", async () => {
  await using world = await CliWorld.ready();
  const root = await authority("CN=Root", undefined, LONG);
  const leaf = await holder({ subject: "CN=Leaf", ...LONG }, root);
  await world.write(
    "all.pem",
    writePem("CERTIFICATE", root.certificate.der) + writePem("CERTIFICATE", leaf.certificate.der),
  );
  await world.json("cert", "import", "all.pem");
  assertEquals(await list(world), ["CN=Leaf waiting", "CN=Root waiting"]);
  const said = await world.text("cert", "allow", toHex(sha256(root.certificate.der)), "--trust");
  assert(said.includes("1 others"), said);
  assertEquals(await list(world), ["CN=Leaf usable", "CN=Root trusted"]);
});

Deno.test("settings --review all lets every new certificate wait", async () => {
  await using world = await CliWorld.ready();
  const root = await authority("CN=Root", undefined, LONG);
  const leaf = await holder({ subject: "CN=Leaf", ...LONG }, root);
  await world.json("settings", "--review", "all");
  await world.write("root.pem", writePem("CERTIFICATE", root.certificate.der));
  await world.write("leaf.der", leaf.certificate.der);
  await world.json("cert", "import", "root.pem", "--trust");
  await world.json("cert", "import", "leaf.der");
  assertEquals(await list(world), ["CN=Leaf waiting", "CN=Root trusted"]);
});

Deno.test("cert import tells of each broken file and goes on with the others", async () => {
  await using world = await CliWorld.ready();
  const good = await build({ subject: "CN=Good", ...LONG });
  await Deno.mkdir(world.path("folder"));
  await world.write("folder/a.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
  await world.write("folder/b.der", webCryptoRandom(300));
  await world.write("folder/c.pem", writePem("CERTIFICATE", good));
  await world.write("folder/d.der", good.slice(0, 200));
  await world.write("folder/e.txt", "no certificate in here");
  const imported = await world.json("cert", "import", "folder") as {
    waiting: number;
    problems: { source: string; code: string }[];
  };
  assertEquals(imported.waiting, 1);
  assertEquals(imported.problems.map(({ source }) => source.split("/").at(-1)?.[0]), ["a", "b", "d", "e"]);
  assert(imported.problems.every(({ code }) => code !== "bug"));
});

Deno.test("cert import ends with the code of what it was named and could not take, and has taken the rest", async () => {
  await using world = await CliWorld.ready();
  const [one, two] = [await build({ subject: "CN=One", ...LONG }), await build({ subject: "CN=Two", ...LONG })];
  await world.write(
    "one.pem",
    `-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n${writePem("CERTIFICATE", one)}`,
  );
  await world.write("two.pem", writePem("CERTIFICATE", two));
  await world.write("note.txt", "no certificate in here");
  assertEquals((await world.run(["cert", "import", "missing.pem", "two.pem"])).code, 66);
  assertEquals((await world.run(["cert", "import", "one.pem"])).code, 65);
  assertEquals((await world.run(["cert", "import", "note.txt"])).code, 65);
  assertEquals(await list(world), ["CN=One waiting", "CN=Two waiting"]);
});

Deno.test("cert import --trust trusts what is known already, and what waited for it, but nothing that is blocked", async () => {
  await using world = await CliWorld.ready();
  const [root, lost] = [await authority("CN=Root", undefined, LONG), await authority("CN=Lost", undefined, LONG)];
  const leaf = await holder({ subject: "CN=Leaf", ...LONG }, root);
  const stranger = await holder({ subject: "CN=Stranger", ...LONG });
  const pem = (...ders: Uint8Array<ArrayBuffer>[]) => ders.map((der) => writePem("CERTIFICATE", der)).join("");
  await world.write("roots.pem", pem(root.certificate.der, lost.certificate.der));
  await world.write("others.pem", pem(leaf.certificate.der, stranger.certificate.der));
  await world.json("cert", "import", "roots.pem");
  await world.json("cert", "import", "others.pem");
  await world.json("cert", "block", toHex(lost.certificate.fingerprint));
  assertEquals(await world.json("cert", "import", "roots.pem", "--trust"), {
    ...{ usable: 2, waiting: 0, blocked: 0, trusted: 1, known: 1, problems: [] },
  });
  assertEquals(await list(world), ["CN=Leaf usable", "CN=Lost blocked", "CN=Root trusted", "CN=Stranger waiting"]);
  assertEquals(await world.json("cert", "import", "roots.pem", "--trust"), {
    ...{ usable: 0, waiting: 0, blocked: 0, trusted: 0, known: 2, problems: [] },
  });
});

Deno.test("cert import takes the runtime's roots, trusted, in little time", async () => {
  await using world = await CliWorld.ready();
  const imported = await world.json("cert", "import", "--runtime", "--trust") as { usable: number; trusted: number };
  assert(imported.usable > 100 && imported.trusted === imported.usable);
  await world.fails(2, ["cert", "import", "--runtime", "somewhere"]);
  await world.fails(2, ["cert", "import"]);
});

Deno.test("cert show names a certificate by any clear beginning of its fingerprint", async () => {
  await using world = await CliWorld.ready();
  const der = await build({ subject: "CN=One", ...LONG });
  await world.write("one.der", der);
  await world.json("cert", "import", "one.der", "--note", "met at the fair");
  const fingerprint = toHex(sha256(der));
  const shown = await world.json("cert", "show", fingerprint.slice(0, 8).toUpperCase()) as {
    note: string;
    pem: string;
  };
  assertEquals(shown.note, "met at the fair");
  assertEquals(shown.pem, writePem("CERTIFICATE", der));
  await world.fails(2, ["cert", "show", "12"]);
  await world.fails(2, ["cert", "show", "xyz1"]);
  await world.fails(2, ["cert", "list", "--status", "odd"]);
  await world.fails(2, ["cert", "list", "--limit", "0"]);
});
