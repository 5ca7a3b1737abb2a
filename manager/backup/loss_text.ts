/** What a restore tells its owner: what was lost, and what that rests on (spec: BACKUP-12, BACKUP-19). Pure. */
import { type Bytes, equalBytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import type { CaughtUp } from "./catch_up.ts";
import type { Judgement } from "./judge.ts";
import type { BackupContents } from "./read.ts";
import { lostHeads, type SeenHeads } from "./seen_heads.ts";

const READABLE = "With the recovery key, what the edge holds could be read back; the first turn replaces it.";

/** What catching up cannot bring back (spec: BACKUP-18). */
const IN_NO_ROW =
  "No row says whether a message went out since, so those are held. Alarms, settings, keys for releases, registrations and what updates " +
  "remember are as they were at the backup: look at postern settings, key list, instance show and update status.";

/** What the owner is told as long as it is not cleared (spec: BACKUP-12). */
export function lossText(
  { losses, candidates, seen }: Judgement,
  { time, head }: BackupContents,
  caughtUp: CaughtUp | null,
): string {
  const from = `Restored from a backup of ${new Date(time).toISOString()}, generation ${head?.generation ?? 0}.`;
  const taken = losses.submissions.map((one) => `${one.to - one.from + 1} of ${nameIn(candidates, one.device)}`);
  const submissions = taken.length === 0 ? "no submissions were taken" : `submissions were taken: ${taken.join(", ")}`;
  const effect = caughtUp === null || taken.length === 0 ? "" : " What they brought is among what was read back.";
  const known = {
    none: "The edge showed no head: what came since cannot be said.",
    older: "The edge showed an older head than the backup's: what came since cannot be said.",
    same: "The edge showed nothing newer.",
    newer: `As far as the edge showed, ${losses.generations} generations came since, in which ${submissions}.${effect}`,
  }[losses.edge];
  const lost = lostHeads(seen);
  const gone = candidates.filter(({ atEdge }) => atEdge === "gone").map(({ name }) => name);
  const came = candidates.filter(({ isNew }) => isNew !== null).map(({ name }) => name);
  const devices = losses.knowsDevices
    ? [
      ...(gone.length === 0 ? [] : [`Revoked since: ${gone.join(", ")}.`]),
      ...(came.length === 0 ? [] : [`Paired since: ${came.join(", ")}.`]),
      ...(lost.length === 0 ? [] : ["Which devices came or went after what the edge showed cannot be said."]),
    ]
    : ["Which devices came or went since cannot be said.", ...(losses.edge === "newer" ? [READABLE] : [])];
  const back = caughtUp === null
    ? []
    : [`Read back from the edge: ${caughtUp.messages} messages, ${caughtUp.certificates} certificates.`];
  const doubtful = caughtUp === null || caughtUp.doubtful === 0
    ? []
    : [`${caughtUp.doubtful} certificates of the backup were not at the edge, and wait for your review.`];
  return [from, known, seenText(seen), ...devices, ...back, IN_NO_ROW, ...doubtful].filter((text) => text !== "").join(
    " ",
  );
}

/** What the heads that devices showed say; empty when there were none. */
export function seenText(seen: SeenHeads): string {
  const { heads, shown } = seen;
  const generations = (result: SeenHeads["heads"][number]["result"]) =>
    heads.filter((head) => head.result === result).map(({ generation }) => generation);
  const [agree, beyond, left] = [generations("agree"), generations("beyond"), generations("left")];
  const lives = new Map(
    heads.flatMap(({ result, incarnation, generation }) =>
      result === "another_life" && incarnation !== null ? [[toHex(incarnation).slice(0, 8), generation]] : []
    ),
  );
  const upTo = shown === 0 ? "no head was shown" : `generation ${shown} is the newest that was shown`;
  return [
    ...(agree.length === 0 ? [] : [`Devices saw what was shown, of generation ${agree.join(", ")}.`]),
    ...(beyond.length === 0
      ? []
      : [`A device saw generation ${Math.max(...beyond)}, and ${upTo}: what came after that is lost.`]),
    ...[...lives].map(([life, generation]) =>
      `A device saw generation ${generation} of a life of the manager, ${life}, of which nothing was shown: it is lost.`
    ),
    ...(left.length === 0 ? [] : [
      `What a device saw of generation ${
        left.join(", ")
      } cannot be compared: the text of its head tells more than a code does.`,
    ]),
  ].join(" ");
}

function nameIn(candidates: Judgement["candidates"], device: Bytes): string {
  return candidates.find(({ id }) => equalBytes(id, device))?.name ?? `device ${toHex(device).slice(0, 8)}`;
}
