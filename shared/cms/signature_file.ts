/** The file of a detached signature in its three forms: DER, PEM, and the S/MIME message of `openssl cms -sign`. */
import type { Bytes } from "../bytes/bytes.ts";
import { malformed, TAG } from "../der/read.ts";
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readPem, writePem } from "../x509/pem.ts";
import { badSignature } from "./errors.ts";
import { readSignedData, type SignedData } from "./signed_data.ts";
import { isSmime, readSmime } from "./smime.ts";

/** How a signature's file is written. */
export type SignatureForm = "DER" | "PEM" | "SMIME";

/** A signature from a file, read and not verified. */
export interface SignatureFile {
  readonly form: SignatureForm;
  readonly signed: SignedData;
  /** The copy of what is signed that an S/MIME message carries; undefined in the other forms. */
  readonly copy: Bytes | undefined;
}

const WHAT = "signature file";
/** RFC 7468 section 9, and the older label that OpenSSL writes as well (section 8). */
const LABELS: readonly string[] = ["CMS", "PKCS7"];
const MINUS = 0x2d;
/** Lines, labels and headers around the base64. */
const FRAME_BYTES = 1_024;

/**
 * Reads a signature's file.
 *
 * @param contentBytes of what is signed, which an S/MIME message repeats
 * @throws `too_large`, before anything is read; `malformed`, `signature`, `unsupported`
 */
// spec: CMS-01, CMS-02, CMS-03
export function readSignatureFile(file: Bytes, contentBytes: number): SignatureFile {
  if (contentBytes > LIMITS.maxSignedContentBytes) {
    throw new PosternError("too_large", `What is signed has at most ${LIMITS.maxSignedContentBytes} bytes`);
  }
  const most = isSmime(file) ? textBytes() + contentBytes + FRAME_BYTES : textBytes();
  if (file.length > most) {
    throw new PosternError("too_large", `A signature's file has at most ${most} bytes here, this one ${file.length}`);
  }
  if (isSmime(file)) {
    const { der, content, hash } = readSmime(file);
    const signed = readSignedData(der);
    if (signed.hash !== hash) throw badSignature(`is over a digest by ${signed.hash}, and its message says ${hash}`);
    return { form: "SMIME", signed, copy: content };
  }
  if (file[0] === MINUS) return { form: "PEM", signed: readSignedData(readOnlyBlock(file)), copy: undefined };
  if (file[0] !== TAG.sequence) throw malformed(WHAT, "is neither DER, nor PEM, nor the S/MIME message of OpenSSL");
  return { form: "DER", signed: readSignedData(file), copy: undefined };
}

/** Writes a signature as PEM text. */
export function writeSignaturePem(der: Bytes): string {
  return writePem("CMS", der);
}

/** One block and nothing else, to the byte as it is written here. */
function readOnlyBlock(file: Bytes): Bytes {
  const text = new TextDecoder("latin1").decode(file);
  const unix = text.replaceAll("\r\n", "\n");
  const [block] = readPem(unix);
  if (block === undefined || !LABELS.includes(block.label)) throw malformed(WHAT, "is PEM, but no CMS");
  const written = writePem(block.label, block.bytes);
  if (text !== written && text !== written.replaceAll("\n", "\r\n")) {
    throw malformed(WHAT, "is not one PEM block in lines of 64 characters, and nothing else");
  }
  return block.bytes;
}

function textBytes(): number {
  return Math.ceil(LIMITS.maxCmsBytes / 3 * 4 * 66 / 64) + FRAME_BYTES;
}
