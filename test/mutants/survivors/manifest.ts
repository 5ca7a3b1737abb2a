/** Survivors in the code of releases and covers. */
import { because, NEVER, type Survivor } from "./because.ts";

export const MANIFEST: readonly Survivor[] = [
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/manifest/paths.ts", "if (PLAIN.test(path)) return path.toLowerCase();", NEVER],
    ["shared/manifest/read_json.ts", "if (!text.includes(REPLACEMENT)) return text;", NEVER],
    ["shared/manifest/paths.ts", "if (isPlain(path)) return;", NEVER],
    ["shared/manifest/paths.ts", "if (folder === last) continue;", NEVER],
    ["shared/manifest/paths.ts", "if (isPlain(path)) return path.toLowerCase();", NEVER],
    [
      "shared/manifest/paths.ts",
      "return path.length <= LIMITS.maxReleaseSegmentBytes && PLAIN.test(path);",
      "<= becomes <",
    ],
  ),
  ...because(
    "Behind the end of a text nothing opens and nothing separates",
    ["shared/manifest/read_json.ts", "for (let at = 0; at < text.length; at++) {", "< becomes <="],
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
    "No place and no percentage meet: 2^32 places, of which one in 25 million lies on the edge of a whole percent",
    ["shared/manifest/choose_release.ts", "return 100 * place < percent * TWO_POW_32;", "< becomes <="],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/manifest/open_envelope.ts", 'if (!isPosternError(cause, "tampered")) throw cause;', NEVER],
  ),
  ...because(
    "Of two that stand beside each other, each is compared with the other, whichever way one looks",
    ["shared/manifest/recipient_table.ts", "const before = sorted[index - 1];", "- becomes +"],
    ["shared/manifest/paths.ts", "if (names.some((name, at) => name === names[at - 1])) {", "- becomes +"],
  ),
  ...because(
    "One byte is not two characters",
    [
      "shared/manifest/recipient_table.ts",
      "if (first === -1 || last < first) return { rest: envelope, table: null };",
      "< becomes <=",
    ],
  ),
  ...because(
    "What is equal was returned before",
    ["shared/manifest/recipient_table.ts", "if (order < 0) low = middle + 1;", "< becomes <="],
    ["shared/manifest/recipient_table.ts", "if (difference !== 0) return difference > 0;", "> becomes >="],
  ),
];
