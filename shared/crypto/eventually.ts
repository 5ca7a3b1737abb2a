/** What WebCrypto gives as a promise, and a runtime's own functions at once: whoever awaits it can take either. */

/** A value, or the promise of one. */
export type Eventually<T> = T | Promise<T>;
