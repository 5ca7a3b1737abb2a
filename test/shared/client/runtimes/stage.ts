/** A real edge and manager on a real port, with something to read, for clients that are not in this process. */
import { World } from "../../../fixtures/world.ts";
import type { TestDevice } from "../../../fixtures/device.ts";
import { utf8 } from "../../../../shared/bytes/bytes.ts";
import { toHex } from "../../../../shared/bytes/encoding.ts";
import { exportDevice } from "../../../../shared/client/mod.ts";
import { sha256 } from "../../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../../shared/crypto/random.ts";
import { reveal } from "../../../../shared/crypto/redacted.ts";
import type { TestChain } from "../start.ts";
import { makeChain } from "../start.ts";
import type { ScenarioInput, ScenarioReport } from "./scenario.ts";

export class Stage implements AsyncDisposable {
  readonly world: World;
  readonly chain: TestChain;
  /** SHA-256 of every message, in hexadecimal, in order. */
  readonly messages: readonly string[];
  readonly #server: Deno.HttpServer;

  private constructor(world: World, chain: TestChain, messages: readonly string[], server: Deno.HttpServer) {
    this.world = world;
    this.chain = chain;
    this.messages = messages;
    this.#server = server;
  }

  static async open(): Promise<Stage> {
    const hostname = "127.0.0.1";
    const listening: { world?: World } = {};
    const server = Deno.serve({ hostname, port: 0, onListen() {} }, async (request) => {
      const body = new Uint8Array(await request.arrayBuffer());
      const { method, headers, url } = request;
      return await listening.world?.fetch(url, { method, headers, ...(body.length === 0 ? {} : { body }) }) ??
        new Response(null, { status: 503 });
    });
    const world = await World.create({ origin: `http://${hostname}:${server.addr.port}/postern` });
    listening.world = world;
    const chain = await makeChain();
    await world.manager.trust(chain.root.der);
    const large = webCryptoRandom(600_000).map((byte) => 0x61 + byte % 26);
    const raw = [utf8("Subject: one\r\n\r\nHello"), new Uint8Array([...utf8("Subject: two\r\n\r\n"), ...large])];
    for (const one of raw) await world.manager.receive("mail", one);
    await world.manager.sync();
    return new Stage(world, chain, raw.map((one) => toHex(sha256(one))), server);
  }

  /** A device that was paired in this process, as the input of a scenario elsewhere. */
  async inputOf(device: TestDevice): Promise<ScenarioInput> {
    return {
      ...this.input(),
      device: reveal(exportDevice(device.profile, device.keys)),
      state: toHex(await device.recall()),
    };
  }

  input(): Omit<ScenarioInput, "device" | "state"> {
    const [[attribute] = []] = this.chain.root.subjectName;
    return {
      now: this.world.clock.now(),
      fingerprint: toHex(this.chain.root.fingerprint),
      subject: `CN=${attribute?.text}`,
    };
  }

  /** What every run reports, on whichever runtime; `devices` is how many there are by then. */
  expected(devices: number): Omit<ScenarioReport, "hasNativeMlKem" | "generation"> {
    return {
      ...{ freshness: "fresh", found: toHex(this.chain.root.fingerprint), foundBySubject: 1, subjects: ["one", "two"] },
      ...{ messages: this.messages, delivered: [true, true], afterLogout: "logged in again" },
      verified: { devices, certificates: 1, channels: 1, messages: 2, receipts: 0 },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.world[Symbol.asyncDispose]();
  }
}
