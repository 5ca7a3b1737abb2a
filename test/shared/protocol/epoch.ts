/** Keys of an epoch for tests, from fixed bytes. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { secretKey } from "../../../shared/crypto/brand.ts";
import { deriveEpochKeys, type EpochContext, type EpochKeys } from "../../../shared/protocol/epoch_keys.ts";

export function filled(length: number, byte: number): Bytes {
  return new Uint8Array(length).fill(byte);
}

export const CONTEXT: EpochContext = { owner: filled(32, 1), incarnation: filled(16, 2), epoch: 3 };

/** Of the sym key that consists of `byte`. */
export async function epochKeys(byte = 4, context: EpochContext = CONTEXT): Promise<EpochKeys> {
  return await deriveEpochKeys(secretKey<"SymKey">(filled(32, byte)), context, null);
}
