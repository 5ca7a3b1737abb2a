/**
 * A key service that speaks the protocol of AWS KMS (JSON 1.1: Encrypt, Decrypt with encryption contexts) and checks the requests'
 * signatures (Signature Version 4) for real, as a stranger would: from the specification, not with the SDK's code.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";

const ALGORITHM = "AWS4-HMAC-SHA256";
const MAX_SKEW_MILLIS = 300_000;

export const KMS_CREDENTIALS = { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
export const KMS_REGION = "eu-central-1";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A running service. */
export class FakeKms implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #keys = new Map<string, Buffer>();
  /** Errors to be answered before anything else, one each, by their names. */
  readonly failures: string[] = [];
  /** Operations that came through with a right signature. */
  readonly served: string[] = [];
  isDisabled = false;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#serve(request),
    );
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Makes a key; its ARN. */
  newKey(name: string): string {
    this.#keys.set(name, randomBytes(32));
    return arnOf(name);
  }

  async #serve(request: Request): Promise<Response> {
    const body = Buffer.from(await request.arrayBuffer());
    const { status, body: answer } = this.#answer(request, body);
    return new Response(JSON.stringify(answer), { status, headers: { "content-type": "application/x-amz-json-1.1" } });
  }

  #answer(request: Request, body: Buffer): Answer {
    const refused = checkSignature(request, body);
    if (refused !== null) return failure(refused);
    const failed = this.failures.shift();
    if (failed !== undefined) return failure(failed);
    const target = request.headers.get("x-amz-target") ?? "";
    const input = JSON.parse(body.toString("utf8"));
    const name = String(input.KeyId ?? "").replace(/^arn:.*:(key|alias)\//, "").replace(/^alias\//, "");
    const key = this.#keys.get(name);
    if (key === undefined) return failure("NotFoundException");
    if (this.isDisabled) return failure("DisabledException");
    const aad = Buffer.from(JSON.stringify(Object.entries(input.EncryptionContext ?? {}).sort()));
    this.served.push(target);
    if (target === "TrentService.Encrypt") {
      const blob = encrypt(name, key, aad, Buffer.from(input.Plaintext, "base64"));
      return { status: 200, body: { CiphertextBlob: blob.toString("base64"), KeyId: arnOf(name) } };
    }
    if (target === "TrentService.Decrypt") return decrypt(name, key, aad, Buffer.from(input.CiphertextBlob, "base64"));
    return failure("UnknownOperationException");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function arnOf(name: string): string {
  return `arn:aws:kms:${KMS_REGION}:111122223333:key/${name}`;
}

function failure(name: string): Answer {
  const status = name === "InternalFailure" ? 500 : 400;
  return { status, body: { __type: name, message: "as the test wants it" } };
}

/** Ciphertexts of KMS name their key; so do these. */
function encrypt(name: string, key: Buffer, aad: Buffer, plaintext: Buffer): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(aad);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), iv, sealed]);
}

function decrypt(name: string, key: Buffer, aad: Buffer, blob: Buffer): Answer {
  const at = 1 + (blob[0] ?? 0);
  if (blob.length < at + 28) return failure("InvalidCiphertextException");
  if (blob.subarray(1, at).toString() !== name) return failure("IncorrectKeyException");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, blob.subarray(at, at + 12)).setAAD(aad);
    decipher.setAuthTag(blob.subarray(-16));
    const plaintext = Buffer.concat([decipher.update(blob.subarray(at + 12, -16)), decipher.final()]);
    return { status: 200, body: { Plaintext: plaintext.toString("base64"), KeyId: arnOf(name) } };
  } catch {
    return failure("InvalidCiphertextException");
  }
}

const hex = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();

/** The name of the error, or null for a right signature (AWS, "Create a signed AWS API request"). */
function checkSignature(request: Request, body: Buffer): string | null {
  const form = new RegExp(`^${ALGORITHM} Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$`);
  const [, credential = "", signedHeaders = "", signature] = form.exec(request.headers.get("authorization") ?? "") ??
    [];
  if (signature === undefined) return "IncompleteSignature";
  const [id, day = "", region = "", service = "", end] = credential.split("/");
  if (id !== KMS_CREDENTIALS.id || end !== "aws4_request") return "UnrecognizedClientException";
  if (region !== KMS_REGION || service !== "kms") return "InvalidSignatureException";
  const names = signedHeaders.split(";");
  const mustBeSigned = ["host", "x-amz-date", "x-amz-target"];
  if (!mustBeSigned.every((name) => names.includes(name))) return "IncompleteSignature";
  const date = request.headers.get("x-amz-date") ?? "";
  const [, year, month, dayOfMonth, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)?.map(Number) ?? [];
  const time = Date.UTC(year ?? 0, (month ?? 1) - 1, dayOfMonth, hour, minute, second);
  if (!date.startsWith(day) || Math.abs(Date.now() - time) > MAX_SKEW_MILLIS) return "InvalidSignatureException";
  const url = new URL(request.url);
  const headers = names.map((name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`);
  const canonical = [request.method, url.pathname, url.search.slice(1), headers.join(""), signedHeaders, hex(body)]
    .join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(
    (before, part) => hmac(before, part),
    Buffer.from(`AWS4${KMS_CREDENTIALS.secret}`),
  );
  const expected = hmac(key, [ALGORITHM, date, scope, hex(canonical)].join("\n")).toString("hex");
  return expected === signature ? null : "InvalidSignatureException";
}
