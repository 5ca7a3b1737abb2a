/**
 * KEKs that wrap elsewhere: a private key, a token, a service. For each record they protect a fresh random secret, and the record is
 * sealed under that one as under any other (seal.ts). So all of them authenticate the same things, and what the protected secret looks
 * like stays in its one file.
 */
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { type KekProvider, requireKind } from "./provider.ts";
import { KEK_SECRET_BYTES, openKey, sealKey } from "./seal.ts";
import type { KekParameters } from "./wrapped_key.ts";

/** How secrets of 32 bytes are protected; `context` is bound to each. */
export interface SecretProtection<P extends KekParameters> {
  readonly kind: string;
  readonly description: string;
  readonly parameters: v.GenericSchema<unknown, P>;
  protect(secret: Redacted<Bytes>, context: Bytes): Promise<P>;
  /** @throws `wrong_key` for another key than it was protected by; `tampered` for what was changed */
  recover(parameters: P, context: Bytes): Promise<Redacted<Bytes>>;
}

/** The KEK that wraps by such a protection. */
export function envelopeKek<P extends KekParameters>(
  protection: SecretProtection<P>,
  random: RandomBytes,
): KekProvider {
  const { kind, description } = protection;
  const provider: KekProvider = {
    kind,
    describe: () => description,
    async wrap(key, context) {
      const secret = new Redacted(random(KEK_SECRET_BYTES));
      const parameters = await protection.protect(secret, context);
      return await sealKey({ kind, parameters, secret }, key, context, random);
    },
    async unwrap(wrapped, context) {
      requireKind(provider, wrapped);
      const found = v.safeParse(protection.parameters, { ...wrapped.parameters }, { abortEarly: true });
      if (!found.success) {
        const where = v.getDotPath(found.issues[0]) ?? "the whole";
        throw new PosternError("unsupported", `the wrapped key's parameters are not those of a ${kind}, at '${where}'`);
      }
      const secret = await protection.recover(found.output, context);
      const advice = "the record was changed; restore its file from a backup";
      return await openKey({ kind, parameters: found.output, secret }, wrapped, context, advice);
    },
  };
  return provider;
}
