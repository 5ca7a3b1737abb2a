/**
 * What RFC 5280 section 6.1 asks of a path besides its signatures. Pure: certificates and a time in, the first failure out.
 *
 * Certificate policies are not evaluated: nobody here asks for one, and a path in which an authority demands that
 * (policyConstraints) is refused as an unknown critical extension.
 */
import { LIMITS } from "../limits.ts";
import type { Certificate } from "./certificate.ts";
import { displayDn } from "./dn.ts";
import { KEY_USAGE, PURPOSE } from "./extensions.ts";
import { type Budget, constrainedNames, refusal } from "./name_constraints.ts";
import { failure, type PathFailure } from "./path_result.ts";

/** A path from the certificate in question, first, to a trusted one, last; each is issued by the next. */
export type Path = readonly [Certificate, ...Certificate[]];

/** Validity at `now`, milliseconds since 1970. */
export function checkTime(certificate: Certificate, now: number): PathFailure | undefined {
  if (now < certificate.notBefore) {
    return failure("not_yet_valid", certificate, `not valid before ${iso(certificate.notBefore)}`);
  }
  // A certificate is valid throughout the second that notAfter names.
  if (now >= certificate.notAfter + 1000) {
    return failure("expired", certificate, `expired at ${iso(certificate.notAfter)}`);
  }
  return undefined;
}

/** Whether a certificate may issue others at all. */
export function checkIssuer(certificate: Certificate, now: number): PathFailure | undefined {
  // Without basicConstraints (in version 1 always) nothing tells an authority from anybody it issued to.
  if (!certificate.isCa) return failure("not_an_authority", certificate, "is not an authority's");
  if (certificate.keyUsage !== undefined && (certificate.keyUsage & KEY_USAGE.keyCertSign) === 0) {
    return failure("not_an_authority", certificate, "is not for signing certificates");
  }
  return checkTime(certificate, now) ?? checkCritical(certificate);
}

/** Everything about a whole path except signatures; `purpose` is a dotted extended key usage that it must be good for. */
export function checkPath(path: Path, now: number, purpose: string | undefined): PathFailure | undefined {
  const [leaf, ...issuers] = path;
  return checkTime(leaf, now) ?? checkCritical(leaf) ??
    first(issuers, (issuer) => checkIssuer(issuer, now)) ??
    checkLengths(path) ??
    (purpose === undefined ? undefined : first(path, (certificate) => checkPurpose(certificate, purpose))) ??
    checkNames(path);
}

function checkCritical(certificate: Certificate): PathFailure | undefined {
  const [oid] = certificate.unknownCritical;
  return oid === undefined
    ? undefined
    : failure("unsupported", certificate, `has the extension ${oid}, which must be understood and is not`);
}

/** pathLen counts the authorities below, without the leaf and without those that were only given a new key. */
function checkLengths(path: Path): PathFailure | undefined {
  let below = 0;
  for (const issuer of path.slice(1)) {
    if (issuer.pathLen !== undefined && below > issuer.pathLen) {
      return failure("path_too_long", issuer, `allows ${issuer.pathLen} authorities below itself, there are ${below}`);
    }
    if (!issuer.isSelfIssued) below++;
  }
  return undefined;
}

/** An authority that is limited to some purposes cannot issue for others: not in RFC 5280, but what everybody does. */
function checkPurpose(certificate: Certificate, purpose: string): PathFailure | undefined {
  const purposes = certificate.extKeyUsage;
  if (purposes === undefined || purposes.includes(purpose) || purposes.includes(PURPOSE.any)) return undefined;
  return failure("wrong_purpose", certificate, `is not for the purpose ${purpose}`);
}

function checkNames(path: Path): PathFailure | undefined {
  const budget: Budget = { comparisons: LIMITS.maxNameComparisons };
  for (const [place, issuer] of path.entries()) {
    if (issuer.nameConstraints === undefined) continue;
    for (const [below, certificate] of path.slice(0, place).entries()) {
      if (certificate.isSelfIssued && below > 0) continue;
      const found = refusal(constrainedNames(certificate), issuer.nameConstraints, budget);
      if (found === undefined) continue;
      return failure(
        "name_not_allowed",
        certificate,
        `has a name that is ${found}, by ${displayDn(issuer.subjectName)}`,
      );
    }
  }
  return undefined;
}

function first<T>(items: readonly T[], check: (item: T) => PathFailure | undefined): PathFailure | undefined {
  for (const item of items) {
    const found = check(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
