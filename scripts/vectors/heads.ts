/** Example of head.md: a signed owner statement, and a signed head under it. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { EMPTY_HISTORY, historyRoot } from "../../shared/merkle/history.ts";
import { rootOfSorted } from "../../shared/merkle/sorted_root.ts";
import {
  decodeSignedHead,
  encodeHead,
  type Head,
  sealHeadSecrets,
  signHead,
  type TableState,
} from "../../shared/protocol/head.ts";
import { headCode, headText } from "../../shared/protocol/head_code.ts";
import { LABELS } from "../../shared/protocol/labels.ts";
import { type TableName, TABLES } from "../../shared/protocol/tables.ts";
import { RECOVERY_DEVICE, wrapInfo } from "../../shared/protocol/wrap.ts";
import { sealWith, seeded } from "./fixed.ts";
import { type Household, TIME } from "./household.ts";
import { leavesOf, sealedRows } from "./rows.ts";
import type { Example } from "./vector.ts";

/** The sealed part of the head. */
const SECRETS = { contentRoot: sha256(utf8("content root")), alarm: null, listed: null };

/** The first head of the owner. */
export async function exampleHead(household: Household): Promise<{ head: Head; signed: Uint8Array<ArrayBuffer> }> {
  const { owner, incarnation, epoch, keys, statement, manager, recovery, symKey, device } = household;
  const random = seeded("postern example head");
  const rows = await sealedRows(household);
  const state = (name: TableName): TableState => rootOfSorted(leavesOf(rows, TABLES[name]));
  const head: Head = {
    ...{ owner, statement: { number: statement.number, hash: statement.hash }, incarnation, epoch },
    ...{ commitment: keys.commitment, generation: 1, previous: null },
    history: { size: 0, root: historyRoot(EMPTY_HISTORY) },
    tables: {
      ...{ devices: state("devices"), certificates: state("certificates") },
      ...{ messages: state("messages"), changes: state("changes") },
    },
    ...{ time: TIME, nextDue: TIME + 300_000 },
    acks: [{ device: device.id, stream: random(16), number: 2, hash: random(32) }],
    recovery: await sealWith(random(64), recovery.publicKey, wrapInfo(keys, RECOVERY_DEVICE, "xwing"), symKey),
    classical: 0,
    sealed: await sealHeadSecrets(keys, 1, SECRETS, random),
  };
  return { head, signed: await signHead(encodeHead(head), manager.sign) };
}

export function statementExample(
  { rootKey, root, manager, inboxSeed, recoverySeed, fields, statement }: Household,
): Example {
  const { number, incarnation, managerKey, inboxKey, recoveryKey, edges, time, base } = fields;
  return {
    page: "head.md",
    about: "The owner's first statement. Private keys are Ed25519 seeds (RFC 8032) and X-Wing seeds.",
    steps: [{
      name: "statement",
      inputs: {
        ...{ rootSeed: rootKey.seed, root: root.der, owner: root.fingerprint, number, incarnation },
        ...{ managerSeed: manager.seed, managerKey, inboxSeed, inboxKey, recoverySeed, recoveryKey },
        ...{ edges: edges.map(({ origin, key }) => ({ origin, key })), time, base },
      },
      outputs: { statement: statement.bytes, signed: statement.signed, hash: statement.hash },
    }],
  };
}

export async function headExample(household: Household): Promise<Example> {
  const { owner, incarnation, epoch, manager } = household;
  const { head, signed } = await exampleHead(household);
  const { bytes, signature, hash } = decodeSignedHead(signed);
  const { devices, certificates, messages, changes } = head.tables;
  const named = { owner, incarnation, generation: head.generation, hash };
  return {
    page: "head.md",
    about: "The owner's first head, under the statement of statement.json, in the epoch of keys.json, over rows.json.",
    steps: [{
      name: "head",
      inputs: {
        ...{ statement: [head.statement.number, head.statement.hash], commitment: head.commitment },
        ...{ generation: head.generation, previous: head.previous, history: [head.history.size, head.history.root] },
        tables: [devices, certificates, messages, changes].map(({ count, root }) => [count, root]),
        ...{ time: head.time, nextDue: head.nextDue, classical: head.classical, managerSeed: manager.seed },
        acks: head.acks.map(({ device, stream, number, hash }) => [device, stream, number, hash]),
        recovery: [head.recovery.encapsulated, head.recovery.ciphertext],
        ...SECRETS,
        nonce: head.sealed.nonce,
      },
      outputs: {
        sealedAad: encodeCbor([LABELS.headSealed, owner, incarnation, epoch, head.generation]),
        ...{ sealed: head.sealed.ciphertext, head: bytes, hash, signature, signed },
      },
    }, {
      name: "comparing",
      inputs: { generation: head.generation, hash },
      outputs: { code: headCode(named), text: headText(named) },
    }],
  };
}
