/** Logins: from a challenge and a signature to a session (shared/spec/session.md, "Login"). */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import type { ExchangeKey, NativeKeys } from "../../shared/crypto/native_keys.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { loginTranscript, MANAGER_DEVICE, type SessionKeys, sessionKeys } from "../../shared/protocol/login.ts";
import type { EdgeStore } from "../store/store.ts";
import { makeChallenge, readChallenge } from "./challenge.ts";
import { type Claimant, findDevice, findManager, type HeldState } from "./claimant.ts";
import { EphemeralKey } from "./ephemeral.ts";
import type { EdgeIdentity } from "./identity.ts";
import { LoginKeys } from "./login_keys.ts";
import { sealToken } from "./token.ts";

const SESSION_NAME_BYTES = 16;

/** The body of a login, decoded. */
export interface LoginRequest {
  readonly device: Bytes;
  readonly ephemeral: Bytes;
  readonly challenge: Bytes;
  readonly signature: Bytes;
  readonly statement?: Bytes | undefined;
}

/** Values of a login's answer; see shared/spec/session.md. */
export interface LoginAnswer {
  readonly session: string;
  readonly ephemeral: Bytes;
  readonly time: number;
  readonly expires: number;
  readonly statement: Bytes | null;
  readonly generation: number | null;
  readonly epoch: number | null;
  readonly head: Bytes | null;
  readonly record: Bytes | null;
}

/** Answers challenges and logins of all owners. */
export class Logins {
  readonly #identity: EdgeIdentity;
  readonly #store: EdgeStore;
  readonly #random: RandomBytes;
  readonly #ephemeral: EphemeralKey;
  readonly #keys: LoginKeys;

  constructor(identity: EdgeIdentity, store: EdgeStore, random: RandomBytes, keys: NativeKeys) {
    this.#identity = identity;
    this.#store = store;
    this.#random = random;
    this.#ephemeral = new EphemeralKey(keys);
    this.#keys = new LoginKeys(keys);
  }

  /** A challenge; the same for owners that the edge does not know (spec: SESS-01). */
  challenge(owner: Bytes, now: number): Bytes {
    return makeChallenge(this.#identity.challengeKeys[0], owner, now, this.#random);
  }

  /** Lets go of what may not be kept longer (spec: SESS-07). */
  forget(now: number): void {
    this.#ephemeral.forget(now);
  }

  /**
   * Logs a device or the manager in.
   *
   * @throws `malformed` when device and statement do not fit together; else `unauthorized`, whatever is wrong (spec: CONV-10)
   */
  async login(owner: Bytes, request: LoginRequest, now: number): Promise<{ answer: LoginAnswer; keys: SessionKeys }> {
    const isManager = equalBytes(request.device, MANAGER_DEVICE);
    if (isManager !== (request.statement !== undefined)) {
      throw new PosternError("malformed", "A manager sends its statement, a device sends none");
    }
    const challenge = readChallenge(this.#identity.challengeKeys, owner, request.challenge, now);
    if (challenge === null) throw unauthorized();
    const claimant = request.statement === undefined
      ? await findDevice(this.#store, this.#identity, owner, request.device)
      : await findManager(this.#store, this.#identity, owner, request.statement);
    const transcript = this.#transcript(owner, request);
    const isSigned = await this.#isSigned(claimant, request.signature, transcript);
    if (claimant === null || !isSigned) throw unauthorized();

    const mine = await this.#ephemeral.current(now);
    const [isFresh, keys] = await Promise.all([
      // The challenge itself is refused after its expiry; the record stays a while, for isolates whose clocks are behind.
      claimant.spend(challenge, challenge.expires + LIMITS.challengeMillis),
      this.#agree(transcript, mine, request.ephemeral),
    ]);
    if (!isFresh) throw unauthorized();
    const expires = now + LIMITS.sessionMillis;
    const principal = claimant.principal({ session: this.#random(SESSION_NAME_BYTES), expires });
    const session = await sealToken(this.#identity.tokenKeys[0], { principal, keys }, this.#random);
    return { answer: { session, ephemeral: mine.publicKey, time: now, expires, ...shown(claimant.held) }, keys };
  }

  /** spec: SESS-02: with the edge's own name and key, so that a login meant for another edge fails. */
  #transcript(owner: Bytes, { challenge, ephemeral, device, statement }: LoginRequest): Bytes {
    const { origin, exchange: { publicKey: edgeKey } } = this.#identity;
    const hash = statement === undefined ? null : sha256(statement);
    return loginTranscript({ owner, origin, edgeKey, challenge, ephemeral, device, statement: hash });
  }

  async #isSigned(claimant: Claimant | null, signature: Bytes, transcript: Bytes): Promise<boolean> {
    const key = claimant === null ? await this.#keys.nobodys() : await this.#keys.get(claimant.publicKey);
    return await key.verify(signature, transcript);
  }

  async #agree(transcript: Bytes, mine: ExchangeKey, theirs: Bytes): Promise<SessionKeys> {
    try {
      const [withEphemeral, withStatic] = await Promise.all([
        mine.agree(theirs),
        this.#identity.exchange.agree(theirs),
      ]);
      return sessionKeys(transcript, mine.publicKey, withEphemeral, withStatic);
    } catch (error) {
      // spec: SESS-05
      if (isPosternError(error, "tampered")) throw unauthorized();
      throw error;
    }
  }
}

function shown({ statement, generation, epoch, head, record }: HeldState) {
  if (generation === 0) return { statement, generation: null, epoch: null, head: null, record: null };
  return { statement, generation, epoch, head, record };
}

function unauthorized(): PosternError {
  return new PosternError("unauthorized", "The login is not accepted");
}
