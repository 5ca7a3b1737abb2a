/** Pages of a long list, for those who take its items one by one. */

/** The items of the pages; a page is fetched when the one before is used up. */
export async function* oneByOne<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, undefined> {
  for await (const page of pages) yield* page;
  return undefined;
}
