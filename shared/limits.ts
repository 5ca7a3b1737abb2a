/** Every limit of the protocol and its implementations, in one place. Units are in the names. */
export const LIMITS = {
  /** No request or answer body is larger. */
  maxBodyBytes: 1_048_576,
  /** No stored row is larger, ciphertext and MAC included. */
  maxRowBytes: 1_000_000,
  /** Plaintext bytes in one part of a message. */
  messagePartBytes: 524_288,
  /** A whole message, attachments included. */
  maxMessageBytes: 26_214_400,
  /** DER bytes of one certificate. */
  maxCertificateBytes: 65_536,
  /** UTF-8 bytes of a canonical distinguished name. */
  maxDnBytes: 8_192,
  /** UTF-8 bytes of a channel name. */
  maxChannelBytes: 256,
  /** Nesting of any CBOR item. */
  maxCborDepth: 16,
} as const;
