/** Challenge and login: who is asking proves it, and so does the edge (shared/spec/session.md). For devices and managers alike. */
import type * as v from "valibot";
import type { Bytes } from "../../bytes/bytes.ts";
import { encodeCbor } from "../../bytes/cbor.ts";
import { sha256 } from "../../crypto/hash.ts";
import { deriveX25519, generateX25519 } from "../../crypto/x25519.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { HEADERS, verifyAnswer } from "../../protocol/http_signature.ts";
import { loginTranscript, type SessionKeys, sessionKeys } from "../../protocol/login.ts";
import { requireOrigin } from "../../protocol/origin.ts";
import { pathOf } from "../../protocol/paths.ts";
import { decodeAs } from "../../protocol/shapes.ts";
import type { Signer } from "../../protocol/signed.ts";
import type { EdgeName } from "../../protocol/statement.ts";
import { ANSWERS, MEDIA } from "../../protocol/wire.ts";
import { EdgeSession, requireDigest } from "./edge_session.ts";
import { type CallOptions, exchange, type HttpAnswer } from "./http.ts";
import { problemOf, retryAfterMillis } from "./problem.ts";
import { type Attempt, withRetries } from "./retry.ts";
import type { Surroundings } from "../surroundings.ts";

/** Who logs in, where. */
export interface LoginIdentity {
  readonly owner: Bytes;
  /** As the owner statement names it (spec: SESS-02). */
  readonly edge: EdgeName;
  /** Its device id; `MANAGER_DEVICE` for the manager. */
  readonly device: Bytes;
  /** The manager's signed statement; null for a device. */
  readonly statement: Bytes | null;
  /** Generation of the newest head that a device verified in this incarnation, if there is one (spec: READ-07). */
  readonly seen?: number | undefined;
  readonly sign: Signer;
}

/** What the edge answered to a login: from the edge, and not yet judged in any other way. */
export type LoginAnswer = v.InferOutput<typeof ANSWERS.login>;

/** A session, and what came with it. */
export interface Opened {
  readonly session: EdgeSession;
  readonly answer: LoginAnswer;
}

/**
 * Logs in. Two round trips.
 *
 * @throws `unauthorized`, `network`, `rate_limited`; `tampered` when the other side does not hold the edge's key
 */
export async function openSession(
  identity: LoginIdentity,
  surroundings: Surroundings,
  options: CallOptions = {},
): Promise<Opened> {
  requireOrigin(identity.edge.origin);
  const logIn = () => withRetries(surroundings, () => attemptLogin(identity, surroundings, options), options);
  try {
    return await logIn();
  } catch (error) {
    if (!isPosternError(error, "unauthorized")) throw error;
    // A runtime sends a request again by itself when a connection in use breaks off, and finds its challenge spent: a new one tells.
    return await logIn();
  }
}

async function attemptLogin(
  identity: LoginIdentity,
  surroundings: Surroundings,
  options: CallOptions,
): Promise<Attempt<Opened>> {
  const { owner, edge } = identity;
  const asked = await exchange(surroundings, {
    ...{ url: edge.origin + pathOf("challenge", { owner }), method: "GET", headers: {}, body: null },
    what: "Asking for a challenge",
  }, options);
  if (asked.status !== 200) return refused(asked, "Asking for a challenge");
  const { challenge } = decodeAs(ANSWERS.challenge, asked.body, "challenge");
  const ephemeral = await generateX25519();
  const transcript = loginTranscript({
    ...{ owner, origin: edge.origin, edgeKey: edge.key, challenge, ephemeral: ephemeral.publicKey },
    ...{ device: identity.device, statement: identity.statement === null ? null : sha256(identity.statement) },
  });
  const body = encodeCbor({
    ...{ device: identity.device, ephemeral: ephemeral.publicKey, challenge },
    signature: await identity.sign(transcript),
    ...(identity.statement === null ? {} : { statement: identity.statement }),
    ...(identity.seen === undefined ? {} : { seen: identity.seen }),
  });
  const answered = await exchange(surroundings, {
    ...{ url: edge.origin + pathOf("login", { owner }), method: "POST", headers: { "content-type": MEDIA.cbor }, body },
    what: "Logging in",
  }, options);
  if (answered.status !== 200) return refused(answered, "Logging in");
  const answer = decodeAs(ANSWERS.login, answered.body, "answer to the login");
  const keys = sessionKeys(
    transcript,
    answer.ephemeral,
    await deriveX25519(ephemeral.privateKey, answer.ephemeral),
    await deriveX25519(ephemeral.privateKey, edge.key),
  );
  requireEdge(answered, keys);
  const opened = {
    ...{ origin: edge.origin, token: answer.session, keys, edgeTime: answer.time, monotonic: surroundings.monotonic() },
    expires: Math.min(answer.expires, answer.time + LIMITS.sessionMillis),
  };
  return { ok: true, value: { session: new EdgeSession(opened, surroundings), answer } };
}

function refused(answer: HttpAnswer, what: string): Attempt<never> {
  return { ok: false, error: problemOf(answer, what), waitMillis: retryAfterMillis(answer) };
}

/** The signature of the answer: only who holds the edge's key can make it (spec: SESS-06). */
function requireEdge(answer: HttpAnswer, keys: SessionKeys): void {
  const input = answer.headers.get(HEADERS.input) ?? "";
  const signature = answer.headers.get(HEADERS.signature) ?? "";
  const digest = requireDigest(answer, "Logging in");
  const stamp = verifyAnswer(keys.s2c, { status: answer.status, digest, request: null }, { input, signature });
  if (stamp === null || stamp.number !== 0) {
    throw new PosternError(
      "tampered",
      "Logging in: the other side does not hold the key of the edge it pretends to be",
    );
  }
}
