/**
 * What else encrypts a file to many: `age` (X25519) and `openssl cms -encrypt`, by their command lines. All recipients but the last have a
 * few keys in turns, since neither program cares and making ten thousand takes long.
 */
import { isOnPath, runTimed } from "../harness/timed.ts";

/** One way to encrypt, with recipients that are set up. */
export interface RecipientPeer {
  readonly name: string;
  /** Seconds, from its start to its end. */
  encrypt(input: string, output: string, count: number): Promise<number>;
  /** As the last recipient. */
  open(input: string): Promise<number>;
}

const OTHERS = 8;

/** Why a peer cannot be measured here, and how to get it; null for all that are there. */
export async function recipientPeersObstacle(): Promise<string | null> {
  const missing = [];
  for (const program of ["age", "openssl"]) if (!await isOnPath(program)) missing.push(program);
  return missing.length === 0 ? null : `${missing.join(" and ")} missing: apt-get install age openssl`;
}

/** `age` with X25519 recipients. @param folder is there, for its keys */
export async function createAge(folder: string): Promise<RecipientPeer> {
  const keys: string[] = [];
  for (let number = 0; number <= OTHERS; number++) {
    const path = `${folder}/age-${number}.key`;
    await runTimed("age-keygen", ["-o", path]);
    keys.push(/^# public key: (age1[0-9a-z]+)$/m.exec(await Deno.readTextFile(path))?.[1] ?? "");
  }
  return {
    name: "age",
    async encrypt(input, output, count) {
      const list = `${folder}/age-recipients`;
      await Deno.writeTextFile(list, inTurns(keys, count).map((key) => `${key}\n`).join(""));
      return (await runTimed("age", ["-e", "-R", list, "-o", output, input])).seconds;
    },
    async open(input) {
      return (await runTimed("age", ["-d", "-i", `${folder}/age-${OTHERS}.key`, "-o", "/dev/null", input])).seconds;
    },
  };
}

/** Names of OpenSSL's recipients, and the options that make their keys. */
export const CMS_KEYS = {
  "CMS, EC": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "CMS, RSA-2048": ["rsa:2048"],
} as const;

/** `openssl cms` with certificates of one kind. @param folder is there, for its keys */
export async function createCms(folder: string, name: keyof typeof CMS_KEYS): Promise<RecipientPeer> {
  const own = `${folder}/${name === "CMS, EC" ? "ec" : "rsa"}`;
  await Deno.mkdir(own);
  const keys = Array.from({ length: OTHERS + 1 }, (_, number) => `${own}/${number}`);
  for (const [number, key] of keys.entries()) {
    const to = ["-keyout", `${key}.key`, "-out", `${key}.pem`];
    const about = ["-subj", `/CN=Recipient ${number}`, "-days", "30", "-noenc"];
    await runTimed("openssl", ["req", "-x509", "-newkey", ...CMS_KEYS[name], ...about, ...to]);
  }
  return {
    name,
    async encrypt(input, output, count) {
      const how = ["cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", "-in", input, "-out", output];
      return (await runTimed("openssl", [...how, ...inTurns(keys, count).map((key) => `${key}.pem`)])).seconds;
    },
    async open(input) {
      const as = ["-recip", `${own}/${OTHERS}.pem`, "-inkey", `${own}/${OTHERS}.key`];
      const how = ["cms", "-decrypt", "-inform", "DER", "-in", input, "-out", "/dev/null"];
      return (await runTimed("openssl", [...how, ...as])).seconds;
    },
  };
}

/** So many, the last one last and nowhere else. */
export function inTurns<T>(keys: readonly T[], count: number): T[] {
  const others = keys.slice(0, -1);
  return Array.from({ length: count }, (_, at) => keys[at === count - 1 ? keys.length - 1 : at % others.length] as T);
}
