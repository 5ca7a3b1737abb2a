/** Devices of a command line's world, paired as an owner pairs them. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import {
  acceptGrant,
  createDeviceKeys,
  createMemory,
  MemoryInProcess,
  pairingRequest,
  PosternDevice,
} from "../../../shared/client/mod.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { surroundingsOf } from "../../fixtures/clock.ts";
import type { CliWorld } from "./harness.ts";

/** Pairs a device and confirms it; the next turn pushes it. */
export async function pairCli(world: CliWorld, name: string): Promise<PosternDevice> {
  const keys = await createDeviceKeys({ extractable: false }, webCryptoRandom);
  const request = await pairingRequest(keys, name, webCryptoRandom);
  const added = await world.jsonWith(["device", "add", "--request", "-"], { input: utf8(request) }) as {
    grant: string;
    checkCode: string;
  };
  await world.json("device", "confirm", name, "--code", added.checkCode);
  const { profile, state } = await acceptGrant(keys, request, added.grant);
  const memory = new MemoryInProcess();
  await createMemory(memory, state);
  const surroundings = surroundingsOf({ clock: world.clock, fetch: world.edge.fetch });
  return new PosternDevice({ profile, keys, memory, surroundings });
}
