/**
 * The KEK from a passphrase, by Argon2id (RFC 9106).
 *
 * The default is that RFC's second recommended option (section 4): 64 MiB, 3 passes, 4 lanes. The first one takes 2 GiB, which
 * many a Raspberry Pi has not. This one fits beside the manager in 512 MiB and takes a second or two there, once at each start.
 */
import { argon2id } from "hash-wasm";
import * as v from "valibot";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { bytesOf } from "../../shared/protocol/shapes.ts";
import { type KekProvider, requireKind } from "./provider.ts";
import { KEK_SECRET_BYTES, openKey, sealKey } from "./seal.ts";
import type { KekParameters } from "./wrapped_key.ts";

export const PASSPHRASE_KIND = "passphrase";

/** RFC 9106 section 3.1 recommends 16 bytes. */
const SALT_BYTES = 16;

/** What one guess costs. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

export const DEFAULT_ARGON2_COST: Argon2Cost = { memoryKib: 65_536, passes: 3, lanes: 4 };

const range = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));

/** The bounds are checked before anything is computed: a file from a stranger must not be able to ask for 100 GiB. */
const parametersSchema = v.strictObject({
  salt: bytesOf(SALT_BYTES),
  memoryKib: range(LIMITS.minArgon2MemoryKib, LIMITS.maxArgon2MemoryKib),
  passes: range(1, LIMITS.maxArgon2Passes),
  lanes: range(1, LIMITS.maxArgon2Lanes),
});

/**
 * A passphrase from what a file, an environment variable, a descriptor or a prompt gave: one line end at its end is not part
 * of it. It is brought to Unicode's form C, because one keyboard types an "ü" as one character and another as two.
 *
 * @throws `usage` if nothing is left, or it is longer than `LIMITS.maxPassphraseChars`, or not text
 */
export function passphraseOf(input: string | Bytes): Redacted<string> {
  let text: string;
  try {
    text = typeof input === "string" ? input : new TextDecoder("utf-8", { fatal: true }).decode(input);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new PosternError("usage", "the passphrase is not UTF-8 text");
  }
  const passphrase = text.replace(/\r?\n$/, "").normalize("NFC");
  if (passphrase === "") throw new PosternError("usage", "the passphrase is empty");
  if (!passphrase.isWellFormed() || passphrase.length > LIMITS.maxPassphraseChars) {
    throw new PosternError("usage", `a passphrase is text of at most ${LIMITS.maxPassphraseChars} characters`);
  }
  return new Redacted(passphrase);
}

/** @param passphrase from {@link passphraseOf} */
export function passphraseKek(
  passphrase: Redacted<string>,
  random: RandomBytes,
  cost: Argon2Cost = DEFAULT_ARGON2_COST,
): KekProvider {
  const provider: KekProvider = {
    kind: PASSPHRASE_KIND,
    describe: () => `passphrase (Argon2id, ${cost.memoryKib / 1024} MiB, ${cost.passes} passes, ${cost.lanes} lanes)`,
    async wrap(key, context) {
      const parameters = checked({ salt: random(SALT_BYTES), ...cost });
      const secret = await stretch(passphrase, parameters);
      return await sealKey({ kind: PASSPHRASE_KIND, parameters, secret }, key, context, random);
    },
    async unwrap(wrapped, context) {
      requireKind(provider, wrapped);
      const parameters = checked(wrapped.parameters);
      const secret = await stretch(passphrase, parameters);
      const advice =
        "mind capitals, the keyboard's layout and spaces at either end; without it only a backup of the keys helps";
      return await openKey({ kind: PASSPHRASE_KIND, parameters, secret }, wrapped, context, advice);
    },
  };
  return provider;
}

type PassphraseParameters = v.InferOutput<typeof parametersSchema>;

function checked(parameters: KekParameters): PassphraseParameters {
  const result = v.safeParse(parametersSchema, parameters, { abortEarly: true });
  // RFC 9106 section 3.1: each lane has at least 8 KiB.
  if (result.success && result.output.memoryKib >= 8 * result.output.lanes) return result.output;
  const [issue] = result.issues ?? [];
  const where = issue === undefined ? "memoryKib" : v.getDotPath(issue) ?? "the whole";
  throw new PosternError("unsupported", `the wrapped key's parameters for Argon2id are out of bounds at '${where}'`);
}

async function stretch(passphrase: Redacted<string>, parameters: PassphraseParameters): Promise<Redacted<Bytes>> {
  const derived = await argon2id({
    password: utf8(reveal(passphrase)),
    salt: parameters.salt,
    memorySize: parameters.memoryKib,
    iterations: parameters.passes,
    parallelism: parameters.lanes,
    hashLength: KEK_SECRET_BYTES,
    outputType: "binary",
  });
  return new Redacted(new Uint8Array(derived));
}
