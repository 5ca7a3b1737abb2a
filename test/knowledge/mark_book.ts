/** Collects marks while they are made. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { bytesMark, type Mark, newToken, textMark } from "./marks.ts";

export class MarkBook {
  readonly #marks = new Map<string, Mark>();

  get marks(): Mark[] {
    return [...this.#marks.values()];
  }

  /** Names of the words that were made. */
  readonly words: string[] = [];

  /** A new word that the edge must never see. */
  word(name: string): string {
    const word = newToken(webCryptoRandom);
    this.#add(textMark(name, word));
    this.words.push(name);
    return word;
  }

  /** A text that the edge must never see, whole; it may be made of words. */
  text(name: string, text: string): void {
    this.#add(textMark(name, text));
  }

  /** Bytes that the edge must never see; they are random from their first byte to their last. */
  bytes(name: string, bytes: Bytes): void {
    this.#add(bytesMark(name, bytes));
  }

  /** The same secret may be noted often, for example at every look at a table. */
  #add(mark: Mark): void {
    const before = this.#marks.get(mark.name);
    if (before !== undefined && String(before.bytes) !== String(mark.bytes)) {
      throw new Error(`Two marks are named '${mark.name}'`);
    }
    this.#marks.set(mark.name, mark);
  }
}
