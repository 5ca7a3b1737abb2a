/** An owner who is at home on the edge: manager, devices, and some rows, all pushed through the front door. */
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { indexToken, LISTS } from "../../../shared/protocol/token.ts";
import type { DeviceFixture, OwnerFixture } from "../../fixtures/owner.ts";
import type { NodesFixture } from "../../fixtures/nodes.ts";
import { deviceEntry, type Entry, ManagerFixture, type PreparedPush } from "../../fixtures/pushes.ts";
import { deviceLogin, managerLogin, type RawClient, type RawSession } from "./client.ts";

/** Sends a prepared push by a manager's session. */
export async function sendPush(session: RawSession, push: PreparedPush): Promise<number> {
  const { id } = push.body;
  await session.ask("pushBegin", { method: "POST", route: "push", body: { ...push.body } });
  for (const [n, { rows, remove }] of push.chunks.entries()) {
    const body = { rows, remove: remove.map((key) => [...key]) };
    await session.ask("empty", { method: "PUT", route: "pushChunk", path: { id, n }, body });
  }
  for (const [n, nodes] of push.nodes.entries()) {
    await session.ask("empty", { method: "PUT", route: "pushNodes", path: { id, n }, body: nodesBody(nodes) });
  }
  const body = { ...push.commit };
  const { generation } = await session.ask("pushCommit", { method: "POST", route: "pushCommit", path: { id }, body });
  push.adopt();
  return generation;
}

/** The body that brings nodes. */
export function nodesBody({ blocks, history }: NodesFixture) {
  return { blocks: blocks.map((block) => [...block]), history: history.map((node) => [...node]) };
}

/** An entry of the channel `box`, whose contents nobody reads in these tests. */
export function entry(number: number, text = `entry ${number}`): Entry {
  return { list: LISTS.channel("box"), number, plaintext: utf8(text) };
}

export class Household {
  readonly owner: OwnerFixture;
  readonly manager: ManagerFixture;
  readonly devices: readonly DeviceFixture[];
  readonly #client: RawClient;

  private constructor(owner: OwnerFixture, devices: readonly DeviceFixture[], client: RawClient) {
    this.owner = owner;
    this.devices = devices;
    this.manager = new ManagerFixture(owner);
    this.#client = client;
  }

  /** Takes an owner of the cast and pushes two devices and some rows. */
  static async move(client: RawClient): Promise<Household> {
    const owner = client.cast.takeOwner();
    const devices = [await owner.device("one"), await owner.device("two", "ES256")];
    const household = new Household(owner, devices, client);
    const push = await household.manager.full([...devices.map(deviceEntry), entry(1), entry(2), entry(3)]);
    await sendPush(await household.asManager(), push);
    return household;
  }

  device(index = 0): DeviceFixture {
    const device = this.devices[index];
    if (device === undefined) throw new Error(`The household has no device ${index}`);
    return device;
  }

  async asManager(): Promise<RawSession> {
    return (await this.#client.login(managerLogin(this.owner))).session;
  }

  async asDevice(index = 0): Promise<RawSession> {
    return (await this.#client.login(deviceLogin(this.owner, this.device(index)))).session;
  }

  /** Epoch and token of the channel `box`. */
  box(): { epoch: number; token: Uint8Array<ArrayBuffer> } {
    const { keys } = this.manager;
    if (keys === null) throw new Error("Nothing was pushed");
    return { epoch: keys.epoch, token: indexToken(keys, LISTS.channel("box")) };
  }
}
