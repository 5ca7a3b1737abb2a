/**
 * Name constraints (RFC 5280 sections 4.2.1.10 and 6.1.4): which names may stand below an authority that is
 * limited to some.
 *
 * A form of name that is constrained but cannot be compared here is refused wherever it occurs, never waved through.
 */
import { equalBytes } from "../bytes/bytes.ts";
import { EMAIL_ADDRESS } from "./attribute_names.ts";
import type { Certificate } from "./certificate.ts";
import { canonicalRdn } from "./dn.ts";
import type { GeneralName, NameConstraints } from "./general_name.ts";

/** Why a certificate's names are not allowed. */
export type NameRefusal = "not permitted" | "excluded" | "of a form that cannot be compared" | "too many to compare";

/** Counts comparisons down over one path, since two lists of names multiply. */
export interface Budget {
  comparisons: number;
}

/** The names of a certificate that constraints apply to. */
export function constrainedNames(certificate: Certificate): readonly GeneralName[] {
  const names: GeneralName[] = [...(certificate.subjectAltName ?? [])];
  if (certificate.subjectName.length > 0) {
    names.push({ form: "directory", rdns: certificate.subjectName.map(canonicalRdn) });
  }
  for (const attribute of certificate.subjectName.flat()) {
    // Mail addresses stood in the subject before subjectAltName was there, and still count.
    if (attribute.type === EMAIL_ADDRESS) names.push({ form: "email", text: attribute.text ?? "" });
  }
  return names;
}

/** Checks names against one authority's constraints; undefined when all are allowed. */
export function refusal(
  names: readonly GeneralName[],
  constraints: NameConstraints,
  budget: Budget,
): NameRefusal | undefined {
  for (const name of names) {
    const permitted = constraints.permitted?.filter((base) => sameForm(base, name)) ?? [];
    const excluded = constraints.excluded?.filter((base) => sameForm(base, name)) ?? [];
    budget.comparisons -= 1 + permitted.length + excluded.length;
    if (budget.comparisons < 0) return "too many to compare";
    if (permitted.length + excluded.length === 0) continue;
    if (!isName(name) || ![...permitted, ...excluded].every(isBase)) return "of a form that cannot be compared";
    if (excluded.some((base) => within(name, base, "any part"))) return "excluded";
    if (permitted.length > 0 && !permitted.some((base) => within(name, base, "all"))) return "not permitted";
  }
  return undefined;
}

function sameForm(base: GeneralName, name: GeneralName): boolean {
  return base.form === "other" ? name.form === "other" && name.tag === base.tag : base.form === name.form;
}

/** Whether a certificate's name has the one form that comparing it relies on. */
function isName(name: GeneralName): boolean {
  switch (name.form) {
    case "dns":
      // A wildcard that is not the whole first label has no agreed meaning.
      return /^(\*\.)?[^*]+$/.test(name.text);
    case "email":
      // With a quoted part or a second "@", two readers could see two hosts.
      return /^[^@"]+@[^@"]+$/.test(name.text);
    case "ip":
      return name.bytes.length === 4 || name.bytes.length === 16;
    case "directory":
      return true;
    case "uri":
    case "other":
      return false;
  }
}

/** The same for the name in a constraint. */
function isBase(base: GeneralName): boolean {
  switch (base.form) {
    case "dns":
      return !base.text.includes("*");
    case "email":
      return /^[^@"]*(@[^@"]+)?$/.test(base.text) && base.text !== "";
    case "ip":
      return isRange(base.bytes);
    case "directory":
      return true;
    case "uri":
    case "other":
      return false;
  }
}

/** "all": every name that this stands for lies within the base; "any part": at least one does. They differ for "*." */
function within(name: GeneralName, base: GeneralName, extent: "all" | "any part"): boolean {
  switch (name.form) {
    case "dns":
      return base.form === "dns" && dnsWithin(name.text.toLowerCase(), base.text.toLowerCase(), extent);
    case "email":
      return base.form === "email" && emailWithin(name.text, base.text);
    case "directory":
      return base.form === "directory" && directoryWithin(name.rdns, base.rdns);
    case "ip":
      return base.form === "ip" && ipWithin(name.bytes, base.bytes);
    case "uri":
    case "other":
      return false;
  }
}

function dnsWithin(name: string, constraint: string, extent: "all" | "any part"): boolean {
  const host = name.replace(/\.$/, "");
  const base = constraint.replace(/\.$/, "");
  if (base === "") return true;
  // A dot in front is not in RFC 5280; OpenSSL and others read it as "below, but not itself", and so do authorities.
  if (base.startsWith(".")) return host.endsWith(base) && host.length > base.length;
  if (host === base || host.endsWith(`.${base}`)) return true;
  // "*.example.org" also stands for "mail.example.org", so excluding that one excludes the wildcard.
  return extent === "any part" && host.startsWith("*.") && base.slice(base.indexOf(".") + 1) === host.slice(2) &&
    base.includes(".");
}

function emailWithin(name: string, base: string): boolean {
  const at = name.indexOf("@");
  if (at < 0) return false;
  const host = name.slice(at + 1).toLowerCase();
  const baseAt = base.indexOf("@");
  // Only the host is without case; a mailbox may tell "Ann" from "ann".
  if (baseAt >= 0) return name.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase();
  const domain = base.toLowerCase();
  return domain.startsWith(".") ? host.endsWith(domain) && host.length > domain.length : host === domain;
}

function directoryWithin(name: readonly string[], base: readonly string[]): boolean {
  return base.every((rdn, i) => rdn === name[i]);
}

/** An address and a mask of ones followed by zeros, four or sixteen bytes each. */
function isRange(bytes: Uint8Array): boolean {
  if (bytes.length !== 8 && bytes.length !== 32) return false;
  const mask = Array.from(bytes.subarray(bytes.length / 2), (byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(mask);
}

function ipWithin(address: Uint8Array, range: Uint8Array): boolean {
  if (range.length !== address.length * 2) return false;
  const masked = (bytes: Uint8Array) => bytes.map((byte, i) => byte & (range[address.length + i] ?? 0));
  return equalBytes(masked(address), masked(range.subarray(0, address.length)));
}
