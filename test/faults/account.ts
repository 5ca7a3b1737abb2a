/** What an owner and a device have handed in, and so what there must be, each once, after any fault. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey } from "../../shared/crypto/signature.ts";
import { issueRoot } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import type { Bytes } from "../../shared/bytes/bytes.ts";

const DAY_MILLIS = 86_400_000;

/** Grows with each preparation. */
export interface Account {
  devices: number;
  imported: number;
  certificates: number;
  outgoing: number;
}

export function newAccount(): Account {
  return { devices: 0, imported: 0, certificates: 0, outgoing: 0 };
}

/** A mail that no other is like. @param padding bytes of it, so that it comes in parts */
export function newMail(padding = 0): Bytes {
  const id = crypto.randomUUID();
  return utf8(
    `From: ann@example.org\r\nTo: ben@example.org\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\n` +
      `${id}\r\n${"x".repeat(padding)}\r\n`,
  );
}

/** A stranger's certificate. */
export async function newCertificate(): Promise<Bytes> {
  const { privateKey, publicKey } = await generateSigningKey("Ed25519", false);
  const now = Date.now();
  const validity = { notBefore: now - DAY_MILLIS, notAfter: now + DAY_MILLIS };
  return (await issueRoot(cryptoKeySigner(privateKey), await exportSpki(publicKey), validity, webCryptoRandom)).der;
}
