/** A login, from what pairing gave to the keys of the epoch, with the household of the specification's examples. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { pad } from "../../shared/bytes/padding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { openHpke } from "../../shared/crypto/hpke.ts";
import { deriveX25519, importX25519 } from "../../shared/crypto/x25519.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { headCode } from "../../shared/protocol/head_code.ts";
import { contentDigest, signAnswer } from "../../shared/protocol/http_signature.ts";
import { LABELS, PURPOSES } from "../../shared/protocol/labels.ts";
import { loginTranscript, type SessionKeys, sessionKeys } from "../../shared/protocol/login.ts";
import { decodeRow, openRow } from "../../shared/protocol/row.ts";
import { LISTS, rowKey } from "../../shared/protocol/token.ts";
import { wrapInfo } from "../../shared/protocol/wrap.ts";
import { seeded } from "../vectors/fixed.ts";
import { exampleHead } from "../vectors/heads.ts";
import { type Household, TIME } from "../vectors/household.ts";
import { sealedRows } from "../vectors/rows.ts";
import type { Entry } from "./blocks.ts";
import { encodedRowMacInput, macBase } from "./spelled.ts";

/** What the session of the example goes on with. */
export interface WorkedLogin {
  readonly blocks: ReadonlyMap<string, readonly Entry[]>;
  readonly keys: SessionKeys;
  readonly token: string;
}

/** The edge's clock, Millis: what it tells at login. */
export const EDGE_TIME: number = TIME + 12_345;
const TOKEN = "an-opaque-token-of-the-edge";
const SESSION_MILLIS = 3_600_000;

export async function workedLogin(household: Household): Promise<WorkedLogin> {
  const { owner, edge, device, statement, keys } = household;
  // The same randomness as in shared/spec/vectors/session.json, so that both say the same.
  const random = seeded("postern example session");
  const [clientSecret, ephemeralSecret, challenge] = [random(32), random(32), random(64)];
  const client = await importX25519(clientSecret);
  const edgeEphemeral = (await importX25519(ephemeralSecret)).publicKey;
  const ephemeral = client.publicKey;
  const names = { owner, origin: edge.origin, edgeKey: edge.key, device: device.id };
  const transcript = loginTranscript({ ...names, challenge, ephemeral, statement: null });
  const signature = await device.key.sign(transcript);
  const withEphemeral = await deriveX25519(client.privateKey, edgeEphemeral);
  const withStatic = await deriveX25519(client.privateKey, edge.key);
  const session = sessionKeys(transcript, edgeEphemeral, withEphemeral, withStatic);
  const salt = sha256(encodeCbor([LABELS.loginSalt, transcript, edgeEphemeral]));

  const head = decodeSignedHead((await exampleHead(household)).signed);
  const record = await recordOf(household);
  const answer = encodeCbor({
    ...{ session: TOKEN, ephemeral: edgeEphemeral, time: EDGE_TIME, expires: EDGE_TIME + SESSION_MILLIS },
    ...{ statement: statement.signed, generation: head.head.generation, epoch: head.head.epoch },
    ...{ head: encodeCbor([head.bytes, head.signature]), record, history: null },
  });
  const parts = { status: 200, digest: contentDigest(answer), request: null };
  const signed = signAnswer(session.s2c, parts, { created: Math.floor(EDGE_TIME / 1_000), number: 0 });

  const blocks = new Map<string, readonly Entry[]>([
    ["pairing", [
      ...[["owner id", owner], ["device id", device.id], ["registration", device.registration]] as Entry[],
      ...[["origin", edge.origin], ["edge key", edge.key], ["statement number", statement.number]] as Entry[],
      ["statement hash", statement.hash],
    ]],
    ["challenge", [["body", encodeCbor({ challenge, time: EDGE_TIME })], ["challenge", challenge]]],
    ["transcript", [
      ...[["ephemeral private key", clientSecret], ["ephemeral", ephemeral], ["transcript", transcript]] as Entry[],
      ...[["device private key (Ed25519 seed)", device.key.seed], ["signature", signature]] as Entry[],
    ]],
    ["login-request", [["body", encodeCbor({ device: device.id, ephemeral, challenge, signature })]]],
    ["login-answer", [
      ...[["body", answer], ["content-digest", parts.digest], ["signature-input", signed.input]] as Entry[],
      ["signature", signed.signature],
    ]],
    ["session-keys", [
      ...[["edge ephemeral", edgeEphemeral], ["X25519 with edge ephemeral", withEphemeral]] as Entry[],
      ...[["X25519 with edge key", withStatic], ["salt", salt]] as Entry[],
      ["prk", hkdfExtract(salt, concat(withEphemeral, withStatic))],
      ["info of c2s", encodeCbor([LABELS.sessionKey, "c2s"])],
      ...[["c2s", session.c2s], ["s2c", session.s2c]] as Entry[],
    ]],
    ["answer-base", [[
      "signature base",
      macBase(signed.input, ['"@status": 200', `"content-digest": ${parts.digest}`]),
    ]]],
    ["statement", [
      ...[["statement", statement.signed], ["SHA-256", statement.hash], [
        "root certificate",
        statement.root,
      ]] as Entry[],
      ...[["SHA-256 of it", sha256(statement.root)], ["manager key", statement.managerKey]] as Entry[],
      ["incarnation", statement.incarnation],
    ]],
    ["head", [
      ...[["head", head.bytes], ["signature", head.signature], ["head hash", head.hash]] as Entry[],
      ["head code", headCode({ ...head.head, hash: head.hash })],
      ...[["generation", head.head.generation], ["epoch", head.head.epoch]] as Entry[],
      ...[["commitment", head.head.commitment], ["time", head.head.time], ["next due", head.head.nextDue]] as Entry[],
    ]],
    ["unwrap", await unwrapBlock(household, record)],
    ["epoch", epochBlock(household)],
    ["record", await recordBlock(household, record)],
  ]);
  if (keys.epoch !== head.head.epoch) throw new Error("The example's head is of another epoch than its keys");
  return { blocks, keys: session, token: TOKEN };
}

