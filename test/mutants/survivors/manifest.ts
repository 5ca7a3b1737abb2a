/** Survivors in the code of releases and covers. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const MANIFEST: readonly Survivor[] = [
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/manifest/paths.ts", "if (PLAIN.test(path)) return path.toLowerCase();", NEVER],
    [
      "shared/manifest/paths.ts",
      "if (path.length <= LIMITS.maxReleaseSegmentBytes && PLAIN.test(path) && !NOT_AS_PLAIN.test(path)) return;",
      NEVER,
      "<= becomes <",
    ],
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
      ["|| becomes &&", 2],
      ["|| becomes &&", 3],
    ],
  ),
  ...because(
    "Two keys of one id are sorted by their versions, and do not come here",
    [
      "shared/manifest/registration_answer.ts",
      "if (a.keyId !== b.keyId) return a.keyId < b.keyId ? -1 : 1;",
      "< becomes <=",
    ],
  ),
  ...because(
    "No place and no percentage meet: 2^32 places, of which one in 25 million lies on the edge of a whole percent",
    ["shared/manifest/choose_release.ts", "return 100 * place < percent * TWO_POW_32;", "< becomes <="],
  ),
  ...because(
    "Two certificates vouch for one number only if the index is the same, and two equal versions are the same text",
    [
      "shared/manifest/index_memory.ts",
      "for (const one of memory) if (one.number > (newest?.number ?? 0)) newest = one;",
      "> becomes >=",
    ],
    ["shared/manifest/index_memory.ts", "return compareVersions(a, b) >= 0 ? a : b;", ">= becomes >"],
  ),
  ...because(
    "What is not there has no type that is asked for, and what is no object has no members: the same error, one line later",
    ["shared/manifest/envelope.ts", 'if (table === null) throw fields.wrong("recipients");', NEVER],
    ["shared/manifest/fields.ts", 'if (typeof value !== "object" || Array.isArray(value)) {', NEVER, "|| becomes &&"],
    ["shared/manifest/fields.ts", "if (value === undefined) throw this.wrong(`a member ${name}`);", NEVER],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/manifest/open_envelope.ts", 'if (!isPosternError(cause, "tampered")) throw cause;', NEVER],
  ),
  ...because(
    "Schemas 2 and 3 were judged before, by facts that are the same as those inside",
    ["shared/manifest/open_manifest.ts", "if (envelope.schema === 1) judgeRelease(manifest, policy, now);", ALWAYS],
  ),
  ...because(
    "No two paths of a release are equal, which is found out a step later with the same error",
    [
      "shared/manifest/manifest.ts",
      "const files = [...manifest.files].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);",
      "< becomes <=",
      "> becomes >=",
      [NEVER, 1],
      [ALWAYS, 1],
    ],
    ["shared/manifest/manifest.ts", "if (before !== undefined && before.path >= file.path) {", ">= becomes >"],
  ),
  ...because(
    "Of two that stand beside each other, each is compared with the other, whichever way one looks",
    ["shared/manifest/recipient_table.ts", "const before = sorted[index - 1];", "- becomes +"],
  ),
  ...because(
    "One byte is not two characters; an entry of another length has its punctuation elsewhere; before the first entry is nothing",
    [
      "shared/manifest/recipient_table.ts",
      "if (first === -1 || last < first) return { rest: envelope, table: null };",
      "< becomes <=",
    ],
    [
      "shared/manifest/recipient_table.ts",
      'if (!Number.isInteger(this.count)) throw malformed("entries of one length");',
      NEVER,
    ],
    [
      "shared/manifest/recipient_table.ts",
      'if (entry > 0 && !ascends(text, at + idAt - stride, at + idAt)) throw malformed("ids that ascend, each once");',
      "> becomes >=",
    ],
  ),
  ...because(
    "What is equal was returned before; behind an id stands the same quote in both",
    ["shared/manifest/recipient_table.ts", "if (order < 0) low = middle + 1;", "< becomes <="],
    ["shared/manifest/recipient_table.ts", "for (let i = 0; i < ID_CHARS; i++) {", "< becomes <="],
    ["shared/manifest/recipient_table.ts", "if (difference !== 0) return difference > 0;", "> becomes >="],
  ),
];
