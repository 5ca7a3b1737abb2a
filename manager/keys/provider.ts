/** What wraps the keys that the manager keeps: a passphrase, a file, a credential, and whatever comes later. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { Redacted } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import type { WrappedKey } from "./wrapped_key.ts";

/**
 * A key encryption key, ready for use. Implementations get their secret to a 32-byte one in any way (by derivation, by a device,
 * by a service) and leave the sealing to `sealKey` and `openKey`, so that all of them authenticate the same things.
 */
export interface KekProvider {
  /** Stands in each record that this provider wraps; lower case, for example `passphrase`. */
  readonly kind: string;
  /** One line for people, without secrets. */
  describe(): string;
  /**
   * Wraps a key of 32 bytes.
   *
   * @param context what the key is for and whose it is; unwrapping takes the same
   */
  wrap(key: Redacted<Bytes>, context: Bytes): Promise<WrappedKey>;
  /**
   * Unwraps a key.
   *
   * @throws `configuration` for a record of another kind; `wrong_key` for another KEK than it was wrapped by; `tampered` for a
   * record that was changed, or made for another context; `unsupported` or `malformed` for parameters out of bounds
   */
  unwrap(wrapped: WrappedKey, context: Bytes): Promise<Redacted<Bytes>>;
}

/** Makes a provider when it is needed: to ask for a passphrase, to open a device, to load a library. */
export type OpenKek = () => Promise<KekProvider>;

/** The providers that this manager is configured for, by kind. */
export class KekRegistry {
  readonly #openers = new Map<string, OpenKek>();

  /** @throws `usage` for a kind that is there already */
  register(kind: string, open: OpenKek): this {
    if (this.#openers.has(kind)) throw new PosternError("usage", `the kind of KEK '${kind}' is registered twice`);
    this.#openers.set(kind, open);
    return this;
  }

  /** The kinds that are registered, sorted. */
  get kinds(): string[] {
    return [...this.#openers.keys()].sort();
  }

  /** @throws `configuration`, naming what is needed and what there is */
  async open(kind: string): Promise<KekProvider> {
    const open = this.#openers.get(kind);
    if (open === undefined) {
      const there = this.kinds.length === 0 ? "none is configured" : `configured: ${this.kinds.join(", ")}`;
      throw new PosternError("configuration", `the key is wrapped by a KEK of the kind '${kind}'; ${there}`);
    }
    const provider = await open();
    if (provider.kind !== kind) {
      throw new PosternError("usage", `the KEK registered as '${kind}' is of the kind '${provider.kind}'`);
    }
    return provider;
  }
}

/** Refuses a record of another kind than this provider's. */
export function requireKind(provider: { readonly kind: string }, wrapped: WrappedKey): void {
  if (wrapped.kind === provider.kind) return;
  const advice = "name that one, or change it with `postern kek change`";
  throw new PosternError(
    "configuration",
    `the key is wrapped by a KEK of the kind '${wrapped.kind}', not '${provider.kind}': ${advice}`,
  );
}
