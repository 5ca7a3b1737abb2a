/** Survivors in the code of the inbox. */
import { ALWAYS, because, NEVER, type Survivor } from "./because.ts";

export const INBOX: readonly Survivor[] = [
  ...because(
    "Passes on what is no refusal but a bug, of which there is none to test with",
    ["manager/inbox/open.ts", "if (reason === null) throw error;", NEVER],
    ["manager/inbox/open.ts", "if (refusalOf(error) === null) throw error;", NEVER],
    [
      "manager/inbox/read.ts",
      'if (isPosternError(error, "malformed") || isPosternError(error, "tampered") || isPosternError(error, "too_large")) {',
      ALWAYS,
    ],
    ["manager/inbox/read.ts", "throw error;", "the throw is taken out"],
  ),
  ...because(
    "The verdict of a certificate that could not be read is never that it is usable",
    [
      "manager/inbox/process.ts",
      'if (certificate === undefined) return refused("certificate", verdict.status === "usable" ? "" : verdict.message);',
      [NEVER, 1],
    ],
  ),
  ...because(
    "requireShape() let through what has a key, or the bytes themselves",
    [
      "manager/inbox/open.ts",
      'if (partKey === null) throw new PosternError("malformed", "The message is neither inline nor in parts");',
      NEVER,
    ],
  ),
  ...because(
    "Of a message, openSubmission() gives the bytes as well",
    ["manager/inbox/process.ts", "return raw === null", NEVER],
  ),
  ...because(
    "A stream that is as far already is taken over as it is",
    [
      "manager/inbox/earlier_life.ts",
      "if (known === null || known.number < ack.number) statements.push(takeOverStream(ack, now));",
      "< becomes <=",
    ],
  ),
  ...because(
    "A number in a text for people",
    [
      "manager/inbox/take.ts",
      "`The device '${from.name}' saw a head of generation ${generation} that this manager never signed: a copy of it runs ` +",
      "+ becomes -",
    ],
  ),
];
