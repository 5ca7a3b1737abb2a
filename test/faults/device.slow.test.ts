/** A device whose program is killed at one of its writes; at every one with `deno task test:faults --all device`. */
import { assert } from "../assert.ts";
import { DEVICE_OPERATIONS, killDevice } from "./device.ts";

const STRIDE = 6;

Deno.test("a device that is killed while it hands in or follows loses nothing and hands in nothing twice", async () => {
  const played = await Promise.all(DEVICE_OPERATIONS.map((operation, at) => killDevice(operation, 3 + at, STRIDE)));
  console.log(`${played.reduce((sum, points) => sum + points, 0)} kill points of a device: all recovered`);
  assert(played.every((points) => points > 1), `only ${played}`);
});
