/**
 * What whole tables must add up to, beyond the row: the content root (spec: TREE-05), messages with all their parts (spec: ROW-09),
 * certificates found in both of their lists. Rows come in key order, a list therefore in one piece. Pure.
 */
import { type Bytes, compareBytes, equalBytes } from "../../bytes/bytes.ts";
import { toHex } from "../../bytes/encoding.ts";
import { createSha256, sha256, type Sha256Hasher } from "../../crypto/hash.ts";
import { isPosternError, PosternError } from "../../errors.ts";
import { rootOfSorted } from "../../merkle/sorted_root.ts";
import type { Leaf } from "../../merkle/tree_hash.ts";
import { contentLeaf, type MessageContent, type PartContent } from "../../protocol/plaintexts.ts";
import { readCertificate } from "../../x509/certificate.ts";
import type { TableRow } from "./open_content.ts";
import { requireConsistent } from "./verify_message.ts";

/** Number of contents of each kind. */
export interface ContentCounts {
  readonly devices: number;
  readonly certificates: number;
  readonly channels: number;
  readonly messages: number;
  readonly receipts: number;
}

/** What is kept of a message in parts until the end: not its texts, of which there may be very many. */
type InParts = Pick<MessageContent, "id" | "parts" | "size" | "sha256">;

function pick({ id, parts, size, sha256 }: MessageContent): InParts {
  return { id, parts, size, sha256 };
}

/** What is known of the parts of one message. */
interface PartsSeen {
  readonly count: number;
  readonly size: number;
  readonly sha256: Bytes;
}

/** Takes the rows of the tables 1 to 4, each table in key order. */
export class ContentsVerifier {
  readonly #leaves: Leaf[] = [];
  readonly #whole: InParts[] = [];
  readonly #parts = new Map<string, PartsSeen>();
  readonly #certificates = new Map<string, { fingerprint: Bytes | null; subject: Bytes | null; hasName: boolean }>();
  readonly #counts = { devices: 0, certificates: 0, channels: 0, messages: 0, receipts: 0 };
  #open: { id: Bytes; count: number; size: number; hash: Sha256Hasher } | null = null;

  /** @throws `tampered` */
  add(rows: readonly TableRow[]): void {
    for (const row of rows) this.#addRow(row);
  }

  #addRow({ content, place, plaintext }: TableRow): void {
    if (content.kind !== "part") this.#closeParts();
    if (place !== null && content.kind !== "changes") {
      const { key, value } = contentLeaf(place.list, place.number, plaintext);
      this.#leaves.push({ key, rowHash: value });
    }
    switch (content.kind) {
      case "device":
        this.#counts.devices += 1;
        break;
      case "certificate":
        this.#addCertificate(content.certificate.der, place?.list.kind === "subject", plaintext);
        break;
      case "channel":
        this.#counts.channels += 1;
        break;
      case "message":
        requireConsistent(content.message);
        this.#counts.messages += 1;
        if (content.message.parts > 0) this.#whole.push(pick(content.message));
        break;
      case "part":
        this.#addPart(content.part);
        break;
      case "receipt":
        this.#counts.receipts += 1;
        break;
    }
  }

  #addCertificate(der: Bytes, isBySubject: boolean, plaintext: Bytes): void {
    const name = toHex(sha256(der));
    const seen = this.#certificates.get(name) ?? { fingerprint: null, subject: null, hasName: hasName(der) };
    seen[isBySubject ? "subject" : "fingerprint"] = sha256(plaintext);
    this.#certificates.set(name, seen);
  }

  #addPart({ message, index, bytes }: PartContent): void {
    if (this.#open !== null && !equalBytes(this.#open.id, message)) this.#closeParts();
    const open = this.#open ??= { id: message, count: 0, size: 0, hash: createSha256() };
    if (index !== open.count) {
      throw new PosternError("tampered", "The parts of a message are out of order, or one is missing");
    }
    open.count += 1;
    open.size += bytes.length;
    open.hash.update(bytes);
  }

  #closeParts(): void {
    if (this.#open === null) return;
    const { id, count, size, hash } = this.#open;
    this.#parts.set(toHex(id), { count, size, sha256: hash.digest() });
    this.#open = null;
  }

  /**
   * After the last row of the last table.
   *
   * @param contentRoot of the head's sealed part
   * @throws `withheld` when something is there without what belongs to it, `tampered` when it does not add up
   */
  finish(contentRoot: Bytes): ContentCounts {
    this.#closeParts();
    for (const message of this.#whole) this.#requireParts(message);
    if (this.#parts.size > 0) throw new PosternError("tampered", "There are parts of a message that is in no channel");
    for (const { fingerprint, subject, hasName } of this.#certificates.values()) {
      if (fingerprint === null || (subject === null && hasName)) {
        throw new PosternError("withheld", "A certificate stands in only one of its two lists");
      }
      if (subject !== null && !equalBytes(fingerprint, subject)) {
        throw new PosternError("tampered", "A certificate says one thing by fingerprint and another by subject");
      }
    }
    if (!equalBytes(this.#contentRoot(), contentRoot)) {
      throw new PosternError("tampered", "The contents are not those that the manager signed");
    }
    return { ...this.#counts, certificates: this.#certificates.size };
  }

  #requireParts({ id, parts, size, sha256: expected }: InParts): void {
    const seen = this.#parts.get(toHex(id));
    if (seen === undefined || seen.count < parts) {
      throw new PosternError("withheld", `The edge shows ${seen?.count ?? 0} of the ${parts} parts of a message`);
    }
    if (seen.count !== parts || seen.size !== size || !equalBytes(seen.sha256, expected)) {
      throw new PosternError("tampered", "The parts of a message do not make the message that its hash names");
    }
    this.#parts.delete(toHex(id));
  }

  #contentRoot(): Bytes {
    this.#leaves.sort((a, b) => compareBytes(a.key, b.key));
    return rootOfSorted(this.#leaves).root;
  }
}

/** A certificate that cannot be read has no subject to be found by. */
function hasName(der: Bytes): boolean {
  try {
    readCertificate(der);
    return true;
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return false;
  }
}
