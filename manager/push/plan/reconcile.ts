/** What the edge's state means to a manager: pure, so that every case can be tested. */
import { equalBytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { SignedHead } from "../../../shared/protocol/head.ts";
import type { OwnerStatement } from "../../../shared/protocol/statement.ts";
import type { HeadsTable } from "../../store/schema_push.ts";

/** Where to go on from. */
export type Reconciled =
  /** The edge holds nothing: everything is pushed anew. */
  | { readonly kind: "empty" }
  /** The edge holds what we last knew it to hold, or a head of ours whose commit we did not hear of. */
  | { readonly kind: "known"; readonly generation: number; readonly isNewest: boolean }
  /** The edge holds what the incarnation before a restore had pushed: it is replaced (spec: BACKUP-14). */
  | { readonly kind: "earlier_life"; readonly generation: number }
  /** The edge went back behind a commit that it had confirmed. Everything is pushed anew, and the owner is told. */
  | { readonly kind: "went_back"; readonly generation: number; readonly committed: number };

/** What tells one life of a manager's database from another. */
export type Life = Pick<OwnerStatement, "number" | "incarnation">;

/** Whether something that a statement names is from before the restore that began the present life. The root has signed both. */
export function isOfEarlierLife(shown: Life, present: Life): boolean {
  return shown.number < present.number && !equalBytes(shown.incarnation, present.incarnation);
}

/**
 * Compares the head that the edge shows with the heads that this manager signed.
 *
 * @param shown the edge's head; its signature by the present or an earlier manager key has been verified
 * @param ours this manager's head of the same generation
 * @param newest the newest head signed, or null before the first
 * @param committed the newest generation that the edge confirmed, 0 if none
 * @param present the owner statement in force
 * @throws `forked` when another manager signs for this owner (spec: PUSH-11)
 */
export function reconcile(
  shown: SignedHead | null,
  ours: HeadsTable | null,
  newest: HeadsTable | null,
  committed: number,
  present: Life,
): Reconciled {
  if (shown === null) return committed === 0 ? { kind: "empty" } : { kind: "went_back", generation: 0, committed };
  const { generation, incarnation, statement } = shown.head;
  if (isOfEarlierLife({ number: statement.number, incarnation }, present)) return { kind: "earlier_life", generation };
  if (newest === null || generation > newest.generation) {
    throw new PosternError(
      "forked",
      `The edge holds generation ${generation}, signed with this manager's key, and this database knows none after ${
        newest?.generation ?? 0
      }: it is an old copy, or another manager runs. Stop the other one, or restore properly`,
    );
  }
  if (ours === null || !equalBytes(ours.hash, shown.hash)) {
    throw new PosternError(
      "forked",
      `The edge holds another head of generation ${generation} than this manager signed: another copy of it runs`,
    );
  }
  if (generation < committed) return { kind: "went_back", generation, committed };
  return { kind: "known", generation, isNewest: generation === newest.generation };
}
