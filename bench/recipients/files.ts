/** What processes of their own need: a registry to encrypt from, the keys of an instance to open with. */
import { fromBase64, toBase64 } from "../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { Registry, SECRET_FILE } from "../../scripts/publisher/registry/registry.ts";
import type { Fleet, InstanceSecrets } from "./fleet.ts";

const PRIVATE = { mode: 0o600 };

/** Writes the publisher's registry to a folder that is there. */
export async function writeRegistry(folder: string, { secret, requests }: Fleet): Promise<void> {
  await Deno.writeFile(`${folder}/${SECRET_FILE}`, await secret.write(null), PRIVATE);
  await using registry = await Registry.open(folder, secret);
  for (const request of requests) await registry.register(request, 1, webCryptoRandom);
}

/** Writes the keys of the last instance. */
export async function writeSecrets(path: string, { secrets }: Fleet): Promise<void> {
  const { entrySecret, xwingSeed, x25519 } = secrets;
  await Deno.writeTextFile(path, JSON.stringify([entrySecret, xwingSeed, x25519].map(toBase64)), PRIVATE);
}

/** Reads them back. */
export async function readSecrets(path: string): Promise<InstanceSecrets> {
  const texts = JSON.parse(await Deno.readTextFile(path)) as [string, string, string];
  const [entrySecret, xwingSeed, x25519] = [fromBase64(texts[0]), fromBase64(texts[1]), fromBase64(texts[2])];
  return { entrySecret, xwingSeed, x25519 };
}
