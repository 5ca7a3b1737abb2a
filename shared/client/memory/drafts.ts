/** The list of drafts that wait until they can be sent. Pure (spec: INBOX-15, INBOX-16). */
import { PosternError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Drafts, PlacedDraft, WaitingDraft } from "./state.ts";

/** The drafts with one more at their end. @throws `too_large` when there are as many as there may be */
export function addDraft(drafts: Drafts, { kind, time }: Omit<WaitingDraft, "draft">): Drafts {
  if (drafts.waiting.length >= LIMITS.maxDrafts) {
    throw new PosternError("too_large", `${LIMITS.maxDrafts} drafts wait to be sent; no more are kept before they are`);
  }
  const draft = drafts.last + 1;
  return { ...drafts, last: draft, waiting: [...drafts.waiting, { draft, kind, time }] };
}

/** The drafts without one that has become a submission, which is remembered. */
export function placeDraft(drafts: Drafts, placed: PlacedDraft): Drafts {
  const remembered = [...drafts.placed, placed].slice(-LIMITS.maxRememberedDrafts);
  return { ...dropDraft(drafts, placed.draft), placed: remembered };
}

/** The drafts without one of which nothing becomes any more. */
export function dropDraft(drafts: Drafts, draft: number): Drafts {
  return { ...drafts, waiting: drafts.waiting.filter((one) => one.draft !== draft) };
}