/** The device's row, the same as in shared/spec/vectors/rows.json. */
async function recordOf(household: Household): Promise<Bytes> {
  const [own] = await sealedRows(household);
  if (own === undefined) throw new Error("The example has no row of its device");
  return own.row;
}

async function unwrapBlock({ device, keys }: Household, record: Bytes): Promise<Entry[]> {
  const { extra } = decodeRow(record);
  if (extra === null) throw new Error("The record of the example holds no wrapped key");
  const info = wrapInfo(keys, device.id, extra.suite);
  const sealed = { encapsulated: extra.encapsulated, ciphertext: extra.wrapped };
  return [
    ...[["KEM private key (X-Wing seed)", device.kemSeed], ["suite", extra.suite], ["info", info]] as Entry[],
    ...[["encapsulated", extra.encapsulated], ["wrapped", extra.wrapped]] as Entry[],
    ["sym key", await openHpke(extra.suite, device.kem, info, sealed)],
  ];
}

/** A key of the epoch, or its commitment (spec: KEY-03). */
export function epochKey({ owner, incarnation, epoch, symKey }: Household, purpose: string, table: number): Entry {
  const prk = hkdfExtract(sha256(encodeCbor([LABELS.epoch, owner, incarnation, epoch])), symKey);
  return [`key("${purpose}", ${table})`, hkdfExpand(prk, encodeCbor([LABELS.key, purpose, table]), 32)];
}

function epochBlock(household: Household): Entry[] {
  const { owner, incarnation, epoch, symKey, keys } = household;
  const salt = sha256(encodeCbor([LABELS.epoch, owner, incarnation, epoch]));
  const prk = hkdfExtract(salt, symKey);
  const key = (purpose: string, table: number) => epochKey(household, purpose, table);
  return [
    ...[["salt", salt], ["prk", prk]] as Entry[],
    ["info of the commitment", encodeCbor([LABELS.key, PURPOSES.commitment, 0])],
    ...[key(PURPOSES.commitment, 0), ["commitment of the head", keys.commitment]] as Entry[],
    ...[key(PURPOSES.token, 1), key(PURPOSES.rowMac, 1), key(PURPOSES.rowEncryption, 1)],
  ];
}

async function recordBlock({ keys, device }: Household, record: Bytes): Promise<Entry[]> {
  const list = LISTS.device(device.id);
  const row = decodeRow(record);
  const plaintext = await openRow(keys, rowKey(keys, list, 0), record);
  const { owner, incarnation, epoch } = keys;
  return [
    ["record", record],
    ["input of the token", encodeCbor([LABELS.token, list.kind, list.name])],
    ...[["token", row.token], ["nonce", row.nonce]] as Entry[],
    ["input of the MAC", encodedRowMacInput(keys, row)],
    ["mac", row.mac],
    ["associated data", encodeCbor([LABELS.rowAad, owner, incarnation, epoch, row.table, row.token, row.number])],
    ...[["padded plaintext", pad(plaintext)], ["plaintext", plaintext]] as Entry[],
  ];
}
