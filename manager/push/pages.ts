/** Pages of a long list, for those who take its items one by one. */

/** The items of the pages; a page is fetched when the one before is used up. */
export async function* oneByOne<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T, undefined> {
  for await (const page of pages) yield* page;
  return undefined;
}

/** The same pages; the next one is on its way while one is in use. */
export async function* oneAhead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T, undefined> {
  let next = pages.next();
  try {
    for (let page = await next; page.done !== true; page = await next) {
      next = pages.next();
      // What fails is thrown when its turn comes.
      next.catch(() => {});
      await nextTurn();
      yield page.value;
    }
  } finally {
    await next.catch(() => {});
  }
  return undefined;
}

/** What was begun gets onto its way only between two turns of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resume) => void setTimeout(resume, 0));
}
