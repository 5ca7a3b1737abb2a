/** The edge of `deno task start`: its key and port in DIR/edge, its database an embedded file beside them. */
import { join } from "node:path";
import * as v from "valibot";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { edgePublicKey, newEdgeKey, readEdgeSecret } from "../../shared/protocol/edge_key.ts";
import type { EdgeName } from "../../shared/protocol/statement.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { readConfig, SETTINGS } from "../../edge/config.ts";
import { serveEdge, type ServingEdge } from "../../edge/hosts/deno.ts";
import { fromOsError } from "../../manager/files/os_error.ts";
import { makePrivateFolder, writeFileDurably } from "../../manager/files/durable.ts";

const settingsShape = v.strictObject({ origin: v.string(), secret: v.string() });

/** What the edge is, before it knows whom it serves. */
export interface EdgeSettings {
  readonly folder: string;
  readonly name: EdgeName;
  readonly secret: string;
}

/** Reads the edge's settings, or makes them: the port is chosen once, since the owner statement names it. */
export async function edgeSettings(folder: string): Promise<EdgeSettings> {
  const path = join(folder, "settings.json");
  await makePrivateFolder(folder);
  const text = await readIfThere(path);
  if (text !== null) {
    const { origin, secret } = parseSettings(path, text);
    return { folder, secret, name: { origin, key: await edgePublicKey(readEdgeSecret(secret)) } };
  }
  const { secret, publicKey } = await newEdgeKey(webCryptoRandom);
  const origin = `http://127.0.0.1:${freePort()}`;
  await writeFileDurably(path, utf8(JSON.stringify({ origin, secret }, null, 2) + "\n"));
  return { folder, secret, name: { origin, key: publicKey } };
}

/** Starts the edge for an owner. */
export async function startEdge(
  { folder, name, secret }: EdgeSettings,
  owner: Bytes,
  log: (line: string) => void,
): Promise<ServingEdge> {
  const config = readConfig({
    [SETTINGS.owners]: toHex(owner),
    [SETTINGS.key]: secret,
    [SETTINGS.origin]: name.origin,
    [SETTINGS.databaseUrl]: `file:${join(folder, "edge.db")}`,
    [SETTINGS.listen]: new URL(name.origin).host,
  });
  try {
    return await serveEdge(config, { log });
  } catch (cause) {
    if (!isPosternError(cause, "configuration") || !(cause.cause instanceof Deno.errors.AddrInUse)) throw cause;
    const { host } = new URL(name.origin);
    throw new PosternError(
      "configuration",
      `the edge of this folder listens on ${host}, as its owner statement says, and something listens there already: ` +
        "stop it (another start in the same folder?), or start anew with another --data",
      { cause },
    );
  }
}

function parseSettings(path: string, text: string): v.InferOutput<typeof settingsShape> {
  try {
    return v.parse(settingsShape, JSON.parse(text));
  } catch (cause) {
    throw new PosternError("configuration", `${path} is damaged; remove the data folder to start anew`, { cause });
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw fromOsError(error, `read ${path}`);
  }
}

/** A port that is free now. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    return listener.addr.port;
  } finally {
    listener.close();
  }
}
