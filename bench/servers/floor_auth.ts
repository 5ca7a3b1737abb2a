/** How requests and answers of the floor are authenticated: the seed's way, two plain hashes. Both sides take it from here. */
import { hash } from "node:crypto";
import { concat, utf8 } from "../../shared/bytes/bytes.ts";

/** What the floor is started with. */
export interface FloorSettings {
  readonly databasePath: string;
  readonly rows: number;
  /** Bytes of one row's body, and so of an answer. */
  readonly bodyBytes: number;
  /** Ids and keys, both hexadecimal. */
  readonly sessions: readonly (readonly [string, string])[];
}

/** The `x-auth` of a request. */
export function requestAuth(key: string, target: string, counter: number): string {
  return hash("sha256", `${key}GET ${target} ${counter}`, "hex");
}

/** The `x-auth` of its answer. */
export function answerAuth(key: string, counter: number, body: Uint8Array): string {
  return hash("sha256", concat(utf8(`${key}${counter} `), body), "hex");
}

/** The name by which a row is looked up. */
export function rowName(number: number): string {
  return `CN=user${number},O=Example,C=NL`;
}
