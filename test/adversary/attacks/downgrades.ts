/** Algorithms, versions and parameters that are said to be others, wherever something names them. */
import { type Bytes, equalBytes } from "../../../shared/bytes/bytes.ts";
import type { CborValue } from "../../../shared/bytes/cbor.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { decodeRow } from "../../../shared/protocol/row.ts";
import { TABLES } from "../../../shared/protocol/tables.ts";
import { edited } from "../../threats/edge_database.ts";
import type { Answer } from "../liar.ts";
import { type Attack, changed, twisting } from "./attack.ts";

type Login = NonNullable<Answer<"loginData">>;

/** A value in nested arrays put in the place of another. */
function put(fields: readonly CborValue[], [at, ...inner]: readonly number[], value: CborValue): CborValue[] {
  if (at === undefined) throw new TypeError("A place has at least one number");
  const field = fields[at];
  if (inner.length === 0) return fields.with(at, value);
  if (!Array.isArray(field)) throw new TypeError("There is no such place");
  return fields.with(at, put(field, inner, value));
}

function onLogin(name: string, codes: readonly ErrorCode[], lie: (answer: Login) => Login): Attack {
  return twisting(name, "login", codes, () => ({ loginData: (answer) => answer === null ? answer : lie(answer) }));
}

/** What is signed lies as bytes in the signed array. */
function insideSigned(at: number, place: readonly number[], value: CborValue): (fields: CborValue[]) => CborValue[] {
  return (fields) => {
    const bytes = fields[at];
    if (!(bytes instanceof Uint8Array)) throw new TypeError("What is signed are bytes");
    return fields.with(at, edited(bytes.slice(), (signed) => put(signed, place, value)));
  };
}

/** A row at its place with what is sealed at another one, a stranger's perhaps. */
function withContents(row: Bytes, other: Bytes): Bytes {
  const { nonce, ciphertext, mac } = decodeRow(other);
  return edited(row, (fields) => [...fields.slice(0, 5), nonce, ciphertext, mac]);
}

const SUITE = [4, 3];
const CLASSICAL = 14;
const STATEMENT_NUMBER = 2;

export const DOWNGRADES: readonly Attack[] = [
  onLogin("a device's record names a classical suite", ["tampered", "unsupported"], (answer) => ({
    ...answer,
    record: edited(answer.record, (fields) => put(fields, SUITE, "x25519")),
  })),
  onLogin("a device's record names no suite that there is", ["tampered", "unsupported"], (answer) => ({
    ...answer,
    record: edited(answer.record, (fields) => put(fields, SUITE, "none")),
  })),
  onLogin("a device's record is of another version", ["tampered", "unsupported", "malformed"], (answer) => ({
    ...answer,
    record: edited(answer.record, (fields) => put(fields, [0], 0)),
  })),
  onLogin(
    "a head names another number of classical devices",
    ["tampered"],
    (answer) =>
      answer.head === null ? answer : { ...answer, head: edited(answer.head, insideSigned(0, [CLASSICAL], 7)) },
  ),
  onLogin(
    "a head is of another version",
    ["tampered", "malformed", "unsupported"],
    (answer) =>
      answer.head === null ? answer : { ...answer, head: edited(answer.head, insideSigned(0, [0], "postern/0/head")) },
  ),
  onLogin(
    "an owner statement is of another version",
    ["tampered", "malformed", "unsupported"],
    (answer) =>
      answer.statement === null
        ? answer
        : { ...answer, statement: edited(answer.statement, insideSigned(1, [0], "postern/0/statement")) },
  ),
  onLogin(
    "an owner statement has another number",
    ["tampered"],
    (answer) =>
      answer.statement === null
        ? answer
        : { ...answer, statement: edited(answer.statement, insideSigned(1, [STATEMENT_NUMBER], 1_000)) },
  ),
  twisting("a row is of another version", "lookup", ["tampered", "malformed", "unsupported"], (_scene, dice) => ({
    proven: (answer, [principal]) =>
      principal.manager || answer.rows.length === 0 ? answer : {
        ...answer,
        rows: changed(answer.rows, dice, (row) => edited(row, (fields) => put(fields, [0], 0))),
      },
  })),
  twisting("another certificate's contents are put in a row's place", "lookup", ["tampered"], (scene, dice) => ({
    proven: (answer, [principal, { table, token }]) => {
      const other = dice.of(
        scene.liar.past("proven").filter(({ asked, answer: past }) =>
          asked[1].table === table && !equalBytes(asked[1].token, token) && past.rows.length > 0
        ),
      )?.answer.rows[0];
      if (principal.manager || table !== TABLES.certificates || answer.rows.length === 0 || other === undefined) {
        return answer;
      }
      return { ...answer, rows: changed(answer.rows, dice, (row) => withContents(row, other)) };
    },
  })),
];
