/**
 * The seed's own stack as a yardstick: PHP, nginx and MariaDB with the seed's protocol, as `../shared/peers/php-cloud` starts
 * it. It lies beside the repository where Postern is developed and is absent elsewhere.
 */
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { type Bytes } from "../../shared/bytes/bytes.ts";
import { fromBase64, toBase64 } from "../../shared/bytes/encoding.ts";
import { ecdsaDerFromRaw } from "../../shared/crypto/ecdsa_der.ts";
import { importSigningKey, sign } from "../../shared/crypto/signature.ts";
import { readPem } from "../../shared/x509/pem.ts";
import { inBatches } from "../harness/batches.ts";
import { isOnPath } from "../harness/timed.ts";

const SOURCE = `${PROJECT_ROOT}/../shared/peers/php-cloud`;
/** Programs that its `start` runs. */
const PROGRAMS = ["nginx", "mariadbd", "php"];
/** `start` listens there, whatever else is going on. */
const PORT = 21_081;
const ORIGIN = `http://127.0.0.1:${PORT}`;
const PID_FILES = ["nginx.pid", "fpm.pid", "maria.pid"];
const STOPS_WITHIN_MILLIS = 10_000;
/** Requests of the preparation under way at once: as many as it has workers. */
const AT_ONCE = 16;

/** A device of the peer's, with the key that it logs in with. */
interface PeerDevice {
  readonly fingerprint: string;
  readonly key: CryptoKey;
}

/** A session of the peer's: the key is what `auth` is made with. */
export interface PeerSession {
  readonly session: string;
  readonly key: Bytes;
}

/** A challenge that is answered: the body of a login, and who it is for. */
export interface PeerLogin {
  readonly fingerprint: string;
  readonly body: string;
}

/** Why the peer cannot be measured here, or null if it can. */
export async function peerObstacle(): Promise<string | null> {
  if (!await exists(`${SOURCE}/start`)) return "../shared/peers/php-cloud is absent";
  const missing = [];
  for (const program of PROGRAMS) if (!await isOnPath(program)) missing.push(program);
  if (missing.length > 0) {
    return `${missing.join(", ")} missing: apt-get install php-fpm php-mysql nginx mariadb-server`;
  }
  if (Deno.uid() !== 0) return "its start script must run as root";
  return await isListening() ? `something listens on its port ${PORT} already` : null;
}

/** The peer, running. */
export class PhpPeer {
  readonly port = PORT;
  readonly processes: readonly number[];
  readonly #folder: string;
  readonly #devices: readonly PeerDevice[];
  #nextDevice = 0;

  private constructor(folder: string, processes: readonly number[], devices: readonly PeerDevice[]) {
    this.#folder = folder;
    this.processes = processes;
    this.#devices = devices;
  }

  /** Starts it with a fresh database, which takes about 20 seconds. */
  static async start(): Promise<PhpPeer> {
    const folder = await Deno.makeTempDir({ prefix: "postern-peer-" });
    // MariaDB gives up its rights and must still find its files.
    await Deno.chmod(folder, 0o755);
    await run(`${SOURCE}/start`, [folder], `${folder}/start.log`);
    const processes = await Promise.all(
      PID_FILES.map(async (name) => Number(await Deno.readTextFile(`${folder}/tmp/${name}`))),
    );
    const listed = JSON.parse(await Deno.readTextFile(`${folder}/devices.json`)) as readonly {
      type: string;
      fingerprint: string;
      private: string;
    }[];
    const devices = await Promise.all(
      listed.filter(({ type }) => type === "ec").map(async ({ fingerprint, private: pem }) => {
        const [block] = readPem(pem);
        if (block === undefined) throw new Error("The peer's devices.json has a device without a key");
        return { fingerprint, key: await importSigningKey(block.bytes, "ES256", false) };
      }),
    );
    return new PhpPeer(folder, processes, devices);
  }

  /** Fetches challenges and signs them, each for another device in turn (P-256). */
  async prepareLogins(count: number): Promise<PeerLogin[]> {
    return await inBatches(count, AT_ONCE, async () => {
      const device = this.#devices[this.#nextDevice++ % this.#devices.length];
      if (device === undefined) throw new Error("The peer has no P-256 device");
      const { id, challenge } = await askJson(`${ORIGIN}/challenge`) as { id: string; challenge: string };
      const signature = toBase64(ecdsaDerFromRaw(await sign(device.key, fromBase64(challenge)), "P-256"));
      return {
        fingerprint: device.fingerprint,
        body: JSON.stringify({ id, fingerprint: device.fingerprint, signature }),
      };
    });
  }

  /** Logs in that many times. */
  async openSessions(count: number): Promise<PeerSession[]> {
    const logins = await this.prepareLogins(count);
    return await inBatches(count, AT_ONCE, async (number) => {
      const body = logins[number]?.body ?? "";
      const { session, key } = await askJson(`${ORIGIN}/login`, body) as { session: string; key: string };
      return { session, key: fromBase64(key) };
    });
  }

  /** Stops it, waits until its processes are gone, and removes its files. */
  async stop(): Promise<void> {
    await run(`${SOURCE}/stop`, [this.#folder], `${this.#folder}/stop.log`);
    for (let waited = 0; waited < STOPS_WITHIN_MILLIS; waited += 50) {
      const living = await Promise.all(this.processes.map((pid) => exists(`/proc/${pid}`)));
      if (!living.includes(true)) break;
      await new Promise((resume) => setTimeout(resume, 50));
    }
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** What it runs goes on in the background and keeps its output open, so that this is a file and not a pipe. */
async function run(path: string, args: readonly string[], log: string): Promise<void> {
  const { success } = await new Deno.Command("bash", {
    args: ["-c", '"$0" "${@:2}" >"$1" 2>&1', path, log, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${path} failed: ${await Deno.readTextFile(log)}`);
}

async function askJson(url: string, body?: string): Promise<unknown> {
  const answer = await fetch(url, body === undefined ? {} : { method: "POST", body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The peer answered ${answer.status} to ${url}: ${text}`);
  return JSON.parse(text);
}

async function isListening(): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port: PORT })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
