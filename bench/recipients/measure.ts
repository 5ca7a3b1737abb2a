/**
 * Encrypting a manifest of 100 KiB to so many instances and opening it as the last of them, warm, in a process of its own.
 *
 *   deno run -A bench/recipients/measure.ts COUNT WRAP FOLDER     prints a RecipientFigures
 *
 * FOLDER takes what processes of their own can do the same with: a registry, `manifest.json`, `envelope.json`, `secrets.json`.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { encryptForRecipients, type Encryption } from "../../shared/manifest/encrypt.ts";
import type { Wrap } from "../../shared/manifest/envelope.ts";
import { writeManifest } from "../../shared/manifest/manifest.ts";
import { KEY_NAME } from "../fixtures/instance.ts";
import { releaseOfBytes } from "../fixtures/release.ts";
import { median } from "../harness/stats.ts";
import { writeRegistry, writeSecrets } from "./files.ts";
import { createFleet, importSecrets, recipientsOf } from "./fleet.ts";
import { openAs } from "./open.ts";

/** What was found; milliseconds are medians. */
export interface RecipientFigures {
  readonly count: number;
  readonly wrap: Wrap;
  readonly manifestBytes: number;
  readonly envelopeBytes: number;
  readonly encryptMs: number;
  readonly openMs: number;
}

export const MANIFEST_BYTES = 102_400;
/** Recipients that are wrapped for before those that count: V8 compiles what runs often. */
const WARM_RECIPIENTS = 2_000;
/** Encryptions that count: about so many recipients, and no more encryptions than this. */
const RECIPIENTS = 20_000;
const ENCRYPTIONS = 21;
const OPENINGS = 100;

/** @param folder is there, and empty */
export async function measureRecipients(
  count: number,
  wrap: Wrap,
  folder: string,
  scale = 1,
): Promise<RecipientFigures> {
  const fleet = await createFleet(count);
  const recipients = recipientsOf(fleet, wrap);
  const manifest = releaseOfBytes(MANIFEST_BYTES);
  const encryption: Encryption = { ...KEY_NAME, manifest, random: webCryptoRandom };
  const encrypt = () => encryptForRecipients(encryption, wrap, recipients);
  let envelope: Bytes = new Uint8Array(0);
  const encryptions = Math.max(1, Math.min(ENCRYPTIONS, Math.round(scale * RECIPIENTS / count)));
  const warm = Math.min(encryptions, Math.ceil(scale * WARM_RECIPIENTS / count));
  const encryptMs = await timesOf(warm + encryptions, async () => void (envelope = await encrypt()));
  const keys = await importSecrets(fleet.secrets);
  const openings = Math.max(1, Math.round(scale * OPENINGS));
  const openMs = await timesOf(2 * openings, () => openAs(keys, envelope));

  await writeRegistry(folder, fleet);
  await writeSecrets(`${folder}/secrets.json`, fleet);
  await Deno.writeFile(`${folder}/manifest.json`, writeManifest(manifest));
  await Deno.writeFile(`${folder}/envelope.json`, envelope);
  return {
    ...{ count, wrap, manifestBytes: MANIFEST_BYTES, envelopeBytes: envelope.length },
    ...{ encryptMs: median(encryptMs.slice(warm)), openMs: median(openMs.slice(openings)) },
  };
}

async function timesOf(count: number, run: () => Promise<unknown>): Promise<number[]> {
  const millis: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await run();
    millis.push(performance.now() - began);
  }
  return millis;
}

if (import.meta.main) {
  const [count = "", wrap = "", folder = ""] = Deno.args;
  console.log(JSON.stringify(await measureRecipients(Number(count), wrap as Wrap, folder)));
}
