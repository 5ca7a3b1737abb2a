/** Wrapping an epoch's sym key for a device or for recovery (shared/spec/wrapping.md). */
import type { Bytes } from "../bytes/bytes.ts";
import { encodeCbor } from "../bytes/cbor.ts";
import type { EpochContext } from "./epoch_keys.ts";
import { LABELS } from "./labels.ts";

/** The device id under which the recovery key's copy is wrapped. */
export const RECOVERY_DEVICE: Bytes = new Uint8Array(16).fill(0xff);

/** HPKE info that ties a wrapped sym key to its place (spec: WRAP-01). */
export function wrapInfo({ owner, incarnation, epoch }: EpochContext, device: Bytes, suite: string): Bytes {
  return encodeCbor([LABELS.wrap, owner, incarnation, epoch, device, suite]);
}
