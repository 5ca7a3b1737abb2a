/** Survivors in the code of updates. */
import { because, NEVER, type Survivor } from "./because.ts";

export const UPDATE: readonly Survivor[] = [
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["manager/update/install_folder.ts", "if (!(error instanceof Deno.errors.NotFound)) throw error;", NEVER],
    ["manager/update/updater.ts", "if (!isPosternError(error)) throw error;", NEVER],
  ),
  ...because(
    "Copies where the move failed for another reason, which then fails for the same one",
    ["manager/update/cache.ts", "if (!isOtherDevice(error)) throw error;", NEVER],
  ),
  ...because(
    "The question is what is revoked, not what is missing",
    [
      "manager/update/lists.ts",
      "const result = await checkRevocation(path.slice(place, place + 2), { crls, required: false, now });",
      "false becomes true",
    ],
  ),
];
