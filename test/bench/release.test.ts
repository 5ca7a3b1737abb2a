import { isOnPath, runTimed } from "../../bench/harness/timed.ts";
import { peakResidentMib, residentMib } from "../../bench/harness/processes.ts";
import { writeRandomFile } from "../../bench/release/file.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("writeRandomFile() says the hash of what it wrote, and no two parts are alike", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const hash = await writeRandomFile(`${folder}/file`, 2.5 * 2 ** 20);
    const bytes = await Deno.readFile(`${folder}/file`);
    assertEquals([bytes.length, toHex(sha256(bytes))], [2.5 * 2 ** 20, hash]);
    assert(toHex(sha256(bytes.subarray(0, 2 ** 20))) !== toHex(sha256(bytes.subarray(2 ** 20, 2 ** 21))));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runTimed() measures a program, and throws with what a failing one said", async () => {
  assert((await runTimed("sh", ["-c", "exit 0"])).seconds > 0);
  let said = "";
  await runTimed("sh", ["-c", "echo no >&2; exit 3"]).catch(({ message }: Error) => said = message);
  assertEquals(said, "sh ended with code 3: no\n");
  assertEquals([await isOnPath("sh"), await isOnPath("no such program")], [true, false]);
});

Deno.test("peakResidentMib() is never below what is resident now", () => {
  const now = residentMib([Deno.pid]);
  assert(peakResidentMib("self") >= now);
});
