import { inTurns } from "../../bench/peers/recipients.ts";
import { readSecrets } from "../../bench/recipients/files.ts";
import { importSecrets } from "../../bench/recipients/fleet.ts";
import { MANIFEST_BYTES, measureRecipients } from "../../bench/recipients/measure.ts";
import { openAs } from "../../bench/recipients/open.ts";
import { openRegistry } from "../../scripts/publisher/registry/folder.ts";
import { scriptSurroundings } from "../../scripts/publisher/surroundings.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("inTurns() has the last one last and nowhere else", () => {
  assertEquals(inTurns(["a", "b", "z"], 1), ["z"]);
  assertEquals(inTurns(["a", "b", "z"], 5), ["a", "b", "a", "b", "z"]);
});

for (const wrap of ["x25519", "xwing"] as const) {
  Deno.test(`measureRecipients() leaves files with which other processes do the same, ${wrap}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const figures = await measureRecipients(3, wrap, folder, 0.0001);
      assert(figures.encryptMs > 0 && figures.openMs > 0);
      const keys = await importSecrets(await readSecrets(`${folder}/secrets.json`));
      const envelope = await Deno.readFile(`${folder}/envelope.json`);
      assertEquals([figures.count, figures.manifestBytes, figures.envelopeBytes], [3, MANIFEST_BYTES, envelope.length]);
      assertEquals((await openAs(keys, envelope)).version, "1.2.0");
      const entries = new TextDecoder().decode(envelope).match(/"instance_id":"[0-9a-f]{32}"/g) ?? [];
      await using registry = await openRegistry({ registry: folder }, scriptSurroundings());
      const known = await Array.fromAsync((await registry.recipients()).instances());
      assertEquals([entries.length, known.length], [3, 3]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
