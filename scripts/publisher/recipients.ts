/** For whom a manifest is encrypted: what encryption needs of a publisher's registry. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { CoverSecret } from "../../shared/cover/secret.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";

/** An instance that is registered and not revoked. */
export interface KnownInstance {
  /** Hex. */
  readonly id: string;
  readonly entrySecret: Redacted<Bytes>;
  readonly mdkVersion: number;
  readonly xwing: Bytes;
  readonly x25519: Bytes;
}

/** The publisher's manifest key of one generation. */
export interface RecipientSource {
  readonly product: string;
  /** Counts up when the manifest key is rotated. */
  readonly keyVersion: number;
  readonly secret: CoverSecret;
  /** Leaves, ascending. */
  readonly revoked: readonly number[];
  /** One after the other, for as long as they are asked for. @throws `malformed`, `tampered`, `storage` */
  instances(): AsyncIterable<KnownInstance>;
}
