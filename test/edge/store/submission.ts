/** Submissions that a device signed, sealed to nobody. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import {
  decodeSignedSubmission,
  encodeSubmission,
  signSubmission,
  type Submission,
} from "../../../shared/protocol/submission.ts";
import type { Principal } from "../../../edge/store/principal.ts";
import type { EdgeStore } from "../../../edge/store/store.ts";
import { type DeviceFixture, NOW, type OwnerFixture } from "../../fixtures/owner.ts";

/** A signed submission, number 1 of the stream of zeros unless said otherwise. */
export async function signedSubmission(
  owner: OwnerFixture,
  device: DeviceFixture,
  fields: Partial<Submission> = {},
  sealedBytes = 272,
): Promise<Bytes> {
  const { id, incarnation, statement } = owner;
  const bytes = encodeSubmission({
    ...{ owner: id, incarnation, device: device.id, stream: new Uint8Array(16), number: 1, previous: null },
    ...{ statement: statement.number, epoch: 1, seen: { generation: 1, head: new Uint8Array(32) }, time: NOW },
    sealed: { encapsulated: new Uint8Array(1120), ciphertext: webCryptoRandom(sealedBytes) },
    ...{ parts: [], copy: null, ...fields },
  });
  return await signSubmission(bytes, device.signing.sign);
}

/** Hands it in as the edge's HTTP side would. */
export async function handIn(store: EdgeStore, principal: Principal, signed: Bytes): Promise<void> {
  await store.submit(principal, signed, decodeSignedSubmission(signed));
}
