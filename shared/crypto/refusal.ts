/**
 * What WebCrypto refuses, as errors of ours. Everything else that it throws comes from wrong use or is a bug, and passes as it is.
 */
import { PosternError } from "../errors.ts";

/**
 * A key that is being imported. Runtimes disagree on which DOMException bad bytes are; all of them mean the bytes.
 *
 * @throws `malformed`
 */
export async function orMalformed<Key>(imported: Promise<Key>, expected: string): Promise<Key> {
  try {
    return await imported;
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    throw new PosternError("malformed", `expected ${expected}, found bytes that are not`, { cause });
  }
}

/**
 * What an operation gives. All runtimes say OperationError where it fails on what it was given; a key of another kind or for another
 * purpose is another DOMException.
 *
 * @throws an error of that code where the operation fails
 */
export async function orFailed<Result>(
  operation: Promise<Result>,
  code: "tampered" | "unsupported",
  message: string,
): Promise<Result> {
  try {
    return await operation;
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;
    throw new PosternError(code, message, { cause });
  }
}
