/** Mutants that no test can tell from the code, and why. The run says so when one of them dies or is no more. */
import { ALWAYS, because, NEVER, type Survivor } from "./survivors/because.ts";
import { CRYPTO } from "./survivors/crypto.ts";
import { FORMATS } from "./survivors/formats.ts";
import { INBOX } from "./survivors/inbox.ts";
import { MANIFEST } from "./survivors/manifest.ts";
import { UPDATE } from "./survivors/update.ts";
import { X509 } from "./survivors/x509.ts";

export const SURVIVORS: readonly Survivor[] = [
  ...X509,
  ...CRYPTO,
  ...FORMATS,
  ...MANIFEST,
  ...UPDATE,
  ...INBOX,
  ...because(
    "A whole proof has one leaf or hash more than it has inner nodes, so an odd number of nodes: 4,096 are tampered either way",
    ["shared/merkle/verify_proof.ts", "if (proof.length > LIMITS.maxProofNodes) {", "> becomes >="],
  ),
  ...because(
    "Two leaves with one key cannot both be on their side of the node where their paths part",
    [
      "shared/merkle/verify_proof.ts",
      "const rises = this.#lastKey === null || compareBytes(this.#lastKey, key) < 0;",
      "< becomes <=",
    ],
  ),
  ...because(
    "A path that goes on behind its end makes another hash, and so is refused at its end; this only spares the hashing",
    ["shared/merkle/history_proofs.ts", "if (last === 0) throw notIncluded(claim);", NEVER],
    ["shared/merkle/history_proofs.ts", "if (last === 0) throw notContinued(older, newer);", NEVER],
  ),
  ...because(
    "Without a first hash the path is too short, which is seen at its end by `last`",
    ["shared/merkle/history_proofs.ts", "if (first === undefined) throw notContinued(older, newer);", NEVER],
  ),
  ...because(
    "Keys that ascend differ from their predecessors in a bit once only, below one and the same node",
    [
      "shared/merkle/sorted_root.ts",
      "for (let last = open.at(-1); last !== undefined && last.bit > bit; last = open.at(-1)) {",
      "> becomes >=",
    ],
  ),
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["shared/protocol/judge_history.ts", 'if (!isPosternError(cause, "tampered")) throw cause;', NEVER],
    ["shared/protocol/contents.ts", "if (!isPosternError(error)) throw error;", NEVER],
    ["shared/client/verify_contents.ts", "if (!isPosternError(error)) throw error;", NEVER],
    ["shared/client/verify_table.ts", 'if (!isPosternError(cause, "malformed")) throw cause;', NEVER],
    [
      "shared/crypto/aead.ts",
      'if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;',
      NEVER,
    ],
    [
      "shared/crypto/aead.ts",
      'if (!(cause instanceof DOMException) || cause.name !== "OperationError") throw cause;',
      "|| becomes &&",
    ],
    ["shared/crypto/ecdh.ts", "if (!(cause instanceof DOMException)) throw cause;", NEVER],
    ["shared/crypto/hpke.ts", "if (!(cause instanceof HpkeError)) throw cause;", NEVER],
    [
      "shared/crypto/hpke.ts",
      'if (!(cause instanceof HpkeError) && !(cause instanceof PosternError && cause.code === "malformed")) throw cause;',
      NEVER,
    ],
    [
      "shared/crypto/hpke.ts",
      'if (!(cause instanceof HpkeError) && !(cause instanceof PosternError && cause.code === "malformed")) throw cause;',
      "&& becomes ||",
      1,
    ],
    [
      "shared/crypto/rsa_oaep.ts",
      "if (!(cause instanceof DOMException) && !(cause instanceof RangeError)) throw cause;",
      NEVER,
    ],
  ),
  ...because(
    "A number that comes again, or one that goes back, is refused by the proof, whose leaves have to rise",
    [
      "shared/client/verify_list.ts",
      'if ("from" in range) return number >= (before === undefined ? range.from : before + 1);',
      "+ becomes -",
    ],
  ),
  ...because(
    "Lists of one kind have names of one type; equalBytes() is as right for two texts, and the compiler asks for the difference",
    [
      "shared/protocol/contents.ts",
      'if (typeof a.name === "string" || typeof b.name === "string") return a.name === b.name;',
      NEVER,
    ],
    [
      "shared/protocol/contents.ts",
      'if (typeof a.name === "string" || typeof b.name === "string") return a.name === b.name;',
      "|| becomes &&",
    ],
  ),
  ...because(
    "A key that is public: whether the runtime would give it out again says nothing",
    [
      "shared/crypto/ecdh.ts",
      'return await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: curve }, true, []);',
      "true becomes false",
    ],
    [
      "shared/crypto/ml_kem.ts",
      'const key = await kemSubtle().importKey("raw-public", publicKey, NAME, true, ["encapsulateBits"]);',
      "true becomes false",
    ],
    [
      "shared/crypto/rsa_oaep.ts",
      'return await crypto.subtle.importKey("spki", spki, ALGORITHM, true, ["encrypt"]);',
      "true becomes false",
    ],
    [
      "shared/crypto/signature.ts",
      'crypto.subtle.importKey("spki", spki, ALGORITHMS[algorithm].key, true, ["verify"]),',
      "true becomes false",
    ],
  ),
  ...because(
    "Beyond the end there is nothing, which changes no bit and no byte",
    [
      "shared/crypto/equal.ts",
      "for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);",
      "< becomes <=",
    ],
    [
      "shared/crypto/hkdf.ts",
      "for (let at = 0, counter = 1; at < length; at += SHA256_BYTES, counter++) {",
      "< becomes <=",
    ],
  ),
  ...because(
    "No point of these curves, whose order is odd, has a y of 0: with y = p it is refused as lying beside the curve",
    [
      "shared/crypto/ec_point.ts",
      'if (x >= p || y >= p) throw malformed(curve, "a coordinate that is not below the prime");',
      ">= becomes >",
      1,
    ],
  ),
  ...because(
    "Deno's own import refuses the same points and lengths; the check is there for runtimes that do not",
    ["shared/crypto/ecdh.ts", "requirePoint(curve, point);", "the check is taken out", 1],
    ["shared/crypto/hpke.ts", "await requireHpkePublicKey(suite, publicKey);", "the check is taken out"],
    [
      "shared/crypto/hpke.ts",
      'if (privateKey.suite !== "x25519") requirePoint(SUITE_CURVES[privateKey.suite], encapsulated);',
      "the check is taken out",
    ],
    [
      "shared/crypto/hpke.ts",
      'if (privateKey.suite !== "x25519") requirePoint(SUITE_CURVES[privateKey.suite], encapsulated);',
      NEVER,
    ],
    ["shared/crypto/signature.ts", "if (signature.length !== signatureBytes(key)) return false;", NEVER],
    [
      "shared/crypto/rsa_oaep.ts",
      'if (ciphertext.length !== modulusBytes(privateKey)) throw new RangeError("not as long as the modulus");',
      NEVER,
    ],
  ),
  ...because(
    "Spares work and memory; what comes out is the same",
    [
      "shared/protocol/row.ts",
      'const [, table, token, number, extra, nonce, ciphertext, mac] = decodeAs(storedRow, bytes, "row", { views: true });',
      "true becomes false",
    ],
    [
      "shared/protocol/row.ts",
      "return length > paddedBuffer.length ? pad(plaintext) : pad(plaintext, paddedBuffer.subarray(0, length));",
      "> becomes >=",
    ],
    [
      "shared/protocol/row.ts",
      "return length > paddedBuffer.length ? pad(plaintext) : pad(plaintext, paddedBuffer.subarray(0, length));",
      ALWAYS,
    ],
    ["shared/protocol/row.ts", "if (head === undefined) {", ALWAYS],
    [
      "shared/protocol/shapes.ts",
      "const result = v.safeParse(schema, value, { abortEarly: true });",
      "true becomes false",
    ],
    [
      "shared/client/verifier.ts",
      "const statement = isSame ? before : await verifyStatement(signed, this.profile.owner);",
      NEVER,
    ],
    [
      "shared/client/verifier.ts",
      "if (this.#statement !== null && equalBytes(this.#statement.signed, signed)) return this.#statement;",
      NEVER,
    ],
  ),
  ...because(
    "A copy that is proven by its contents holds no cover rows, so none is ever removed from it",
    [
      "shared/client/copied_contents.ts",
      "if (place !== null) this.#tree.delete(contentLeaf(place.list, place.number, plaintext).key);",
      "the condition always holds",
    ],
  ),
  ...because(
    "How many rows are opened at once changes how long it takes, and nothing else",
    ["shared/client/copied_contents.ts", "if (batch.push(row) < BATCH) continue;", "the condition never holds"],
    ["shared/client/copied_contents.ts", "if (batch.push(row) < BATCH) continue;", "the condition always holds"],
    ["shared/client/copied_contents.ts", "if (batch.push(row) < BATCH) continue;", "< becomes <="],
  ),
  ...because(
    "Rows of devices are the manager's by their MACs, and as many and the same by the content root; it keeps what COPY-04 asks for later",
    [
      "shared/client/copy_carry.ts",
      "tables.devices.requireState(view.head.head.tables.devices);",
      "the check is taken out",
    ],
  ),
  ...because(
    "decodeChanges() knows no list of another table",
    [
      "shared/client/copy_lists.ts",
      'if (name === undefined || !isCopied(name)) throw new PosternError("tampered", "A change list names another list");',
      "the condition never holds",
    ],
    [
      "shared/client/copy_lists.ts",
      'if (name === undefined || !isCopied(name)) throw new PosternError("tampered", "A change list names another list");',
      "|| becomes &&",
    ],
  ),
  ...because(
    "openAsked() lets nothing else stand in that list",
    [
      "shared/client/copy_lists.ts",
      'if (content.kind === "changes") yield content.changes;',
      "the condition always holds",
    ],
  ),
  ...because(
    "Asks for nothing once more",
    ["shared/client/copy_lists.ts", "for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {", "< becomes <="],
  ),
  ...because(
    "Two attributes that are the same have the same type, and that is found a few lines below with the same error",
    [
      "shared/cms/signed_attributes.ts",
      'if (compareBytes(previous, attribute.whole) > 0) throw malformed(WHAT, "are a SET out of order");',
      "> becomes >=",
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
    ["shared/manifest/fields.ts", 'if (typeof value !== "object" || Array.isArray(value)) {', NEVER],
    ["shared/manifest/fields.ts", 'if (typeof value !== "object" || Array.isArray(value)) {', "|| becomes &&"],
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
    ],
    [
      "shared/manifest/manifest.ts",
      "const files = [...manifest.files].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);",
      "> becomes >=",
    ],
    [
      "shared/manifest/manifest.ts",
      "const files = [...manifest.files].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);",
      NEVER,
      1,
    ],
    [
      "shared/manifest/manifest.ts",
      "const files = [...manifest.files].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);",
      ALWAYS,
      1,
    ],
    ["shared/manifest/manifest.ts", "if (before !== undefined && before.path >= file.path) {", ">= becomes >"],
  ),
  ...because(
    "A quick way to what the rest comes to as well",
    ["shared/manifest/paths.ts", "if (PLAIN.test(path)) return path.toLowerCase();", NEVER],
    [
      "shared/manifest/paths.ts",
      "if (path.length <= LIMITS.maxReleaseSegmentBytes && PLAIN.test(path) && !NOT_AS_PLAIN.test(path)) return;",
      NEVER,
    ],
    [
      "shared/manifest/paths.ts",
      "if (path.length <= LIMITS.maxReleaseSegmentBytes && PLAIN.test(path) && !NOT_AS_PLAIN.test(path)) return;",
      "<= becomes <",
    ],
    ["shared/manifest/paths.ts", 'if (compatible !== path) requireSegments(compatible.split("/"));', ALWAYS],
  ),
  ...because(
    "Only takes the slow way where the quick one would have done",
    ["shared/manifest/read_json.ts", "if (bytes.includes(BACKSLASH)) return false;", ALWAYS],
    ["shared/manifest/read_json.ts", "const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();", NEVER],
    ["shared/manifest/read_json.ts", "for (let i = 0; i < words.length; i++) {", "< becomes <="],
    ["shared/manifest/read_json.ts", "const word = words[i] ?? 0;", "?? becomes &&"],
    ["shared/manifest/read_json.ts", "if (this.#isPlain || !NOT_PLAIN.test(plain)) return plain;", NEVER],
    ["shared/manifest/read_json.ts", "if (this.#isPlain || !NOT_PLAIN.test(plain)) return plain;", "|| becomes &&"],
    ["shared/manifest/read_json.ts", "if ((((word - SPACES) | 0) & ~word & HIGH_BITS) !== 0) return false;", ALWAYS],
    [
      "shared/manifest/read_json.ts",
      "return bytes.subarray(4 * words.length).every((byte) => byte >= 0x20);",
      ">= becomes >",
    ],
  ),
  ...because(
    "Where there is no backslash, or no quote, nothing is escaped",
    [
      "shared/manifest/read_json.ts",
      "while (!this.#isPlain && end !== -1 && this.#isEscaped(end, start)) end = this.#text.indexOf('\"', end + 1);",
      "&& becomes ||",
      1,
    ],
  ),
  ...because(
    "What is left is no text and no whole number, which the next line refuses with the same error",
    [
      "shared/manifest/read_json.ts",
      'throw this.#malformed("a string as JSON has it", cause);',
      "the throw is taken out",
    ],
    [
      "shared/manifest/read_json.ts",
      'if (digits === undefined) throw this.#malformed("a string, an object, an array, true, false or a whole number");',
      NEVER,
    ],
  ),
  ...because(
    "Two names that are equal are refused two lines above",
    ["shared/manifest/read_json.ts", "if (last !== null && last > name) this.#isCanonical = false;", "> becomes >="],
  ),
  ...because(
    "A string without an end is followed by nothing that may follow one",
    ["shared/manifest/read_json.ts", 'if (end === -1) throw this.#malformed("the end of a string");', NEVER],
  ),
  ...because(
    "A string begins with a quote, not with a backslash; and of an even number it is the same which end is counted from",
    ["shared/manifest/read_json.ts", 'while (at > start && this.#text[at] === "\\\\") at--;', "> becomes >="],
    ["shared/manifest/read_json.ts", "return (quote - 1 - at) % 2 === 1;", "- becomes +"],
    ["shared/manifest/read_json.ts", "return (quote - 1 - at) % 2 === 1;", "- becomes +", 1],
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
