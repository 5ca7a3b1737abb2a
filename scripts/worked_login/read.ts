/** A read within the session of the worked login: a message of a channel, and the proof that it is all there is of the range. */
import { EMPTY } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { leafHash, treeKey } from "../../shared/merkle/tree_hash.ts";
import { contentDigest, signAnswer, signatureValue, signRequest } from "../../shared/protocol/http_signature.ts";
import { LABELS, PURPOSES } from "../../shared/protocol/labels.ts";
import { pathOf, queryOf } from "../../shared/protocol/paths.ts";
import { decodeRow, openRow, rowHash } from "../../shared/protocol/row.ts";
import type { Household } from "../vectors/household.ts";
import { proveRange } from "../vectors/proofs.ts";
import { leavesOf, type SealedRow, sealedRows } from "../vectors/rows.ts";
import type { Entry } from "./blocks.ts";
import { EDGE_TIME, epochKey, type WorkedLogin } from "./login.ts";
import { encodedRowMacInput, macBase } from "./spelled.ts";

const CREATED: number = Math.floor(EDGE_TIME / 1_000) + 2;
const GENERATION = 1;
/** Positions are below it, the newest first. */
const BEFORE = 2;

export async function workedRead(
  household: Household,
  login: WorkedLogin,
): Promise<ReadonlyMap<string, readonly Entry[]>> {
  const { owner, edge, keys } = household;
  const stored = await sealedRows(household);
  const message = messageOf(stored);
  const { place, row } = message;
  const query = queryOf({ epoch: keys.epoch, token: place.token, before: BEFORE, limit: 1, proof: 1 });
  const path = new URL(edge.origin).pathname + pathOf("rows", { owner, table: "messages" });
  const digest = contentDigest(EMPTY);
  const request = { method: "GET", path, query, digest, session: login.token };
  const asked = signRequest(login.keys.c2s, request, { created: CREATED, number: 1 });

  const range = { lowest: treeKey(place.token, 0), highest: treeKey(place.token, BEFORE - 1) };
  const { proof, root } = proveRange(leavesOf(stored, place.table), range);
  const body = encodeCbor({ generation: GENERATION, epoch: keys.epoch, rows: [row], more: false, proof });
  const bound = signatureValue(asked.signature);
  const parts = { status: 200, digest: contentDigest(body), request: bound };
  const answered = signAnswer(login.keys.s2c, parts, { created: CREATED, number: 1 });
  const decoded = decodeRow(row);
  const { incarnation, epoch } = keys;
  return new Map<string, readonly Entry[]>([
    ["read-token", [
      epochKey(household, PURPOSES.token, 3),
      ["input of the token", encodeCbor([LABELS.token, message.list.kind, message.list.name])],
      ["token", place.token],
    ]],
    ["read-request", [
      ["URL", edge.origin + pathOf("rows", { owner, table: "messages" }) + query],
      ...[["postern-session", login.token], ["content-digest", digest]] as Entry[],
      ...[["signature-input", asked.input], ["signature", asked.signature]] as Entry[],
      [
        "signature base",
        macBase(asked.input, [
          ...['"@method": GET', `"@path": ${path}`, `"@query": ${query}`],
          ...[`"content-digest": ${digest}`, `"postern-session": ${login.token}`],
        ]),
      ],
    ]],
    ["read-answer", [
      ...[["body", body], ["content-digest", parts.digest], ["signature-input", answered.input]] as Entry[],
      ["signature", answered.signature],
      [
        "signature base",
        macBase(answered.input, [
          ...['"@status": 200', `"content-digest": ${parts.digest}`, `"signature";req;key="postern": ${bound}`],
        ]),
      ],
    ]],
    ["read-row", [
      ...[epochKey(household, PURPOSES.rowMac, 3), epochKey(household, PURPOSES.rowEncryption, 3)],
      ...[["token", decoded.token], ["number", decoded.number], ["nonce", decoded.nonce]] as Entry[],
      ...[["mac", decoded.mac], ["input of the MAC", encodedRowMacInput(keys, decoded)]] as Entry[],
      ["associated data", encodeCbor([LABELS.rowAad, owner, incarnation, epoch, 3, decoded.token, decoded.number])],
      ["plaintext", await openRow(keys, place, row)],
    ]],
    ["read-proof", [
      ...[["lowest key", range.lowest], ["highest key", range.highest], ["row hash", rowHash(row)]] as Entry[],
      ...proof.map((node, index): Entry => [`node ${index}`, node ?? "null"]),
      ["hash of the row's leaf", leafHash(treeKey(place.token, place.number), rowHash(row))],
      ["root of table 3 in the head", root],
    ]],
  ]);
}

function messageOf(rows: readonly SealedRow[]): SealedRow {
  const message = rows.find(({ name }) => name === "message inline");
  if (message === undefined) throw new Error("The example has no message");
  return message;
}
