/** Where releases come from. A source is not believed: it hands over bytes, and everything else is for whoever reads them. */

/** A file that comes. */
export interface Opened {
  readonly body: ReadableStream<Uint8Array>;
  /** The byte that it begins with: the one asked for, or 0 from a source that cannot go on in the middle. */
  readonly from: number;
}

export interface ReleaseSource {
  /**
   * Opens a place of shared/manifest/places.ts.
   *
   * @param from the first byte that is wanted
   * @returns null if there is no such file
   * @throws `network`, `storage`
   */
  open(place: string, from: number, signal: AbortSignal): Promise<Opened | null>;
}
