/** Who the edge is and whom it admits: the configuration with its keys derived. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { ExchangeKey, NativeKeys, SealingKey } from "../../shared/crypto/native_keys.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { deriveEdgeKeys } from "../../shared/protocol/edge_key.ts";
import type { EdgeConfig } from "../config.ts";
import type { ChallengeKey } from "./challenge.ts";

export interface EdgeIdentity {
  /** As owner statements name the edge. */
  readonly origin: string;
  /** The X25519 key that they name with it. */
  readonly exchange: ExchangeKey;
  /** AES-256-GCM keys of tokens: the first seals, all of them open. */
  readonly tokenKeys: readonly [SealingKey, ...SealingKey[]];
  /** Keys of challenges: the first makes them, all of them recognise. */
  readonly challengeKeys: readonly [ChallengeKey, ...ChallengeKey[]];
  /** True for an owner of the configuration. */
  admits(owner: Bytes): boolean;
}

/** Derives the edge's keys. A previous secret still opens what it sealed, and proves nothing any more. */
export async function loadIdentity(config: EdgeConfig, keys: NativeKeys): Promise<EdgeIdentity> {
  const current = await deriveEdgeKeys(reveal(config.secret), keys);
  const previous = config.previousSecret === null ? [] : [await deriveEdgeKeys(reveal(config.previousSecret), keys)];
  const owners = new Set(config.owners.map(toHex));
  return {
    origin: config.origin,
    exchange: current.exchange,
    tokenKeys: [
      await keys.sealingKey(current.tokens),
      ...await Promise.all(previous.map(({ tokens }) => keys.sealingKey(tokens))),
    ],
    challengeKeys: [current.challenges, ...previous.map(({ challenges }) => challenges)],
    admits: (owner) => owners.has(toHex(owner)),
  };
}
