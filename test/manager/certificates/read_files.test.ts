import { assert, assertEquals } from "../../assert.ts";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { element } from "../../../shared/der/write.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { certificatesIn } from "../../../manager/certificates/file_content.ts";
import type { FoundCertificate } from "../../../manager/certificates/file_content.ts";
import { readCertificateFiles } from "../../../manager/certificates/read_files.ts";
import { build } from "../../shared/x509/builder.ts";

const [first, second] = [await build(), await build()];
const pem = (der: Bytes) => writePem("CERTIFICATE", der);

/** A folder that is removed in the end. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "postern-import-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What was found, in short: `name der`, or `name code`. */
function short(folder: string, found: readonly FoundCertificate[]): string[] {
  return found.map((item) => {
    const name = item.source.replace(`${folder}/`, "");
    if ("error" in item) return `${name} ${item.error.code}`;
    return `${name} ${item.der.toString() === first.toString() ? "first" : "second"}`;
  });
}

async function read(folder: string, ...paths: readonly string[]): Promise<string[]> {
  return short(folder, await Array.fromAsync(readCertificateFiles(paths.map((path) => `${folder}/${path}`))));
}

Deno.test("readCertificateFiles() reads PEM bundles, DER files and folders, whatever their names", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/bundle.txt`, `# two\n${pem(first)}\n${pem(second)}`);
    await Deno.mkdir(`${folder}/sub/deeper`, { recursive: true });
    await Deno.writeFile(`${folder}/sub/b`, second);
    await Deno.writeFile(`${folder}/sub/a.crt`, first);
    await Deno.writeTextFile(`${folder}/sub/deeper/old`, pem(first).replaceAll("CERTIFICATE", "X509 CERTIFICATE"));
    const secondLine = 4 + pem(first).split("\n").length - 2;
    const bundle = ["bundle.txt:2 first", `bundle.txt:${secondLine} second`];
    const sub = ["sub/a.crt first", "sub/b second", "sub/deeper/old:1 first"];
    assertEquals(await read(folder, "."), [...bundle, ...sub].map((item) => `./${item}`));
    assertEquals(await read(folder, "sub/", "bundle.txt"), [...sub, ...bundle]);
  });
});

Deno.test("readCertificateFiles() goes on behind everything that it cannot read", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/1 empty`, "");
    await Deno.writeTextFile(`${folder}/2 text`, "nothing here");
    await Deno.writeTextFile(`${folder}/3 key`, writePem("PRIVATE KEY", utf8("secret")));
    await Deno.writeTextFile(`${folder}/4 broken`, pem(first).replace("\nM", "\n*") + pem(second));
    await Deno.writeTextFile(`${folder}/5 trusted`, writePem("TRUSTED CERTIFICATE", first) + writePem("PKCS7", first));
    await Deno.writeFile(`${folder}/6 huge`, element(0x30, new Uint8Array(LIMITS.maxCertificateBytes)));
    await Deno.writeTextFile(`${folder}/7 huge pem`, pem(new Uint8Array(LIMITS.maxCertificateBytes + 1)));
    await Deno.writeFile(`${folder}/8 endless`, new Uint8Array(LIMITS.maxCertificateFileBytes + 1));
    await Deno.symlink("nowhere", `${folder}/9 dangling`);
    await Deno.writeFile(`${folder}/99`, second);
    const line = pem(first).split("\n").length;
    assertEquals(await read(folder, "missing", "."), [
      "missing not_found",
      "./1 empty malformed",
      "./2 text malformed",
      "./3 key malformed",
      "./4 broken:1 malformed",
      `./4 broken:${line} second`,
      "./5 trusted:1 unsupported",
      `./5 trusted:${line} unsupported`,
      "./6 huge too_large",
      "./7 huge pem:1 too_large",
      "./8 endless too_large",
      "./9 dangling not_found",
      "./99 second",
    ]);
  });
});

Deno.test("readCertificateFiles() follows links, reads each file once, and does not run in circles", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/store`);
    await Deno.mkdir(`${folder}/elsewhere`);
    await Deno.writeFile(`${folder}/elsewhere/a`, first);
    await Deno.writeFile(`${folder}/elsewhere/b`, second);
    await Deno.symlink("../elsewhere/a", `${folder}/store/1234abcd.0`);
    await Deno.symlink("../elsewhere/a", `${folder}/store/again`);
    await Deno.symlink("..", `${folder}/store/up`);
    await Deno.symlink("loop", `${folder}/store/loop`);
    const found = await read(folder, "store", "elsewhere/a");
    assertEquals(found, ["store/1234abcd.0 first", "store/loop storage", "store/up/elsewhere/b second"]);
  });
});

Deno.test("readCertificateFiles() does not wait at a pipe", async () => {
  await inFolder(async (folder) => {
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert(success, "mkfifo failed");
    await Deno.writeFile(`${folder}/x`, first);
    assertEquals(await read(folder, "pipe", "x"), ["pipe unsupported", "x first"]);
  });
});

Deno.test("readCertificateFiles() goes down only so far", async () => {
  await inFolder(async (folder) => {
    let path = folder;
    for (let depth = 0; depth < LIMITS.maxImportDepth; depth++) {
      path = `${path}/d`;
      await Deno.mkdir(path);
      if (depth === LIMITS.maxImportDepth - 2) await Deno.writeFile(`${path}/last`, first);
    }
    const found = await read(folder, ".");
    const down = "d/".repeat(LIMITS.maxImportDepth - 1);
    assertEquals(found, [`./${down}d too_large`, `./${down}last first`]);
  });
});

Deno.test("certificatesIn() says what containers are and how to convert them", () => {
  const cases: [Bytes, string][] = [
    [element(0x30, element(0x06, Uint8Array.of(42))), "PKCS#7"],
    [element(0x30, element(0x06, Uint8Array.of(42)), new Uint8Array(300)), "PKCS#7"],
    [element(0x30, element(0x02, Uint8Array.of(3))), "PKCS#12"],
  ];
  for (const [content, word] of cases) {
    const [found, ...rest] = certificatesIn("x", content);
    assert(found !== undefined && "error" in found && rest.length === 0);
    assertEquals(found.error.code, "unsupported");
    assert(found.error.message.includes(word), found.error.message);
  }
});

Deno.test("certificatesIn() leaves it to the next step whether DER is a certificate", () => {
  assertEquals(certificatesIn("x", element(0x30)), [{ source: "x", der: element(0x30) }]);
  assertEquals(certificatesIn("x", first), [{ source: "x", der: first }]);
});

Deno.test("certificatesIn() reads bundles that begin with a byte order mark", () => {
  const [found] = certificatesIn("x", utf8(`\ufeff${pem(first)}`));
  assert(found !== undefined && "der" in found);
});
