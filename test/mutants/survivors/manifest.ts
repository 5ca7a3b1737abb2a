/** Survivors in the code of releases and covers. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const MANIFEST: readonly Survivor[] = [
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/manifest/paths.ts", "if (folder === before) break;", NEVER],
    ["shared/manifest/paths.ts", "return slash === -1 ? undefined : path.slice(0, slash);", ALWAYS],
    ["shared/manifest/read_json.ts", "if (code > 0x20) return;", NEVER],
  ),
  ...because(
    "Beyond both ends there is nothing, and digits that are equal were passed over",
    ["shared/manifest/wrap.ts", "let at = publicKey.length === X25519_BYTES ? X25519_BYTES - 1 : -1;", "- becomes +"],
    ["shared/manifest/wrap.ts", "isBelow = digit < most;", "< becomes <="],
  ),
  ...because(
    "An odd number is no power of two, and the least count is none that is reached by 1",
    ["shared/cover/header.ts", "while (count < 2 * revoked - 1) count *= 2;", "< becomes <="],
  ),
  ...because(
    "Spares copies; what comes out is the same",
    [
      "shared/cover/header.ts",
      "const value = decodeCbor(bytes, { maxBytes: MAX_HEADER_BYTES, maxItems: 1 + FIELDS, views: true });",
      "true becomes false",
    ],
  ),
  ...because(
    "What is equal was returned a line before",
    ["shared/cover/header.ts", "if (order < 0) low = middle + 1;", "< becomes <="],
  ),
  ...because(
    "Of no leaves, the lowest and the highest are the node that is none, and the rest comes to the same subset",
    ["shared/cover/subsets.ts", "if (leaves.length === 0) return [{ within: ROOT, without: NO_NODE }];", NEVER],
  ),
  ...because(
    "Who signs right below the pinned root has the purpose of signing releases, and so is an authority with limits; who is none does not stand in a path",
    [
      "shared/manifest/follow_root.ts",
      "path.length < 3 || vouched === undefined || !vouched.isCa || vouched.subject !== offered.subject ||",
      "|| becomes &&",
      2,
    ],
    [
      "shared/manifest/follow_root.ts",
      "path.length < 3 || vouched === undefined || !vouched.isCa || vouched.subject !== offered.subject ||",
      "|| becomes &&",
      3,
    ],
  ),
];
