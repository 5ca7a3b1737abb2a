/** Reads the inbox as the edge shows it, and lets through what devices of the owner's have signed. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { equalBytes } from "../../shared/bytes/bytes.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { requireSignature } from "../../shared/protocol/signed.ts";
import { decodeSignedSubmission, type SignedSubmission } from "../../shared/protocol/submission.ts";
import { findDevice } from "../devices/repository.ts";
import { META, readBytes } from "../store/meta.ts";
import type { DevicesTable } from "../store/schema.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import type { InboxEnvironment } from "./environment.ts";

/** A submission that a device of the owner's signed. */
export interface Genuine extends SignedSubmission {
  readonly from: DevicesTable;
}

/**
 * Yields every submission in the order in which the edge shows them; null for one that no active or revoked device of the owner's
 * signed, of which the owner is told.
 *
 * @throws `tampered` for an inbox that does not end
 */
export async function* readInbox({ db, link, now }: InboxEnvironment): AsyncGenerator<Genuine | null> {
  const owner = await readBytes(db, META.owner);
  let seen = 0;
  for (let after: number | null = 0; after !== null;) {
    const page = await link.inboxPage(after);
    for (const [arrival, bytes] of page.entries) {
      if (arrival <= after || ++seen > LIMITS.maxInboxSubmissions) throw endless();
      after = arrival;
      const read = await readOne(db, bytes, owner);
      if (read === null) {
        const text = "The edge's inbox holds submissions that no device of yours signed";
        await raiseAlarm(db, "tampered", text, now());
      }
      yield read;
    }
    if (page.next !== null && page.entries.length === 0) throw endless();
    if (page.next === null) after = null;
  }
}

async function readOne(db: Database, bytes: Bytes, owner: Bytes): Promise<Genuine | null> {
  try {
    const signed = decodeSignedSubmission(bytes);
    const from = await findDevice(db, signed.submission.device);
    if (from === null || from.state === "pending" || !equalBytes(signed.submission.owner, owner)) return null;
    await requireSignature(from.public_key, signed.signature, signed.bytes, "submission");
    return { ...signed, from };
  } catch (error) {
    if (isPosternError(error, "malformed") || isPosternError(error, "tampered") || isPosternError(error, "too_large")) {
      return null;
    }
    throw error;
  }
}

function endless(): PosternError {
  return new PosternError("tampered", "The edge's inbox does not end, or is not in order");
}
