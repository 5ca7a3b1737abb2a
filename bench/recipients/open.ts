/**
 * Opens an envelope as an instance: from bytes to a manifest that is validated. Signatures are the matter of `bench manifest`.
 *
 *   deno run -A bench/recipients/open.ts ENVELOPE SECRETS     once, from its start to its end
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { parseEnvelope } from "../../shared/manifest/envelope.ts";
import type { InstanceKeys } from "../../shared/manifest/instance_keys.ts";
import type { ReleaseManifest } from "../../shared/manifest/manifest.ts";
import { decryptEnvelope, unwrapEnvelope, validateManifest } from "../../shared/manifest/open_envelope.ts";
import { readSecrets } from "./files.ts";
import { importSecrets } from "./fleet.ts";

export async function openAs(keys: InstanceKeys, bytes: Bytes): Promise<ReleaseManifest> {
  const envelope = parseEnvelope(bytes);
  return validateManifest(envelope, await decryptEnvelope(await unwrapEnvelope(envelope, keys)));
}

if (import.meta.main) {
  const [envelope = "", secrets = ""] = Deno.args;
  await openAs(await importSecrets(await readSecrets(secrets)), await Deno.readFile(envelope));
}
