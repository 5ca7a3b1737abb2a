/**
 * Looks for a path from a certificate to a trusted one (RFC 5280 section 6, RFC 4158).
 *
 * Depth first, trusted issuers before others; an issuer counts only once its signature is verified, so that certificates
 * which merely bear a trusted name lead nowhere. Depth and steps are bounded: whoever fills the store with
 * look-alikes gets `too_much_work` for an answer, not the processor.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate } from "./certificate.ts";
import type { CanonicalDn } from "./dn.ts";
import { checkIssuer, checkPath, checkTime, type Path } from "./path_checks.ts";
import { failure, moreTelling, type PathFailure, type PathResult } from "./path_result.ts";
import { type SignatureOutcome, verifyCertificate } from "./verify.ts";

/** Finds certificates by their subject: in memory ({@link bySubject}) or in a store. */
export type SubjectLookup = (subject: CanonicalDn) => readonly Certificate[] | Promise<readonly Certificate[]>;

/** What the search may use. */
export interface PathOptions {
  /** Certificates that may stand in between; not trusted. */
  readonly candidates: SubjectLookup;
  /** Certificates that are trusted; a path ends at one. */
  readonly anchors: SubjectLookup;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A dotted extended key usage that every certificate of the path must be good for. */
  readonly purpose?: string;
}

/** A lookup in a list. */
export function bySubject(certificates: Iterable<Certificate>): SubjectLookup {
  const lists = Map.groupBy(certificates, (certificate) => certificate.subject);
  return (subject) => lists.get(subject) ?? [];
}

/** Looks for a path for `leaf`. A leaf that is itself trusted is a path of one. */
export async function findPath(leaf: Certificate, options: PathOptions): Promise<PathResult> {
  // Nothing that could be found further up would make up for this.
  const late = checkTime(leaf, options.now);
  if (late !== undefined) return late;
  return await new Search(options).run(leaf);
}

class Search {
  readonly #options: PathOptions;
  readonly #outcomes = new Map<Certificate, Map<Certificate, SignatureOutcome>>();
  #steps = LIMITS.maxPathSteps;
  #failure: PathFailure | undefined;

  constructor(options: PathOptions) {
    this.#options = options;
  }

  async run(leaf: Certificate): Promise<PathResult> {
    const path = await this.#extend([leaf]);
    if (path !== undefined) return { ok: true, path };
    return this.#failure ?? failure("untrusted", leaf, "has no path to a trusted one");
  }

  async #extend(path: Path): Promise<Path | undefined> {
    const last = path[path.length - 1] ?? path[0];
    const anchors = await this.#options.anchors(last.subject);
    if (anchors.some((anchor) => same(anchor, last))) {
      const found = checkPath(path, this.#options.now, this.#options.purpose);
      if (found === undefined) return path;
      this.#note(found);
    }
    const issuers = await this.#issuers(last, path);
    if (issuers.length === 0) {
      this.#note(failure("untrusted", last, "is not trusted, and neither is an issuer of it known"));
    } else if (path.length >= LIMITS.maxPathCertificates) {
      this.#note(failure("path_too_long", path[0], "is too far from a trusted one"));
    } else return await this.#climb(path, last, issuers);
    return undefined;
  }

  /** Goes on to each issuer that signed. That one did not only tells something if no other did. */
  async #climb(path: Path, last: Certificate, issuers: readonly Certificate[]): Promise<Path | undefined> {
    let tampered: PathFailure | undefined;
    let signed = false;
    for (const issuer of issuers) {
      if (this.#steps-- <= 0) {
        this.#note(failure("too_much_work", path[0], "has more possible issuers than are looked at"));
        return undefined;
      }
      const unfit = checkIssuer(issuer, this.#options.now);
      if (unfit !== undefined) {
        this.#note(unfit);
        continue;
      }
      const outcome = await this.#verify(last, issuer);
      if (!outcome.ok) {
        const found = failure(outcome.code, last, `is not usable. ${outcome.message}`);
        if (outcome.code === "tampered") tampered = found;
        else this.#note(found);
        continue;
      }
      signed = true;
      const whole = await this.#extend([...path, issuer]);
      if (whole !== undefined) return whole;
    }
    if (!signed && tampered !== undefined) {
      // One that names itself as its issuer does not claim that another of the name has signed it.
      this.#note(
        last.isSelfIssued
          ? failure("untrusted", last, "is not trusted, though another of its name is known")
          : tampered,
      );
    }
    return undefined;
  }

  /** Possible issuers by name and key identifier, trusted ones first, none that the path already has. */
  async #issuers(last: Certificate, path: Path): Promise<readonly Certificate[]> {
    const found: Certificate[] = [];
    for (const lookup of [this.#options.anchors, this.#options.candidates]) {
      for (const issuer of await lookup(last.issuer)) {
        // More than there are steps would only be compared with each other.
        if (found.length > LIMITS.maxPathSteps) break;
        if (mayHaveIssued(issuer, last) && ![...path, ...found].some((known) => same(known, issuer))) {
          found.push(issuer);
        }
      }
    }
    return found;
  }

  async #verify(certificate: Certificate, issuer: Certificate): Promise<SignatureOutcome> {
    const outcomes = this.#outcomes.get(certificate) ?? new Map<Certificate, SignatureOutcome>();
    this.#outcomes.set(certificate, outcomes);
    const outcome = outcomes.get(issuer) ?? await verifyCertificate(certificate, issuer.publicKey);
    outcomes.set(issuer, outcome);
    return outcome;
  }

  #note(found: PathFailure): void {
    this.#failure = moreTelling(this.#failure, found);
  }
}

/** Key identifiers are optional hints: only two that are there and differ exclude anything. An empty issuer issues nothing. */
function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  const { subjectKeyId } = issuer;
  const { authorityKeyId } = certificate;
  return issuer.subject === certificate.issuer && issuer.subject !== "" &&
    (subjectKeyId === undefined || authorityKeyId === undefined || equalBytes(subjectKeyId, authorityKeyId));
}

function same(a: Certificate, b: Certificate): boolean {
  return a === b || equalBytes(a.fingerprint, b.fingerprint);
}
