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
  ...because(
    "Only takes the slow way where the engine's own parser would have done",
    [
      "shared/manifest/read_json.ts",
      "const value = bytes.length <= ENGINE_BYTES ? readByEngine(text) : undefined;",
      NEVER,
    ],
    [
      "shared/manifest/read_json.ts",
      "const value = bytes.length <= ENGINE_BYTES ? readByEngine(text) : undefined;",
      "<= becomes <",
    ],
    [
      "shared/manifest/read_json.ts",
      "return value === undefined ? new Reader(text, what, isPlain(bytes)).read() : { value, isCanonical: true };",
      ALWAYS,
    ],
    ["shared/manifest/read_json.ts", "if (!text.includes(REPLACEMENT)) return text;", NEVER],
    ["shared/manifest/read_json.ts", "if (text.includes(ESCAPED_SURROGATE)) return undefined;", ALWAYS],
    [
      "shared/manifest/read_json.ts",
      "return isSortedJson(value, 1) && JSON.stringify(value) === text ? value : undefined;",
      NEVER,
    ],
    ["shared/manifest/read_json.ts", "if (depth > LIMITS.maxJsonDepth || value === null) return false;", ALWAYS],
    [
      "shared/manifest/read_json.ts",
      "if (depth > LIMITS.maxJsonDepth || value === null) return false;",
      "> becomes >=",
    ],
    [
      "shared/manifest/read_json.ts",
      "if (depth > LIMITS.maxJsonDepth || value === null) return false;",
      "=== becomes !==",
    ],
    [
      "shared/manifest/read_json.ts",
      'if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;',
      ALWAYS,
    ],
    [
      "shared/manifest/read_json.ts",
      'if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0;',
      ">= becomes >",
    ],
    ["shared/manifest/read_json.ts", 'if (typeof value !== "object") return true;', NEVER],
    ["shared/manifest/read_json.ts", 'if (typeof value !== "object") return true;', "true becomes false"],
    [
      "shared/manifest/read_json.ts",
      "if (Array.isArray(value)) return value.every((item) => isSortedJson(item, depth + 1));",
      NEVER,
    ],
    [
      "shared/manifest/read_json.ts",
      "if (last !== null && last > name || !isSortedJson(member, depth + 1)) return false;",
      ALWAYS,
    ],
    [
      "shared/manifest/read_json.ts",
      "if (last !== null && last > name || !isSortedJson(member, depth + 1)) return false;",
      "&& becomes ||",
    ],
    [
      "shared/manifest/read_json.ts",
      "if (last !== null && last > name || !isSortedJson(member, depth + 1)) return false;",
      "> becomes >=",
    ],
  ),
];
