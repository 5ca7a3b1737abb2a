/** A household that made a backup, lived on, and lost its manager; and what its people do then. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import type { Database } from "../../../shared/database/database.ts";
import { listOutgoing } from "../../../manager/messages/outgoing.ts";
import { assert, assertRejects } from "../../assert.ts";
import type { TestDevice } from "../../fixtures/device.ts";
import { World } from "../../fixtures/world.ts";
import { backUp, PASSPHRASE } from "./backups.ts";

/** A mail with this subject. */
export const mail = (subject: string): Bytes => utf8(`From: a@example\r\nSubject: ${subject}\r\n\r\nHello`);

/** Of the messages that a device reads in a channel. */
export const subjects = async (device: TestDevice, channel = "mail") =>
  (await device.client.messages.list(channel)).messages.map(({ summary }) => summary.subject).sort();

/** The queue of messages to be sent. */
export const outgoing = async (db: Database) =>
  (await listOutgoing(db, 100)).map(({ subject, state }) => `${subject}: ${state}`).sort();

/** The owner's user confirms on the device. */
export async function confirm(device: TestDevice): Promise<number> {
  await assertRejects(() => device.client.head(), "restored");
  const { restore } = device.client;
  assert(restore !== null);
  await device.client.confirmRestore(restore.incarnation);
  return restore.lostGenerations;
}

export interface Before {
  readonly world: World;
  readonly phone: TestDevice;
  readonly laptop: TestDevice;
  /** Stolen after the backup. */
  readonly stolen: TestDevice;
  /** Paired after the backup. */
  readonly tablet: TestDevice;
  readonly file: string;
}

/** A household that made a backup, lived on, and lost its manager. */
export async function lost(): Promise<Before & AsyncDisposable> {
  const world = await World.create();
  const [phone, laptop, stolen] = [await world.pair("phone"), await world.pair("laptop"), await world.pair("stolen")];
  const { manager } = world;
  await manager.receive("mail", mail("before"));
  await manager.sync();
  await phone.client.login();
  await phone.client.submit.message({ channel: "out", raw: mail("sent before") });
  await manager.sync();
  const file = join(world.folder, "one.backup");
  await backUp(manager, file, { passphrase: PASSPHRASE });
  world.clock.advance(86_400_000);
  await manager.receive("mail", mail("after"));
  await manager.sync();
  await phone.client.head();
  await phone.client.submit.message({ channel: "out", raw: mail("sent after") });
  await manager.revoke(stolen.profile.device);
  const tablet = await world.pair("tablet");
  await manager.sync();
  for (const device of [phone, laptop, tablet]) await device.client.head();
  await phone.client.submit.message({ channel: "out", raw: mail("under way") });
  await manager[Symbol.asyncDispose]();
  return {
    ...{ world, phone, laptop, stolen, tablet, file },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
