/**
 * Names of the attributes in distinguished names: RFC 4514 section 3, RFC 4519, and what certificate authorities use
 * besides. What is printed is the first name; what is typed may be any, in any case.
 */
const NAMES: readonly (readonly [oid: string, ...names: readonly [string, ...string[]]])[] = [
  ["2.5.4.3", "CN", "commonName"],
  ["2.5.4.4", "SN", "surname"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C", "countryName"],
  ["2.5.4.7", "L", "localityName"],
  ["2.5.4.8", "ST", "S", "stateOrProvinceName"],
  ["2.5.4.9", "STREET", "streetAddress"],
  ["2.5.4.10", "O", "organizationName"],
  ["2.5.4.11", "OU", "organizationalUnitName"],
  ["2.5.4.12", "title"],
  ["2.5.4.13", "description"],
  ["2.5.4.15", "businessCategory"],
  ["2.5.4.17", "postalCode"],
  ["2.5.4.20", "telephoneNumber"],
  ["2.5.4.41", "name"],
  ["2.5.4.42", "GN", "givenName", "G"],
  ["2.5.4.43", "initials"],
  ["2.5.4.44", "generationQualifier"],
  ["2.5.4.45", "x500UniqueIdentifier"],
  ["2.5.4.46", "dnQualifier"],
  ["2.5.4.65", "pseudonym"],
  ["2.5.4.97", "organizationIdentifier"],
  ["0.9.2342.19200300.100.1.1", "UID", "userId"],
  ["0.9.2342.19200300.100.1.25", "DC", "domainComponent"],
  ["1.2.840.113549.1.9.1", "emailAddress", "E", "email"],
  ["1.2.840.113549.1.9.2", "unstructuredName"],
  ["1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"],
  ["1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"],
  ["1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"],
];

const nameByOid = new Map(NAMES.map(([oid, name]) => [oid, name]));
const oidByName = new Map(NAMES.flatMap(([oid, ...names]) => names.map((name) => [name.toLowerCase(), oid] as const)));

/** The dotted identifier of emailAddress, which RFC 5280 treats like a mail address elsewhere. */
export const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

/** The dotted identifier of CN. */
export const COMMON_NAME = "2.5.4.3";

/** The name to print for an attribute type; undefined for one that has none here. */
export function attributeName(oid: string): string | undefined {
  return nameByOid.get(oid);
}

/** The dotted identifier for a typed name, in any case; undefined for an unknown one. */
export function attributeOid(name: string): string | undefined {
  return oidByName.get(name.toLowerCase());
}
