import { PosternError } from "../errors.ts";

/** A signature that is well formed, and not of the kind that is accepted, or does not verify. `found` continues "The signature ...". */
export function badSignature(found: string, cause?: unknown): PosternError {
  return new PosternError("signature", `The signature ${found}`, { cause });
}
