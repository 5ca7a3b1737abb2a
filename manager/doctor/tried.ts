/** What the doctor tries: whatever goes wrong is a fact as well. */
import { isPosternError, type PosternError } from "../../shared/errors.ts";

/** Something that was tried: what it gave, or why it did not work. */
export type Tried<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PosternError };

/** Tries. @throws only what is no error of Postern's */
export async function tried<T>(run: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return { ok: false, error };
  }
}
