/** Survivors in the code of updates. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const UPDATE: readonly Survivor[] = [
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    [
      "manager/update/cache.ts",
      'if (!(error instanceof Deno.errors.NotFound)) fromOsError(error, "remove a file of the cache");',
      NEVER,
      ALWAYS,
    ],
    ["manager/update/check.ts", "if (isPosternError(error)) await noteFailure(env, error);", ALWAYS],
    ["manager/update/check.ts", "if (!isPosternError(error)) throw error;", NEVER],
    ["manager/update/install_folder.ts", "if (!(error instanceof Deno.errors.NotFound)) throw error;", NEVER],
  ),
  ...because(
    "A member that is undefined is the same as none",
    [
      "manager/update/check.ts",
      "const named = chooseRelease(index, { ...choice, ...(installed === undefined ? {} : { installed }) });",
      NEVER,
    ],
    ["manager/update/check.ts", "...(known === undefined ? {} : { floor: known }),", NEVER],
    ["manager/update/check.ts", "return { maxBytes, stop, ...(pace === undefined ? {} : { pace }) };", NEVER],
    ["manager/update/updater.ts", "const progress = onProgress === undefined ? {} : { onProgress };", NEVER],
  ),
  ...because(
    "chooseRelease() named a release above both, and the manifest must be that one",
    ["manager/update/check.ts", "...(installed === undefined ? {} : { installed }),", ALWAYS],
    ["manager/update/check.ts", "...(known === undefined ? {} : { floor: known }),", ALWAYS],
  ),
  ...because(
    "Fetches once more, and comes to the same",
    ["manager/update/check.ts", 'if (!isPosternError(error, "signature")) throw error;', NEVER],
  ),
  ...because(
    "Nothing is written in a batch of none",
    [
      "manager/update/check.ts",
      "if (fresh.length > 0) await db.batch(fresh.map((list) => putList(this.#product, list)));",
      ALWAYS,
      "> becomes >=",
      ["> becomes >=", 1],
    ],
  ),
  ...because(
    "Both were read up to these sizes and no further",
    [
      "manager/update/check.ts",
      "requireSizes({ content, signature }, LIMITS.maxManifestBytes);",
      "the check is taken out",
    ],
  ),
  ...because(
    "A part that is wrong is emptied by finish(), so that the try after that one had not begun before it",
    ["manager/update/download.ts", "if (!wasBegun || tries >= TRIES) {", ">= becomes >"],
    ["manager/update/download.ts", "if (part.#size > content.size) part.restart();", NEVER],
  ),
  ...because(
    "Copies where the move failed for another reason, which then fails for the same one",
    ["manager/update/cache.ts", "if (!isOtherDevice(error)) throw error;", NEVER],
    [
      "manager/update/cache.ts",
      "return error instanceof Error && /\\(os error 18\\)/.test(error.message);",
      "&& becomes ||",
    ],
  ),
  ...because(
    "The signer issues no lists, and the question is what is revoked, not what is missing",
    ["manager/update/lists.ts", "if (certificate === undefined) continue;", NEVER],
    [
      "manager/update/lists.ts",
      "const result = await checkRevocation([certificate, issuer], { crls, required: false, now });",
      "false becomes true",
    ],
  ),
  ...because(
    "For what changes between two steps of one process",
    ["manager/update/updater.ts", "await requireStaged(folder, manifest);", "the check is taken out"],
  ),
  ...because(
    "Ends in the same error, one step later",
    ["manager/update/updater.ts", "if (to === undefined) {", NEVER],
    ["manager/update/updater.ts", "throw fromOsError(error, `make ${folder}`);", "the throw is taken out"],
  ),
  ...because(
    "Lays down the same once more, or keeps in mind a version that is none",
    ["manager/update/updater.ts", "if ((await stagedVersions(folder)).includes(manifest.version)) {", NEVER],
    [
      "manager/update/updater.ts",
      "await pruneVersions(folder, config.keep, from === null ? [to] : [from, to]);",
      NEVER,
    ],
  ),
  ...because(
    "Lays down the same once more",
    ["manager/update/updater.ts", 'if (!isPosternError(error, "tampered")) throw error;', NEVER],
  ),
];
