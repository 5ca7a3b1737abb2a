/** Who the edge is and whom it admits: the configuration with its keys derived. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { importAeadKey } from "../../shared/crypto/aead.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { X25519KeyPair } from "../../shared/crypto/x25519.ts";
import { deriveEdgeKeys } from "../../shared/protocol/edge_key.ts";
import type { EdgeConfig } from "../config.ts";
import type { ChallengeKey } from "./challenge.ts";

export interface EdgeIdentity {
  /** As owner statements name the edge. */
  readonly origin: string;
  /** The X25519 key that they name with it. */
  readonly exchange: X25519KeyPair;
  /** AES-256-GCM keys of tokens: the first seals, all of them open. */
  readonly tokenKeys: readonly [CryptoKey, ...CryptoKey[]];
  /** Keys of challenges: the first makes them, all of them recognise. */
  readonly challengeKeys: readonly [ChallengeKey, ...ChallengeKey[]];
  /** True for an owner of the configuration. */
  admits(owner: Bytes): boolean;
}

/** Derives the edge's keys. A previous secret still opens what it sealed, and proves nothing any more. */
export async function loadIdentity(config: EdgeConfig): Promise<EdgeIdentity> {
  const current = await deriveEdgeKeys(reveal(config.secret));
  const previous = config.previousSecret === null ? [] : [await deriveEdgeKeys(reveal(config.previousSecret))];
  const owners = new Set(config.owners.map(toHex));
  return {
    origin: config.origin,
    exchange: current.exchange,
    tokenKeys: [
      await importAeadKey(current.tokens),
      ...await Promise.all(previous.map(({ tokens }) => importAeadKey(tokens))),
    ],
    challengeKeys: [current.challenges, ...previous.map(({ challenges }) => challenges)],
    admits: (owner) => owners.has(toHex(owner)),
  };
}
