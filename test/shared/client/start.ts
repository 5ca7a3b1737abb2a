/** A device of a small world behind a scripted edge, ready to be used or lied to. */
import { PosternDevice } from "../../../shared/client/device.ts";
import { createMemory, MemoryInProcess } from "../../../shared/client/memory/memory.ts";
import type { StaleReads } from "../../../shared/client/read/lists.ts";
import type { Surroundings } from "../../../shared/client/surroundings.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey } from "../../../shared/crypto/signature.ts";
import type { Certificate } from "../../../shared/x509/certificate.ts";
import { issueDevice, issueRoot } from "../../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../../shared/x509/write_certificate.ts";
import { NOW } from "../../fixtures/owner.ts";
import { ScriptedEdge } from "./scripted_edge.ts";
import { World, type WorldDevice } from "./world.ts";

const YEAR = 31_536_000_000;

/** A root and a certificate that it issued. */
export interface TestChain {
  readonly root: Certificate;
  readonly leaf: Certificate;
}

export async function makeChain(): Promise<TestChain> {
  const rootKey = await generateSigningKey("Ed25519", false);
  const leafKey = await generateSigningKey("Ed25519", false);
  const signer = cryptoKeySigner(rootKey.privateKey);
  const validity = { notBefore: NOW - YEAR, notAfter: NOW + YEAR };
  const root = await issueRoot(signer, await exportSpki(rootKey.publicKey), validity, webCryptoRandom);
  const leaf = await issueDevice(root, signer, await exportSpki(leafKey.publicKey), validity, webCryptoRandom);
  return { root, leaf };
}

export interface Started {
  readonly world: World;
  readonly edge: ScriptedEdge;
  readonly device: PosternDevice;
  readonly paired: WorldDevice;
  readonly memory: MemoryInProcess;
  readonly surroundings: Surroundings;
  readonly chain: TestChain;
}

export interface StartOptions {
  readonly staleReads?: StaleReads;
  readonly surroundings?: Partial<Surroundings>;
}

/** One device, a chain of two certificates, two channels, some messages (one of them in three parts); published once. */
export async function start(options: StartOptions = {}): Promise<Started> {
  const world = await World.create();
  const paired = await world.pair("phone");
  const chain = await makeChain();
  world.addCertificate(chain.root.der, 1, { isAnchor: true });
  world.addCertificate(chain.leaf.der, 1);
  world.addChannel("mail");
  world.addChannel("notes");
  for (let position = 1; position <= 7; position++) {
    world.addMessage("mail", position, new TextEncoder().encode(`message ${position}`));
  }
  world.addMessage("mail", 8, webCryptoRandom(1_200_000));
  await world.turn();
  const edge = new ScriptedEdge(world);
  const memory = new MemoryInProcess();
  await createMemory(memory, paired.state);
  const surroundings = edge.surroundings(options.surroundings);
  const device = new PosternDevice({
    ...{ profile: paired.profile, keys: paired.keys, memory, surroundings },
    ...(options.staleReads === undefined ? {} : { staleReads: options.staleReads }),
  });
  return { world, edge, device, paired, memory, surroundings, chain };
}

/** The same device after its process ended: nothing but its memory is left. */
export function restart({ paired, memory, surroundings }: Started): PosternDevice {
  return new PosternDevice({ profile: paired.profile, keys: paired.keys, memory, surroundings });
}
