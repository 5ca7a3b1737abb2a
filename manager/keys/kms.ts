/**
 * The KEK in AWS KMS, or a service that speaks its protocol: a key that never leaves it encrypts a secret for each record, the context
 * being its encryption context. The SDK is loaded when this KEK is chosen, and takes credentials and region from where it always does
 * (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, an instance's role, ...).
 */
import type { KMSClient } from "@aws-sdk/client-kms";
import * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toBase64 } from "../../shared/bytes/encoding.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../shared/crypto/redacted.ts";
import { type ErrorCode, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { isProtected } from "../../shared/protocol/origin.ts";
import { bytesUpTo, textUpTo } from "../../shared/protocol/shapes.ts";
import { envelopeKek } from "./envelope.ts";
import { KEK_LABELS } from "./labels.ts";
import type { KekProvider } from "./provider.ts";
import { KEK_SECRET_BYTES } from "./seal.ts";

export const KMS_KIND = "aws-kms";

/** Which key, and where it is. */
export interface KmsPlace {
  /** Id, ARN or alias (`alias/postern`). */
  readonly key: string;
  /** As the SDK finds it, if absent. */
  readonly region?: string | undefined;
  /** URL of a service other than the region's own. */
  readonly endpoint?: string | undefined;
}

const ATTEMPTS = 3;
const CONNECT_MILLIS = 5_000;
const ANSWER_MILLIS = 15_000;

const parameters = v.strictObject({
  /** ARN of the key that encrypted, whatever alias it was asked for by. */
  key: textUpTo(LIMITS.maxKmsArnChars, 1),
  ciphertext: bytesUpTo(LIMITS.maxKmsCiphertextBytes, 1),
});

/** @throws `usage` for an endpoint that anybody could listen to; `configuration` when the SDK cannot be loaded */
export async function openKmsKek(place: KmsPlace, random: RandomBytes): Promise<KekProvider> {
  const { key, region, endpoint } = place;
  if (endpoint !== undefined) requireProtected(endpoint);
  const sdk = await loadKmsSdk();
  // A client of its own for each call: its open connections would keep a command from ending.
  const withClient = async <T>(tried: string, use: (client: KMSClient) => Promise<T>): Promise<T> => {
    const client = new sdk.KMSClient({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECT_MILLIS, requestTimeout: ANSWER_MILLIS },
    });
    try {
      return await use(client);
    } catch (error) {
      throw fromKmsError(error, tried);
    } finally {
      client.destroy();
    }
  };
  return envelopeKek({
    ...{
      kind: KMS_KIND,
      description: `AWS KMS key ${key}${endpoint === undefined ? "" : ` at ${endpoint}`}`,
      parameters,
    },
    protect: (secret, context) =>
      withClient(`encrypt by the KMS key ${key}`, async (client) => {
        const input = { KeyId: key, Plaintext: reveal(secret), EncryptionContext: contextOf(context) };
        const { CiphertextBlob, KeyId } = await client.send(new sdk.EncryptCommand(input));
        if (CiphertextBlob === undefined || KeyId === undefined) throw unexpected();
        return { key: KeyId, ciphertext: new Uint8Array(CiphertextBlob) };
      }),
    async recover(found, context) {
      requireNamed(found.key, key);
      return await withClient(`decrypt by the KMS key ${found.key}`, async (client) => {
        // By what encrypted, and not by what an alias is now.
        const EncryptionContext = contextOf(context);
        const input = { KeyId: found.key, CiphertextBlob: found.ciphertext, EncryptionContext };
        const { Plaintext } = await client.send(new sdk.DecryptCommand(input));
        if (Plaintext?.length !== KEK_SECRET_BYTES) throw unexpected();
        return new Redacted(new Uint8Array(Plaintext));
      });
    },
  }, random);
}

/** The secret travels as it is: signed requests are not encrypted ones. */
function requireProtected(endpoint: string): void {
  const url = URL.parse(endpoint);
  if (url !== null && isProtected(url)) return;
  throw new PosternError("usage", "A key service is reached by https, or by http on this machine");
}

/** A record that names another key than its owner does was changed; to which key an alias once led, nobody can tell. */
function requireNamed(found: string, key: string): void {
  if (/^alias\/|:alias\//.test(key) || found === key || found.endsWith(`:key/${key}`)) return;
  throw new PosternError("wrong_key", `the key was wrapped by the KMS key ${found}, not by ${key}`);
}

/** It stands in the service's own log, so it says nothing but what the key is for. */
function contextOf(context: Bytes): Record<string, string> {
  return { [KEK_LABELS.kek]: toBase64(context) };
}

/** @throws `configuration` when it is not installed, or does not load */
export async function loadKmsSdk() {
  try {
    return await import("@aws-sdk/client-kms");
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const advice = "install it: deno install";
    throw new PosternError("configuration", `The package @aws-sdk/client-kms could not be loaded: ${advice}`, {
      cause,
    });
  }
}

const CODES: Readonly<Record<string, readonly [code: ErrorCode, advice: string]>> = {
  AccessDeniedException: ["forbidden", "the credentials may not use this key: look at its policy"],
  NotFoundException: ["not_found", "there is no such key in this account and region"],
  DisabledException: ["configuration", "the key is disabled: enable it again"],
  KMSInvalidStateException: ["configuration", "the key cannot be used in its state, such as waiting for its deletion"],
  InvalidKeyUsageException: ["unsupported", "the key must be a symmetric one for encryption"],
  InvalidCiphertextException: ["tampered", "the wrapped key was changed, or belongs to another owner or purpose"],
  IncorrectKeyException: ["wrong_key", "the wrapped key is by another KMS key"],
  ThrottlingException: ["rate_limited", "the service asks for less; try again later"],
  LimitExceededException: ["rate_limited", "the service asks for less; try again later"],
  UnrecognizedClientException: ["unauthorized", "the service does not know these credentials"],
  InvalidSignatureException: ["unauthorized", "the secret access key is wrong, or this machine's clock"],
  IncompleteSignature: ["unauthorized", "the service does not accept the signature"],
  ExpiredTokenException: ["unauthorized", "the credentials have expired"],
  CredentialsProviderError: [
    "configuration",
    "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
  ],
};

function fromKmsError(error: unknown, tried: string): unknown {
  if (!(error instanceof Error) || error instanceof PosternError) return error;
  const known = CODES[error.name];
  if (known !== undefined) {
    return new PosternError(known[0], `Could not ${tried} (${error.name}): ${known[1]}`, { cause: error });
  }
  if (/region is missing/i.test(error.message)) {
    const advice = "name the region with --kms-region, or set AWS_REGION";
    return new PosternError("configuration", `Could not ${tried}: ${advice}`, { cause: error });
  }
  const advice = "check the network, and the endpoint if one is named";
  return new PosternError("network", `Could not ${tried} (${error.name}): ${advice}`, { cause: error });
}

function unexpected(): PosternError {
  return new PosternError("malformed", "The key service answered, but not as KMS does");
}
