/** The few assertions that the tests share; node's own, plus one that insists on the error's code. */
import nodeAssert from "node:assert/strict";
import { type ErrorCode, PosternError } from "../shared/errors.ts";

/** Fails unless the condition holds. */
export function assert(condition: unknown, message?: string): asserts condition {
  if (message === undefined) nodeAssert.ok(condition);
  else nodeAssert.ok(condition, message);
}

/** Fails unless both are deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (message === undefined) nodeAssert.deepStrictEqual(actual, expected);
  else nodeAssert.deepStrictEqual(actual, expected, message);
}

/** Runs and expects a {@link PosternError} with exactly this code; returns it for a look at its message. */
export function assertThrows(run: () => unknown, code: ErrorCode): PosternError {
  try {
    run();
  } catch (error) {
    return expectCode(error, code);
  }
  throw new nodeAssert.AssertionError({ message: `expected the error '${code}', but nothing was thrown` });
}

/** Like {@link assertThrows} for a promise. */
export async function assertRejects(run: () => Promise<unknown>, code: ErrorCode): Promise<PosternError> {
  try {
    await run();
  } catch (error) {
    return expectCode(error, code);
  }
  throw new nodeAssert.AssertionError({ message: `expected the error '${code}', but nothing was thrown` });
}

/** Runs and expects just this error, or a DOMException of this name. */
export async function assertRejectsWith(run: () => Promise<unknown>, expected: unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    nodeAssert.equal(error instanceof DOMException && typeof expected === "string" ? error.name : error, expected);
    return;
  }
  throw new nodeAssert.AssertionError({ message: "expected an error, but nothing was thrown" });
}

function expectCode(error: unknown, code: ErrorCode): PosternError {
  if (!(error instanceof PosternError)) throw error;
  nodeAssert.equal(error.code, code, `expected the error '${code}', got '${error.code}': ${error.message}`);
  return error;
}
