/**
 * What a device does, as a program that runs unchanged wherever the client runs: in Deno, Node, a page, a worker, workerd. It is
 * bundled for the others by `bundle.ts`.
 */
import {
  acceptGrant,
  createDeviceKeys,
  createMemory,
  type DeviceKeys,
  type DeviceProfile,
  importDevice,
  MemoryInProcess,
  pairingRequest,
  PosternDevice,
  runtimeSurroundings,
  type Surroundings,
} from "../../../../shared/client/mod.ts";
import { utf8 } from "../../../../shared/bytes/bytes.ts";
import { fromHex, toHex } from "../../../../shared/bytes/encoding.ts";
import { STATE_NAME } from "../../../../shared/client/memory/memory.ts";
import { decodeState } from "../../../../shared/client/memory/state.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { hasNativeMlKem } from "../../../../shared/crypto/ml_kem.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { Redacted } from "../../../../shared/crypto/redacted.ts";
import { isPosternError } from "../../../../shared/errors.ts";

/** What a run is given, as JSON. */
export interface ScenarioInput {
  /** A paired device with its keys and what it remembers, in hexadecimal. */
  readonly device: string;
  readonly state: string;
  /** The moment of the test, Millis; the real clock is years away from it. */
  readonly now: number;
  /** Fingerprint in hexadecimal, and subject, of a certificate that is there. */
  readonly fingerprint: string;
  readonly subject: string;
}

/** What came of it, as JSON. */
export interface ScenarioReport {
  readonly generation: number;
  readonly freshness: string;
  readonly hasNativeMlKem: boolean;
  readonly found: string | null;
  readonly foundBySubject: number;
  readonly subjects: readonly string[];
  /** SHA-256 of every message, in hexadecimal. */
  readonly messages: readonly string[];
  readonly verified: Readonly<Record<string, number>>;
  readonly delivered: readonly boolean[];
  readonly afterLogout: string;
}

export async function runScenario(input: ScenarioInput): Promise<ScenarioReport> {
  const memory = new MemoryInProcess();
  await createMemory(memory, decodeState(fromHex(input.state)));
  const { profile, keys } = await importDevice(new Redacted(input.device));
  return await use(new PosternDevice({ profile, keys, memory, surroundings: surroundingsAt(input.now) }), input);
}

function surroundingsAt(now: number): Surroundings {
  return { ...runtimeSurroundings(), now: () => now };
}

async function use(
  device: PosternDevice,
  { fingerprint, subject }: Pick<ScenarioInput, "fingerprint" | "subject">,
): Promise<ScenarioReport> {
  const { generation, freshness } = await device.login();
  const { found } = await device.certificates.byFingerprint(fromHex(fingerprint));
  const bySubject = await device.certificates.bySubject(subject);
  const { messages } = await device.messages.list("mail", { after: 0 });
  const whole = await Promise.all(messages.map(async (message) => toHex(sha256(await device.messages.read(message)))));
  const verified = await device.verifyAll();
  const sent = [
    await device.submit.message({ channel: "out", raw: utf8("Subject: from afar\r\n\r\nHello") }),
    await device.submit.ping(),
  ];
  await device.logout();
  const ended = await device.tables.verify("devices").then(() => "logged in again", codeOf);
  return {
    ...{ generation, freshness, hasNativeMlKem: await hasNativeMlKem() },
    found: found === null ? null : toHex(found.fingerprint),
    foundBySubject: bySubject.found.length,
    subjects: messages.map(({ summary }) => summary.subject),
    messages: whole,
    verified: { ...verified.contents },
    delivered: sent.map(({ delivered }) => delivered),
    afterLogout: ended,
  };
}

function codeOf(error: unknown): string {
  return isPosternError(error) ? error.code : String(error);
}

/** A device that is paired where it runs, with keys that never leave the runtime. */
let own: { readonly keys: DeviceKeys; readonly request: string } | null = null;

/** Makes the keys; returns the request for the manager. */
export async function startPairing(name: string): Promise<string> {
  const keys = await createDeviceKeys({ extractable: false }, webCryptoRandom);
  own = { keys, request: await pairingRequest(keys, name, webCryptoRandom) };
  return own.request;
}

/** Takes the manager's grant and does what the scenario does. */
export async function finishPairing(
  grant: string,
  input: Omit<ScenarioInput, "device" | "state">,
  keep: (profile: DeviceProfile, keys: DeviceKeys) => Promise<DeviceKeys> = (_, keys) => Promise.resolve(keys),
): Promise<ScenarioReport & { readonly checkCode: string }> {
  if (own === null) throw new Error("no pairing was started");
  const { profile, state, checkCode } = await acceptGrant(own.keys, own.request, grant);
  const memory = new MemoryInProcess();
  await createMemory(memory, state);
  const keys = await keep(profile, own.keys);
  const device = new PosternDevice({ profile, keys, memory, surroundings: surroundingsAt(input.now) });
  const report = await use(device, input);
  if (await memory.load(STATE_NAME) === null) throw new Error("nothing is remembered");
  return { ...report, checkCode };
}
