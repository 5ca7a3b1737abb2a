/**
 * Whether a content is the one that was signed.
 *
 * Without `-binary`, OpenSSL signs the content's canonical text: each line ending with CR LF. Several contents have one such text,
 * so anyone could change line ends without breaking the signature. That is why CR is not accepted in any content, and text mode
 * only where it can mean one content alone.
 */
import { type Bytes, concat, equalBytes } from "../bytes/bytes.ts";
import { digest } from "../crypto/digest.ts";
import type { PosternError } from "../errors.ts";
import { badSignature } from "./errors.ts";
import type { SignatureFile } from "./signature_file.ts";

/** What was signed: the content as it is, or its canonical text, whose line ends with CR LF. */
export type ContentMode = "binary" | "text";

const LF = 0x0a;
const CR = 0x0d;

/** Passes the content that was signed, and says how. @throws `signature` for any other */
// spec: CMS-11, CMS-12
export async function checkContent(content: Bytes, { signed, copy }: SignatureFile): Promise<ContentMode> {
  if (content.includes(CR)) throw badSignature("cannot be over this file: it has a CR, which no signed file has");
  const { hash, attributes } = signed;
  const isSigned = async (bytes: Bytes) => equalBytes(await digest(hash, bytes), attributes.messageDigest);
  let bytes = content;
  if (!await isSigned(content)) {
    const line = canonicalLine(content);
    if (line === undefined || !await isSigned(line)) throw otherContent(content);
    bytes = line;
  }
  if (copy !== undefined && !equalBytes(copy, bytes)) {
    throw badSignature("message repeats another content than it is over");
  }
  return bytes === content ? "binary" : "text";
}

function otherContent(content: Bytes): PosternError {
  const advice = content.indexOf(LF) < content.length - 1 && content.includes(LF)
    ? "; one over several lines must be made with -binary"
    : "";
  return badSignature(`is over another content: this file was changed, or the signature is another file's${advice}`);
}

/** The canonical text of one line that ends with LF; undefined for anything else. */
function canonicalLine(content: Bytes): Bytes | undefined {
  if (content.length === 0 || content.indexOf(LF) !== content.length - 1) return undefined;
  return concat(content.subarray(0, -1), Uint8Array.of(CR, LF));
}
