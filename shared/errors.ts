/**
 * The one error type of Postern and the closed list of its codes.
 *
 * A code says what kind of thing went wrong, so that callers can decide; the message says to a person what was tried,
 * what was found and what to do next. Neither ever holds secret bytes.
 */

/** Every code an error of Postern can carry. Add a code here, with its meaning, before throwing it anywhere. */
export const ERROR_CODES = {
  /** Bytes or text that do not have the form they must have. */
  malformed: "malformed",
  /** Larger than its limit in `limits.ts`. */
  too_large: "too_large",
  /** A form, algorithm, size or version that is well made but outside of what Postern accepts. */
  unsupported: "unsupported",
  /** A signature, MAC, AEAD tag or hash that does not verify. */
  tampered: "tampered",
  /** Login or session not accepted; the same answer for every cause. */
  unauthorized: "unauthorized",
  /** The caller is known but may not do this. */
  forbidden: "forbidden",
  /** What was asked for is not there. */
  not_found: "not_found",
  /** The request contradicts the present state (wrong base, changed chunk, second use of a number). */
  conflict: "conflict",
  /** The epoch asked for is no longer kept. */
  epoch_gone: "epoch_gone",
  /** Too many requests; try again later. */
  rate_limited: "rate_limited",
  /** Past its time: certificate, head, challenge, session. */
  expired: "expired",
  /** Before its time: certificate, head. */
  not_yet_valid: "not_yet_valid",
  /** The head shown is older than one already seen, or contradicts it. */
  rolled_back: "rolled_back",
  /** Two different heads under one number. */
  forked: "forked",
  /** The manager started a new incarnation, which the user has not confirmed yet. */
  restored: "restored",
  /** The newest head is overdue: the edge withholds, or the manager does not run. */
  stale: "stale",
  /** A row that must be there is not. */
  withheld: "withheld",
  /** A certificate without a path to a trusted one, or not allowed for this use. */
  untrusted: "untrusted",
  /** A signature over a release, an index or a revocation list that does not verify, or is not of the kind that is asked for. */
  signature: "signature",
  /** A certificate, a key version or an instance that was revoked. */
  revoked: "revoked",
  /** What is signed for another product, release or file than the one asked for. */
  mixed_up: "mixed_up",
  /** Wrong passphrase, key file or credential. */
  wrong_key: "wrong_key",
  /** Configuration that is missing or does not fit; the message names the setting. */
  configuration: "configuration",
  /** A database or file that is locked, full, gone, or of a newer schema. */
  storage: "storage",
  /** The other side could not be reached, or broke off. */
  network: "network",
  /** The clock of this machine and the other side's differ too much. */
  clock: "clock",
  /** Wrong use of a command or function. */
  usage: "usage",
} as const;

/** One of the codes in {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** The error that every part of Postern throws; anything else that escapes is a bug. */
export class PosternError extends Error {
  override readonly name = "PosternError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** True for a {@link PosternError}, with the given code if one is named. */
export function isPosternError(error: unknown, code?: ErrorCode): error is PosternError {
  return error instanceof PosternError && (code === undefined || error.code === code);
}
