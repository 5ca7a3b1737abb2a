/** Looks for marks in captured bytes. Pure: what was captured and what is sought go in, what was found comes out. */
import type { Mark } from "./marks.ts";
import { Matcher } from "./matcher.ts";
import { needlesOf } from "./spellings.ts";
import { viewsOf } from "./views.ts";

/** Bytes that the edge received, answered, stored or logged. */
export interface Captured {
  /** Says where they were, as in "request 12, body". */
  readonly where: string;
  readonly bytes: Uint8Array;
}

/** A mark where none may be. */
export interface Finding {
  readonly mark: string;
  readonly where: string;
  /** As in "sha256, base64 at 1; percent-decoded". */
  readonly how: string;
}

export class Scanner {
  readonly #matcher: Matcher;

  constructor(marks: Iterable<Mark>) {
    this.#matcher = new Matcher([...marks].flatMap(needlesOf));
  }

  /** Every mark that stands in the bytes in any spelling, each spelling once. */
  find({ where, bytes }: Captured): Finding[] {
    const found = new Map<string, Finding>();
    for (const view of viewsOf(bytes)) {
      for (const { needle } of this.#matcher.find(view.bytes)) {
        const how = view.name === "" ? needle.spelling : `${needle.spelling}; ${view.name}`;
        found.set(`${needle.mark}\n${how}`, { mark: needle.mark, where, how });
      }
    }
    return [...found.values()];
  }

  findAll(captured: Iterable<Captured>): Finding[] {
    return [...captured].flatMap((one) => this.find(one));
  }
}
