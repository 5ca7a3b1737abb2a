/** Many asynchronous pieces of work, a bounded number at a time. */

/** Results of `work(0)` to `work(count - 1)`, in their order; at most `atOnce` are under way at any time. */
export async function inBatches<T>(count: number, atOnce: number, work: (number: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const number = next++;
      results[number] = await work(number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return results;
}
