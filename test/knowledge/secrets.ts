/** Everything secret that a manager and its devices hold or derive, noted as marks. */
import { Buffer } from "node:buffer";
import { createHash, createHmac, createPrivateKey } from "node:crypto";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { fromBase64Url, toHex } from "../../shared/bytes/encoding.ts";
import { unpad } from "../../shared/bytes/padding.ts";
import { takeSecrets } from "../../shared/client/identity/device_keys.ts";
import { webCryptoKeys } from "../../shared/crypto/native_keys.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { openHpke } from "../../shared/crypto/hpke.ts";
import type { Row } from "../../shared/database/database.ts";
import { deriveEdgeKeys, readEdgeSecret } from "../../shared/protocol/edge_key.ts";
import { HEADERS } from "../../shared/protocol/http_signature.ts";
import { LABELS, PURPOSES } from "../../shared/protocol/labels.ts";
import { REQUESTS } from "../../shared/protocol/wire.ts";
import { decodeAs } from "../../shared/protocol/shapes.ts";
import { decodeSignedSubmission, inboxSealInfo } from "../../shared/protocol/submission.ts";
import { decodePayload } from "../../shared/protocol/submission_payload.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import { openToken } from "../../edge/session/token.ts";
import { inboxKey } from "../../manager/owner/keys.ts";
import { currentStatement } from "../../manager/owner/statement.ts";
import type { TestDevice } from "../fixtures/device.ts";
import type { EdgeIdentity } from "../fixtures/edge.ts";
import type { TestManager } from "../fixtures/manager.ts";
import type { Exchange } from "../fixtures/traffic.ts";
import type { MarkBook } from "./mark_book.ts";

/** What is random of a certificate's signature at its end. */
const TAIL_BYTES = 32;

/** The part of a PKCS#8 key that is secret: it may hold the public key as well. */
function secretOf(pkcs8: Bytes): Bytes {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const { d } = key.export({ format: "jwk" });
  if (d === undefined) throw new TypeError("The key has no secret part");
  return fromBase64Url(d);
}

async function rowsOf(manager: TestManager, sql: string): Promise<readonly Row[]> {
  return (await manager.db.execute<Row>({ sql, params: [] })).rows;
}

function bytesOf(row: Row, column: string): Bytes {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`${column} holds no bytes`);
}

/** What lies in the manager's database at this moment: keys, secrets of the push under way, hashes of every content. */
export async function noteManager(book: MarkBook, manager: TestManager): Promise<void> {
  for (const row of await rowsOf(manager, "SELECT role, version, private_key FROM keys")) {
    const key = bytesOf(row, "private_key");
    book.bytes(`private ${row.role} key ${row.version}`, row.role === "inbox" ? key : secretOf(key));
  }
  book.bytes("recovery key", manager.recoverySeed);
  for (const row of await rowsOf(manager, "SELECT id, secret FROM pushes")) {
    book.bytes(`secret of push ${toHex(bytesOf(row, "id"))}`, bytesOf(row, "secret"));
  }
  for (const row of await rowsOf(manager, "SELECT epoch, incarnation, sym_key FROM epochs WHERE length(sym_key) > 0")) {
    noteEpoch(book, manager.owner, bytesOf(row, "incarnation"), Number(row.epoch), bytesOf(row, "sym_key"));
  }
  for (const row of await rowsOf(manager, "SELECT content_key, content_hash, plaintext FROM entries")) {
    const [key, hash] = [bytesOf(row, "content_key").slice(0, 32), bytesOf(row, "content_hash")];
    book.bytes(`content key ${toHex(key)}`, key);
    book.bytes(`content hash ${toHex(hash)}`, hash);
    const plain = sha256(bytesOf(row, "plaintext"));
    book.bytes(`hash of plaintext ${toHex(plain)}`, plain);
  }
  for (const row of await rowsOf(manager, "SELECT id, sha256 FROM messages")) {
    book.bytes(`message id ${toHex(bytesOf(row, "id"))}`, bytesOf(row, "id"));
    book.bytes(`hash of message ${toHex(bytesOf(row, "id"))}`, bytesOf(row, "sha256"));
  }
}

