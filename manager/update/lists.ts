/** Revocation lists never go back (spec: CMS-21, MAN-25). Pure but for the verification of signatures. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { PosternError } from "../../shared/errors.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import type { Crl } from "../../shared/x509/crl.ts";
import { checkRevocation, isListOf, verifyCrl } from "../../shared/x509/revocation.ts";

/** Which issuer a list is of, by its own word. */
export function issuerOf({ issuer, authorityKeyId }: Crl): string {
  return `${authorityKeyId === undefined ? "" : toHex(authorityKeyId)} ${issuer}`;
}

/** What an instance goes by, and what of it is new and verified: to be remembered. */
export interface Lists {
  readonly all: readonly Crl[];
  readonly fresh: readonly Crl[];
}

/**
 * Takes shown lists in beside those that are remembered; for an issuer whose list is not shown, the remembered one holds.
 *
 * @param issuers those whose certificates are known already; lists of others are checked where they are used
 * @throws `rolled_back` for a list that is older than the one remembered; `forked` for another one of the same number; `signature`,
 * `untrusted`, `not_yet_valid`
 */
// spec: MAN-25
export async function mergeLists(
  shown: readonly Crl[],
  remembered: readonly Crl[],
  issuers: readonly Certificate[],
  now: number,
): Promise<Lists> {
  const fresh: Crl[] = [];
  for (const list of shown) {
    const issuer = issuers.find((one) => isListOf(list, one));
    if (issuer === undefined) continue;
    const wrong = await verifyCrl(list, issuer, now);
    if (wrong !== undefined) throw new PosternError(wrong.code, wrong.message);
    if (isNew(list, remembered)) fresh.push(list);
  }
  const shownIssuers = new Set(shown.map(issuerOf));
  return { all: [...shown, ...remembered.filter((list) => !shownIssuers.has(issuerOf(list)))], fresh };
}

/**
 * Whether a verified list is newer than the one remembered of its issuer.
 *
 * @throws `rolled_back` if it is older; `forked` for another one in its place
 */
// spec: CMS-21
export function isNew(list: Crl, remembered: readonly Crl[]): boolean {
  const before = remembered.find((one) => issuerOf(one) === issuerOf(list));
  if (before === undefined) return true;
  if (toHex(before.fingerprint) === toHex(list.fingerprint)) return false;
  const both = list.number !== undefined && before.number !== undefined;
  const isOlder = before.number !== undefined && list.number === undefined ||
    (both ? (list.number ?? 0n) < (before.number ?? 0n) : list.thisUpdate < before.thisUpdate);
  if (isOlder) throw new PosternError("rolled_back", "the revocation list is older than one that was seen before");
  if (both && list.number === before.number) {
    throw new PosternError("forked", `there are two revocation lists of number ${list.number}`);
  }
  return true;
}

/** Whether a list revokes a certificate of this path, whose issuers were verified when it was remembered. */
export async function isPathRevoked(
  path: readonly Certificate[],
  crls: readonly Crl[],
  now: number,
): Promise<boolean> {
  for (const place of path.keys()) {
    const result = await checkRevocation(path.slice(place, place + 2), { crls, required: false, now });
    if (!result.ok && result.code === "revoked") return true;
  }
  return false;
}
