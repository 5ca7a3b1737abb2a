/** Who a login claims to be: the key that must have signed it, and what the edge holds for its answer. */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { type ErrorCode, isPosternError } from "../../shared/errors.ts";
import { namesEdge, type VerifiedStatement, verifyStatement } from "../../shared/protocol/statement.ts";
import { devicePrincipal, managerPrincipal, type Principal, type SessionName } from "../store/principal.ts";
import type { ManagerLoginData } from "../store/read/head.ts";
import type { EdgeStore } from "../store/store.ts";
import type { Challenge } from "./challenge.ts";
import type { EdgeIdentity } from "./identity.ts";

/** What the edge holds of an owner, and of a device if it is one that logs in. */
export interface HeldState {
  /** 0 and 0 as long as nothing was pushed. */
  readonly generation: number;
  readonly epoch: number;
  readonly head: Bytes | null;
  readonly statement: Bytes | null;
  readonly record: Bytes | null;
  /** The path of the head that the claimant has seen (spec: READ-07). */
  readonly history: readonly Bytes[] | null;
}

/** Somebody whom the edge would admit, were the signature right. */
export interface Claimant {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  readonly held: HeldState;
  principal(name: SessionName): Principal;
  /** Uses up the challenge; false when somebody had before. */
  spend(challenge: Challenge, forgetAfter: number): Promise<boolean>;
}

/** Null for a device that the owner's current state does not have, or an owner who is not admitted. */
export async function findDevice(
  store: EdgeStore,
  identity: EdgeIdentity,
  owner: Bytes,
  device: Bytes,
  seen: number | undefined,
): Promise<Claimant | null> {
  // Asked for strangers too, so that an answer about them takes as long (spec: CONV-10).
  const found = await store.loginData(owner, device, seen);
  if (found === null || !identity.admits(owner)) return null;
  return {
    publicKey: found.publicKey,
    held: found,
    principal: (name) => devicePrincipal(owner, device, found.registration, name),
    spend: ({ random }, forgetAfter) => store.spendChallenge(owner, random, forgetAfter),
  };
}

/** Null unless the statement is the owner's, names this edge, and is not older than what the edge holds (spec: SESS-03). */
export async function findManager(
  store: EdgeStore,
  identity: EdgeIdentity,
  owner: Bytes,
  signed: Bytes,
  seen: number | undefined,
): Promise<Claimant | null> {
  const held = await store.managerLoginData(owner, seen);
  const statement = await readOwn(signed, owner);
  const edge = { origin: identity.origin, key: identity.exchange.publicKey };
  if (statement === null || !identity.admits(owner) || !namesEdge(statement, edge) || isOutdated(statement, held)) {
    return null;
  }
  const { generation, epoch, head, history } = held;
  return {
    publicKey: statement.managerKey,
    held: { generation, epoch, head, statement: held.statement?.signed ?? null, record: null, history },
    principal: (name) => managerPrincipal(owner, statement, name),
    spend: ({ random }, forgetAfter) => store.recordManager(owner, random, forgetAfter),
  };
}

const NOT_THE_OWNERS: readonly ErrorCode[] = ["malformed", "too_large", "unsupported", "tampered", "untrusted"];

async function readOwn(signed: Bytes, owner: Bytes): Promise<VerifiedStatement | null> {
  try {
    return await verifyStatement(signed, owner);
  } catch (error) {
    if (isPosternError(error) && NOT_THE_OWNERS.includes(error.code)) return null;
    throw error;
  }
}

function isOutdated(statement: VerifiedStatement, { statement: held }: ManagerLoginData): boolean {
  if (held === null || statement.number > held.number) return false;
  return statement.number < held.number || !equalBytes(statement.hash, held.hash);
}
