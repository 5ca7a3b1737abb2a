/** Parts of the project as another runtime would load them, one that lacks or does otherwise what Deno has. */

/** What is there in the place of a property: undefined where there is nothing. */
export type Replaced = readonly [holder: object, name: string, value?: unknown];

/** Runs with those properties replaced, and puts them back. */
export async function inOtherRuntime<T>(replaced: readonly Replaced[], run: () => T | Promise<T>): Promise<T> {
  const [first, ...rest] = replaced;
  if (first === undefined) return await run();
  const [holder, name, value] = first;
  const before = Object.getOwnPropertyDescriptor(holder, name);
  Object.defineProperty(holder, name, { value, configurable: true, writable: true });
  try {
    return await inOtherRuntime(rest, run);
  } finally {
    if (before === undefined) Reflect.deleteProperty(holder, name);
    else Object.defineProperty(holder, name, before);
  }
}

/** WebCrypto that does one thing in another way. */
export function subtleWith(name: keyof SubtleCrypto | "decapsulateBits", does?: () => unknown): Replaced {
  return [SubtleCrypto.prototype, name, does];
}

let loads = 0;

/** A module that loads anew, with nothing kept from before. @param path from the folder of the project */
export async function loadAnew<Module>(path: string): Promise<Module> {
  return await import(new URL(`../${path}?${++loads}`, import.meta.url).href);
}
