/**
 * A device's program, to be killed: it does one thing and ends.
 *
 *   hand-in NUMBER   hands in so many messages, and notes in `kept` the name of each that the client says it keeps
 *   settle           hands in what waits, and brings the local copy to the newest head
 *
 * Its folder, in `FAULT_DEVICE`, has `device`, its profile and keys, and `device.db`, its memory and its copy.
 */
import { join } from "node:path";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { PosternDevice } from "../../shared/client/mod.ts";
import { importDevice } from "../../shared/client/identity/profile.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { openDatabase } from "../../shared/database/open.ts";
import { openDeviceDatabase } from "../../shared/stores/device_database.ts";

const folder = Deno.env.get("FAULT_DEVICE") ?? "";
const { profile, keys } = await importDevice(new Redacted(await Deno.readTextFile(join(folder, "device"))));
const { memory, copy } = await openDeviceDatabase(await openDatabase(`file:${join(folder, "device.db")}`));
const device = new PosternDevice({ profile, keys, memory, copy });

const [what, number = "1"] = Deno.args;
switch (what) {
  case "hand-in":
    for (let at = 0; at < Number(number); at++) {
      const name = crypto.randomUUID();
      await device.submit.message({ channel: "sent", raw: utf8(`Subject: ${name}\r\n\r\n${name}\r\n`) });
      await Deno.writeTextFile(join(folder, "kept"), `${name}\n`, { append: true });
    }
    break;
  case "settle":
    await device.submit.flush();
    await device.copy?.sync();
    break;
  default:
    throw new Error(`A device does not ${what}`);
}
