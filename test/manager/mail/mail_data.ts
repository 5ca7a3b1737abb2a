/** Real messages that nobody here wrote, beside the repository: `mailData.test(...)` where a test reads them. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { assert } from "../../assert.ts";
import { needsShared } from "../../tools/needs.ts";

export interface RealMessage {
  readonly name: string;
  readonly raw: Bytes;
}

export const mailData = needsShared("data/mail");

/** All of them, in the order of their names. */
export function realMessages(): RealMessage[] {
  const names = [...Deno.readDirSync(mailData.path)].map((entry) => entry.name).filter((name) => name.endsWith(".eml"));
  assert(names.length > 0, "../shared/data/mail is there and holds no message");
  return names.sort().map((name) => ({ name, raw: Deno.readFileSync(`${mailData.path}/${name}`) }));
}
