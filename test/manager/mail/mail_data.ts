/** Real messages that nobody here wrote, beside the repository. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { assert } from "../../assert.ts";

export interface RealMessage {
  readonly name: string;
  readonly raw: Bytes;
}

/** The messages of ../shared/data/mail in the order of their names; none, said loudly, where that folder is absent. */
export function realMessages(): RealMessage[] {
  const folder = new URL("../../../../shared/data/mail/", import.meta.url);
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name.endsWith(".eml")).sort();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn("NOT TESTED HERE: real messages, because the folder ../shared/data/mail is absent");
    return [];
  }
  assert(names.length > 0, "../shared/data/mail is there and holds no message");
  return names.map((name) => ({ name, raw: Deno.readFileSync(new URL(name, folder)) }));
}
