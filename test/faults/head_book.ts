/** Every head that went past a proxy on its way to the edge: one generation must never have two contents. */
import { equalBytes } from "../../shared/bytes/bytes.ts";
import { decodeCbor } from "../../shared/bytes/cbor.ts";
import { shapeAs } from "../../shared/protocol/shapes.ts";
import { decodeSignedHead } from "../../shared/protocol/head.ts";
import { REQUESTS } from "../../shared/protocol/wire.ts";

const COMMIT = /^POST \S+\/push\/[^/\s]+\/commit /;

export class HeadBook {
  readonly #heads = new Map<number, Uint8Array>();
  readonly #contradicted = new Set<number>();

  /** Generations of which two heads were signed. Kept: what is thrown in a proxy is one more cut connection. */
  get contradicted(): readonly number[] {
    return [...this.#contradicted];
  }

  /** @param request whole, as it is on the wire */
  see(request: Uint8Array): void {
    const head = new TextDecoder("latin1").decode(request.subarray(0, 4_096));
    if (!COMMIT.test(head)) return;
    const body = decodeCbor(request.subarray(head.indexOf("\r\n\r\n") + 4));
    for (const signed of shapeAs(REQUESTS.pushCommit, body, "commit").heads) {
      const { generation } = decodeSignedHead(signed).head;
      const before = this.#heads.get(generation);
      if (before !== undefined && !equalBytes(before, signed)) this.#contradicted.add(generation);
      this.#heads.set(generation, signed);
    }
  }

  get size(): number {
    return this.#heads.size;
  }
}
