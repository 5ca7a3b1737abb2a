/** What the attacks begin with: an owner with two devices, some certificates and messages, pushed and readable. */
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { NOW } from "../fixtures/owner.ts";
import { World, type WorldOptions } from "../fixtures/world.ts";
import { build } from "../shared/x509/builder.ts";

const DAY = 86_400_000;

/** Subjects of the certificates in the setting. */
export const SUBJECTS: readonly string[] = ["CN=Ada Lovelace,O=Engine", "CN=Charles Babbage,O=Engine"];
/** A channel of four messages, of which the last is in parts. */
export const CHANNEL = "mail";
export const LARGE_BYTES = 1_300_000;

export interface Setting extends AsyncDisposable {
  readonly world: World;
  /** Logged in, and having read nothing yet. */
  readonly device: TestDevice;
  readonly other: TestDevice;
}

/** Generation 1 is pushed, the devices are paired and not logged in. */
export async function pushedWorld(options: WorldOptions = {}): Promise<Setting> {
  const world = await World.create(options);
  const device = await world.pair("phone");
  const other = await world.pair("laptop");
  for (const subject of SUBJECTS) await world.manager.trust(await certificate(subject));
  for (const text of ["one", "two", "three"]) await world.manager.receive(CHANNEL, mail(text));
  await world.manager.receive(CHANNEL, mail("large", "x".repeat(LARGE_BYTES)));
  await world.manager.sync();
  return { world, device, other, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

/** DER of a certificate that is valid now. */
export async function certificate(subject: string): Promise<Bytes> {
  return await build({ subject, notBefore: NOW - DAY, notAfter: NOW + 365 * DAY });
}

export function mail(subject: string, body = "Hello"): Bytes {
  return utf8(`From: a@example.org\r\nTo: b@example.org\r\nSubject: ${subject}\r\n\r\n${body}\r\n`);
}
