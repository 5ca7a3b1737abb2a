/** What comes of looking for a path. Not finding one is an expected outcome, and so a value. */
import type { ErrorCode } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import { displayDn } from "./dn.ts";

/**
 * Why there is no path, each with the error code it amounts to. Listed from the least to the most telling: when several
 * ways fail, the one that came closest is reported.
 */
const PATH_REASONS = {
  /** No issuer is known, or the last one known is not trusted. */
  untrusted: "untrusted",
  /** The issuer named is known, and did not sign this. */
  tampered: "tampered",
  /** Issued by a certificate that must not issue. */
  not_an_authority: "untrusted",
  /** An algorithm that is not relied on, or a critical extension that is not understood. */
  unsupported: "unsupported",
  /** More possible issuers than are looked at. */
  too_much_work: "unsupported",
  not_yet_valid: "not_yet_valid",
  expired: "expired",
  /** Longer than an authority in it allows, or than `LIMITS.maxPathCertificates`. */
  path_too_long: "untrusted",
  /** Limited to other purposes than the one asked for. */
  wrong_purpose: "untrusted",
  /** Outside of an authority's name constraints. */
  name_not_allowed: "untrusted",
} as const satisfies Record<string, ErrorCode>;

/** One of {@link PATH_REASONS}. */
export type PathReason = keyof typeof PATH_REASONS;

/** Why, at which certificate, and for a person: what. */
export interface PathFailure {
  readonly ok: false;
  readonly reason: PathReason;
  readonly code: ErrorCode;
  readonly certificate: Certificate;
  readonly message: string;
}

/** A path, the certificate in question first and the trusted one last; or why there is none. */
export type PathResult = { readonly ok: true; readonly path: readonly Certificate[] } | PathFailure;

/** A failure; `found` continues "The certificate of NAME ...". */
export function failure(reason: PathReason, certificate: Certificate, found: string): PathFailure {
  const name = displayDn(certificate.subjectName) || "an empty name";
  return { ok: false, reason, code: PATH_REASONS[reason], certificate, message: `The certificate of ${name} ${found}` };
}

const ORDER: readonly string[] = Object.keys(PATH_REASONS);

/** The more telling of two failures; the earlier one if they tell the same. */
export function moreTelling(a: PathFailure | undefined, b: PathFailure): PathFailure {
  return a !== undefined && ORDER.indexOf(a.reason) >= ORDER.indexOf(b.reason) ? a : b;
}
