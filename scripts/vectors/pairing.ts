/** Example of pairing.md: request, grant, check code. */
import { sha256 } from "../../shared/crypto/hash.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { checkCode, encodePairingGrant, makePairingRequest, pairingText } from "../../shared/protocol/pairing.ts";
import { seeded } from "./fixed.ts";
import { exampleHead } from "./heads.ts";
import type { Household } from "./household.ts";
import type { Example } from "./vector.ts";

export async function pairingExample(household: Household): Promise<Example> {
  const { owner, device, edge, statement } = household;
  const nonce = seeded("postern example pairing")(16);
  const { head, hash } = decodeSignedHead((await exampleHead(household)).signed);
  const { publicKey } = device.key;
  const asked = { publicKey, suite: "xwing", kemPublicKey: device.kem.publicKey, name: device.name, nonce };
  const request = await makePairingRequest(asked, device.key.sign);
  const grant = encodePairingGrant({
    ...{ owner, device: device.id, registration: device.registration, certificate: device.certificate.der },
    ...{ origin: edge.origin, edgeKey: edge.key, statement: { number: 1, hash: statement.hash } },
    newest: { generation: head.generation, head: hash },
    request: sha256(request),
  });
  return {
    page: "pairing.md",
    about: "The device of the other examples is paired after the head of head.json.",
    steps: [
      {
        name: "request",
        inputs: { ...asked, deviceSeed: device.key.seed },
        outputs: { request, text: pairingText(request) },
      },
      {
        name: "grant",
        inputs: {
          ...{ owner, deviceId: device.id, registration: device.registration, certificate: device.certificate.der },
          ...{
            origin: edge.origin,
            edgeKey: edge.key,
            statement: [1, statement.hash],
            newest: [head.generation, hash],
          },
        },
        outputs: { grant, text: pairingText(grant), checkCode: checkCode(request, grant) },
      },
    ],
  };
}
