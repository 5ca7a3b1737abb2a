/** Survivors in the code of certificates and CMS. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const X509: readonly Survivor[] = [
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/x509/chain.ts", "if (unfit !== undefined) {", NEVER],
    ["shared/x509/chain.ts", "if (found.length > LIMITS.maxPathSteps) break;", NEVER],
    [
      "shared/x509/dn.ts",
      "if (text.length * 3 > LIMITS.maxDnBytes && utf8(text).length > LIMITS.maxDnBytes) {",
      "> becomes >=",
    ],
    [
      "shared/x509/dn.ts",
      "if (pairs.length > 1) pairs.sort((a, b) => compareBytes(utf8(a), utf8(b)));",
      ALWAYS,
      "> becomes >=",
    ],
    ["shared/x509/pem.ts", 'const boundary = trimmed.startsWith("-----") ? BOUNDARY.exec(trimmed) : null;', ALWAYS],
  ),
  ...because(
    "Two readers of the same form: what one of them lets through, the other refuses",
    ["shared/x509/name_constraints.ts", "return false;", "false becomes true", ["false becomes true", 1], [
      "false becomes true",
      2,
    ]],
    ["shared/x509/name_constraints.ts", "if (at < 0) return false;", "false becomes true", NEVER, "< becomes <="],
    [
      "shared/x509/name_constraints.ts",
      "if (baseAt >= 0) return name.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase();",
      ">= becomes >",
    ],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/x509/pem.ts", 'if (!isPosternError(error, "malformed")) throw error;', NEVER],
    ["shared/x509/verify.ts", 'if (isPosternError(error, "malformed")) return tampered(error.message, what);', ALWAYS, [
      ALWAYS,
      1,
    ]],
    ["shared/x509/verify.ts", "throw error;", "the throw is taken out"],
    [
      "shared/x509/verify.ts",
      "if (!(error instanceof Error) || error instanceof TypeError) throw error;",
      NEVER,
      "|| becomes &&",
    ],
  ),
  ...because(
    "A key that is public: whether the runtime would give it out again says nothing",
    [
      "shared/x509/verify.ts",
      'const imported = await crypto.subtle.importKey("raw", key.raw, algorithm, false, ["verify"]);',
      "false becomes true",
    ],
    [
      "shared/x509/verify.ts",
      'const imported = await crypto.subtle.importKey("jwk", jwk, { name, hash: scheme.hash }, false, ["verify"]);',
      "false becomes true",
    ],
  ),
  ...because(
    "PKCS#1 v1.5 has no salt, and its length is not looked at",
    [
      "shared/x509/verify.ts",
      'const parameters = scheme.kind === "rsa-pss" ? { name, saltLength: scheme.saltBytes } : name;',
      ALWAYS,
    ],
  ),
  ...because(
    "Deno's import takes every point of a curve; the rest is for runtimes that lack one",
    ["shared/x509/verify.ts", "if (!(error instanceof DOMException)) throw error;", NEVER, ALWAYS],
    ["shared/x509/verify.ts", 'return error.name === "NotSupportedError"', NEVER, ALWAYS],
  ),
  ...because(
    "Two attributes that are the same have the same type, and that is found a few lines below with the same error",
    [
      "shared/cms/signed_attributes.ts",
      'if (compareBytes(previous, attribute.whole) > 0) throw malformed(WHAT, "are a SET out of order");',
      "> becomes >=",
    ],
  ),
];