/** The sym key of an epoch and all that follows from it (shared/spec/keys.md), computed here by other code. */
function noteEpoch(book: MarkBook, owner: Bytes, incarnation: Bytes, epoch: number, symKey: Bytes): void {
  book.bytes(`sym key of epoch ${epoch}`, symKey);
  const salt = createHash("sha256").update(encodeCbor([LABELS.epoch, owner, incarnation, epoch])).digest();
  const prk = createHmac("sha256", salt).update(symKey).digest();
  const note = (purpose: string, table: number) => {
    const info = encodeCbor([LABELS.key, purpose, table]);
    const key = createHmac("sha256", prk).update(info).update(Uint8Array.of(1)).digest();
    book.bytes(`${purpose} key ${table} of epoch ${epoch}`, new Uint8Array(key));
  };
  for (const purpose of [PURPOSES.rowEncryption, PURPOSES.rowMac, PURPOSES.token]) {
    for (const table of [1, 2, 3, 4]) note(purpose, table);
  }
  note(PURPOSES.head, 0);
  note(PURPOSES.inboxCopy, 0);
}

/** The private keys of a device, its KEM public key, and the certificate that it was given: none of it is the edge's business. */
export function noteDevice(book: MarkBook, name: string, { keys, profile }: TestDevice): void {
  const { signing, kem } = takeSecrets(keys);
  book.bytes(`signing key of ${name}`, secretOf(signing));
  if (kem !== null) book.bytes(`KEM key of ${name}`, keys.suite === "xwing" ? kem : secretOf(kem));
  if (keys.kemPublicKey !== null) book.bytes(`KEM public key of ${name}`, keys.kemPublicKey);
  if (profile.certificate !== null) noteCertificate(book, `certificate of ${name}`, profile.certificate);
}

/** What would tell a certificate: fingerprint, subject, serial number, signature. */
export function noteCertificate(book: MarkBook, name: string, der: Bytes): void {
  const { fingerprint, subject, serial } = readCertificate(der);
  book.bytes(`fingerprint of ${name}`, fingerprint);
  book.text(`subject of ${name}`, subject);
  book.text(`serial number of ${name}`, serial);
  book.bytes(`signature of ${name}`, der.slice(-TAIL_BYTES));
}

/** What the edge keeps to itself: it has these keys, and neither stores nor says them. */
export async function noteEdge(book: MarkBook, { secret }: EdgeIdentity): Promise<void> {
  const bytes = readEdgeSecret(secret);
  book.bytes("secret of the edge", bytes);
  const { tokens, challenges } = await deriveEdgeKeys(bytes);
  book.bytes("token key of the edge", tokens);
  book.bytes("challenge key of the edge", challenges);
}

/** The keys of every session that was used, which only the edge's token shows. */
export async function noteSessions(
  book: MarkBook,
  { secret }: EdgeIdentity,
  exchanges: readonly Exchange[],
): Promise<void> {
  const key = await webCryptoKeys.sealingKey((await deriveEdgeKeys(readEdgeSecret(secret))).tokens);
  const tokens = new Set(exchanges.flatMap(({ request }) => request.headers.get(HEADERS.session) ?? []));
  for (const token of tokens) {
    const session = await openToken([key], token);
    if (session === null) throw new Error("The edge did not make this token");
    const name = toHex(session.principal.session);
    book.bytes(`c2s key of session ${name}`, session.keys.c2s);
    book.bytes(`s2c key of session ${name}`, session.keys.s2c);
  }
}

/** What devices sealed to the manager: part keys and pings, opened with the manager's own key. */
export async function noteSubmissions(
  book: MarkBook,
  manager: TestManager,
  exchanges: readonly Exchange[],
): Promise<void> {
  const key = await inboxKey(manager.db, (await currentStatement(manager.db)).inboxKey);
  const sent = exchanges.filter(({ request }) => request.method === "POST" && request.url.endsWith("/inbox"));
  for (const { request } of sent) {
    const { submission: signed } = decodeAs(REQUESTS.inbox, request.body, "submission of the test");
    const { submission, hash } = decodeSignedSubmission(signed);
    const payload = decodePayload(unpad(await openHpke("xwing", key, inboxSealInfo(submission), submission.sealed)));
    const name = toHex(hash);
    if (payload.kind === "ping") book.bytes(`ping ${name}`, payload.nonce);
    if (payload.kind === "certificate") noteCertificate(book, `submitted certificate ${name}`, payload.der);
    if (payload.kind !== "message") continue;
    book.bytes(`hash of submitted message ${name}`, payload.sha256);
    if (payload.partKey !== null) book.bytes(`part key of ${name}`, payload.partKey);
  }
}
