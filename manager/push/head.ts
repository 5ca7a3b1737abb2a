/** Makes the next head of the manager: signed, stored, only then shown to anybody (spec: HEAD-05). */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { RandomBytes } from "../../shared/crypto/random.ts";
import type { Database, Statement } from "../../shared/database/database.ts";
import { PosternError } from "../../shared/errors.ts";
import { appendToHistory, encodeHistory, historyRoot } from "../../shared/merkle/history.ts";
import { compareAcks } from "../../shared/protocol/acknowledgement.ts";
import {
  decodeSignedHead,
  encodeHead,
  sealHeadSecrets,
  type SignedHead,
  signHead,
} from "../../shared/protocol/head.ts";
import { headAlarm } from "../heads/forks.ts";
import { putHistoryNodes, readHistory } from "../heads/history.ts";
import { newestHead, nextGeneration, putHead } from "../heads/repository.ts";
import { acknowledgements } from "../inbox/streams.ts";
import { managerKey } from "../owner/keys.ts";
import { currentStatement } from "../owner/statement.ts";
import { META, readNumber, setBytes } from "../store/meta.ts";
import type { OpenEpoch } from "./epoch.ts";
import { headTime } from "./head_time.ts";
import type { StateRoots } from "./trees/roots.ts";

/** A head that is signed, and the statements that store it and its place in the history. */
export interface PreparedHead {
  readonly signed: Bytes;
  readonly decoded: SignedHead;
  readonly statements: readonly Statement<unknown>[];
}

/** How many intervals may pass before devices call a head overdue: one may be lost, one may be late. */
const DUE_AFTER_INTERVALS = 3;

/**
 * Makes and signs the head of the next generation; the caller stores `statements` before it sends `signed`.
 *
 * @param session number of the owner statement under which the manager is logged in
 * @param now Millis
 * @throws `clock` when the time is one that must not be signed without the owner's word (spec: HEAD-05); `conflict` when the owner issued
 * another statement meanwhile, under which the edge would not take the head
 */
export async function prepareHead(
  db: Database,
  { row: epoch, keys }: OpenEpoch,
  roots: StateRoots,
  session: number,
  now: number,
  random: RandomBytes,
): Promise<PreparedHead> {
  const statement = await currentStatement(db);
  if (statement.number !== session) {
    throw new PosternError("conflict", "The owner issued a new statement meanwhile: the next turn logs in under it");
  }
  const before = await newestHead(db);
  const time = headTime({ head: before, statement }, now);
  const generation = await nextGeneration(db);
  const history = await readHistory(db);
  const interval = await readNumber(db, META.intervalMillis);
  const bytes = encodeHead({
    ...{ owner: statement.owner, incarnation: epoch.incarnation, epoch: epoch.epoch, generation, time },
    statement: { number: statement.number, hash: statement.hash },
    commitment: keys.commitment,
    previous: before?.hash ?? null,
    history: { size: history.size, root: historyRoot(history) },
    tables: roots.tables,
    nextDue: time + DUE_AFTER_INTERVALS * interval,
    acks: [...await acknowledgements(db)].sort(compareAcks),
    recovery: { encapsulated: epoch.recovery_encapsulated, ciphertext: epoch.recovery_ciphertext },
    classical: epoch.classical,
    sealed: await sealHeadSecrets(
      keys,
      generation,
      { contentRoot: roots.contentRoot, alarm: await headAlarm(db), listed: await readNumber(db, META.listed) || null },
      random,
    ),
  });
  const { sign } = await managerKey(db, statement.managerKey);
  const signed = await signHead(bytes, sign);
  const decoded = decodeSignedHead(signed);
  const extended = appendToHistory(history, decoded.hash);
  const statements = [
    putHead(signed),
    ...putHistoryNodes(extended.nodes, generation),
    setBytes(META.history, encodeHistory(extended.history)),
  ];
  return { signed, decoded, statements };
}
