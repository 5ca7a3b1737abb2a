/** Lookups at the edge: one certificate by its subject, as the device client asks for it, request and answer signed. */
import { type Bytes, concat } from "../../shared/bytes/bytes.ts";
import { fromBase64 } from "../../shared/bytes/encoding.ts";
import { rowsCall } from "../../shared/client/session/calls.ts";
import { KEY_BYTES, treeKey } from "../../shared/merkle/tree_hash.ts";
import { type RangeClaim, verifyProof } from "../../shared/merkle/verify_proof.ts";
import type { EpochKeys } from "../../shared/protocol/epoch_keys.ts";
import {
  contentDigest,
  HEADERS,
  signatureValue,
  signRequest,
  verifyAnswer,
} from "../../shared/protocol/http_signature.ts";
import { decodeCertificate } from "../../shared/protocol/plaintexts.ts";
import { openRow, rowHash } from "../../shared/protocol/row.ts";
import { decodeAs } from "../../shared/protocol/shapes.ts";
import { LISTS, type RowKey, rowKey } from "../../shared/protocol/token.ts";
import { ANSWERS } from "../../shared/protocol/wire.ts";
import { readCertificate } from "../../shared/x509/certificate.ts";
import type { BenchSession } from "../fixtures/edge_login.ts";
import type { BenchOwner } from "../fixtures/owner.ts";
import type { Contestant } from "../harness/contest.ts";
import { headerOf } from "../load/answer.ts";
import { rawRequest } from "../load/request_file.ts";
import type { Server } from "../servers/spawn.ts";
import { RoundRobin } from "./round_robin.ts";

const EMPTY_DIGEST: string = contentDigest(new Uint8Array(0));
/** As the device client asks (shared/client/read/list_reader.ts). */
const LIMIT = 100;

/** What is looked up, and who asks. */
export interface EdgeLookups {
  readonly owner: BenchOwner;
  /** Of the epoch that the edge holds. */
  readonly keys: EpochKeys;
  /** Of the table of certificates, as the manager signed it. */
  readonly root: Bytes;
  readonly sessions: readonly BenchSession[];
  /** Canonical subjects. */
  readonly subjects: readonly string[];
  /** How far in the future requests are dated, seconds: those of a long run are made long before they are sent. */
  readonly aheadSeconds?: number;
}

/** What is asked for. */
export interface EdgeQuestion {
  /** With the proof that nothing is missing, as devices ask. */
  readonly isProven: boolean;
  /** Subjects that no certificate has. */
  readonly isAbsent: boolean;
}

/** The peer proves nothing: beside it, neither does the edge. */
const BARE: EdgeQuestion = { isProven: false, isAbsent: false };

export function edgeLookups(
  name: string,
  server: Server,
  { owner, keys, root, sessions, subjects, aheadSeconds = 0 }: EdgeLookups,
  { isProven, isAbsent }: EdgeQuestion = BARE,
): Contestant {
  const turns = new RoundRobin(sessions, subjects.length);
  const places = subjects.map((subject) => rowKey(keys, LISTS.subject(isAbsent ? `${subject} II` : subject), 0));
  const calls = places.map((place) => {
    const call = rowsCall(owner.id, keys.epoch, place, { from: 0 }, LIMIT);
    return isProven ? call : unproven(call);
  });
  let signatures: string[] = [];
  return {
    ...{ name, port: server.port, processes: [server.pid], firstRequests: 40_000 },
    prepare(count) {
      signatures = [];
      const requests = turns.next(count).map(({ session, counter, row }) => {
        const { method, path, query = "" } = calls[row] ?? missing();
        const parts = { method, path, query, digest: EMPTY_DIGEST, session: session.token };
        const created = Math.floor((Date.now() + session.offset) / 1000) + aheadSeconds;
        const { input, signature } = signRequest(session.keys.c2s, parts, { created, number: counter });
        signatures.push(signature);
        return rawRequest(method, path + query, {
          [HEADERS.session]: session.token,
          [HEADERS.digest]: EMPTY_DIGEST,
          [HEADERS.input]: input,
          [HEADERS.signature]: signature,
        });
      });
      return Promise.resolve(requests);
    },
    async verify(sample) {
      const { session, counter, row } = turns.of(sample.request);
      const body = fromBase64(sample.body);
      const digest = contentDigest(body);
      const parts = { status: 200, digest, request: signatureValue(signatures[sample.request] ?? "") };
      const headers = {
        input: headerOf(sample, HEADERS.input) ?? "",
        signature: headerOf(sample, HEADERS.signature) ?? "",
      };
      const stamp = verifyAnswer(session.keys.s2c, parts, headers);
      if (stamp?.number !== counter || headerOf(sample, HEADERS.digest) !== digest) {
        throw new Error("The edge signed an answer wrongly");
      }
      const { rows, more, proof } = decodeAs(ANSWERS.rows, body, "rows");
      const place = places[row] ?? missing();
      if (more || (proof !== null) !== isProven) throw new Error("The edge answered something else than was asked");
      if (proof !== null) verifyProof(proof, wholeList(place, rows), root);
      const [stored] = rows;
      if ((stored === undefined) !== isAbsent) throw new Error("The edge does not know which certificates it holds");
      if (stored === undefined) return;
      const { der } = decodeCertificate(await openRow(keys, place, stored));
      if (readCertificate(der).subject !== subjects[row]) throw new Error("The edge answered with another certificate");
    },
  };
}

function unproven<C extends { readonly query?: string }>(call: C): C {
  return { ...call, query: (call.query ?? "").replace("&proof=1", "") };
}

/** That the rows, at most one, are all that stands in the list. */
function wholeList({ token }: RowKey, rows: readonly Bytes[]): RangeClaim {
  return {
    ...{ lowest: treeKey(token, 0), highest: concat(token, new Uint8Array(KEY_BYTES - token.length).fill(0xff)) },
    rows: rows.map((bytes) => ({ key: treeKey(token, 0), rowHash: rowHash(bytes) })),
  };
}

function missing(): never {
  throw new Error("A request asks for a certificate that nobody made");
}
