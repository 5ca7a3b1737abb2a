/** Object identifiers of CMS. */
export const CMS_OID = {
  /** RFC 5652 sections 4 and 5.1. */
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  /** RFC 5652 section 11. */
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
  /** RFC 5035 section 3. */
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
  /** RFC 8017: the key's identifier, which CMS allows as that of the signature, too (RFC 3370 section 3.2). */
  rsaEncryption: "1.2.840.113549.1.1.1",
} as const;
