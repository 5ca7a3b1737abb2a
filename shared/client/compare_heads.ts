/** Compares what another device, or the manager, shows of its newest head with what this device was shown (spec: HEAD-09). */
import { equalBytes } from "../bytes/bytes.ts";
import { PosternError } from "../errors.ts";
import { isSameHead, type NamedHead, type OtherHead } from "../protocol/head_code.ts";
import { judgeHistory } from "../protocol/judge_history.ts";
import type { DeviceLink } from "./device_link.ts";
import type { CallOptions } from "./session/http.ts";

/** What came of a comparison that found nothing wrong. */
export interface HeadComparison {
  /**
   * - `agree`: both were shown one history, up to the lower of the two generations.
   * - `left`: the code is of a generation that this device knows no head of. Bring both to the newest head and compare again, or take
   *   the text. It is no agreement.
   * - `another_incarnation`: one of the two does not know of a restore yet. Bring it to the newest head and compare again. It is no
   *   agreement.
   */
  readonly result: "agree" | "left" | "another_incarnation";
  /** Of the other's head, and of this device's newest. */
  readonly other: number;
  readonly own: number;
}

/**
 * @throws `forked` when the two were shown different histories; `withheld` when the edge does not show this device what it showed the
 * other; `usage` for the text of another owner; what {@link DeviceLink.refresh} throws
 */
// spec: HEAD-09
export async function compareHeads(
  link: DeviceLink,
  other: OtherHead,
  options: CallOptions = {},
): Promise<HeadComparison> {
  const { verifier } = link;
  requireOwner(other, verifier.profile.owner);
  let own = await verifier.newest();
  if (own === null || own.generation < other.generation || isOfAnother(other, own)) {
    const { head, hash } = (await link.refresh(options)).head;
    own = { owner: head.owner, incarnation: head.incarnation, generation: head.generation, hash };
  }
  const { generation } = own;
  const report = (result: HeadComparison["result"]) => ({ result, other: other.generation, own: generation });
  if (isOfAnother(other, own)) return report("another_incarnation");
  if (generation < other.generation) {
    throw new PosternError(
      "withheld",
      `The edge shows this device generation ${generation}, but generation ${other.generation} to the other`,
    );
  }
  const hash = own.generation === other.generation
    ? own.hash
    : verifier.verified.hashOf(other.generation, own.incarnation);
  if (hash !== undefined) {
    if (isSameHead(other, { ...own, generation: other.generation, hash })) return report("agree");
    throw new PosternError(
      "forked",
      `If it was passed on without a slip, the other was shown another head of generation ${other.generation}`,
    );
  }
  if (other.kind === "code") return report("left");
  const { view, history } = await link.historyOf(other.generation, options);
  judgeHistory(view.head, other.head, history);
  return { ...report("agree"), own: view.head.head.generation };
}

function requireOwner(other: OtherHead, owner: NamedHead["owner"]): void {
  if (other.kind === "code" || equalBytes(other.head.owner, owner)) return;
  throw new PosternError("usage", "This is a head of another owner's");
}

function isOfAnother(other: OtherHead, own: NamedHead): boolean {
  return other.kind === "text" && !equalBytes(other.head.incarnation, own.incarnation);
}
