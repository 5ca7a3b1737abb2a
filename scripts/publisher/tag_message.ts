/**
 * What the message of an annotated tag says of a release. Its last paragraph may be trailers, as git knows them
 * (git-interpret-trailers(1)); everything before them is the notes.
 *
 *     Postern 1.2.0
 *
 *     Pushes are faster.
 *
 *     Critical: yes
 *     Min-Version: 1.1.0
 *
 * Pure. What looks like a trailer and is none is refused: a release that is not critical for a typing error is worse than one that waits.
 */
import { PosternError } from "../../shared/errors.ts";
import { requireVersion } from "../../shared/manifest/version.ts";

/** What a tag says. */
export interface TagFacts {
  readonly isCritical: boolean;
  readonly floor?: string;
  /** Without trailers; absent if there is nothing else. */
  readonly notes?: string;
}

const TRAILER = /^([A-Za-z][A-Za-z-]*):[ \t]*(.*?)[ \t]*$/;
/** `Signed-off-by` and the like say nothing of the release. */
const ABOUT_PEOPLE = /-by$/;
const KNOWN = ["critical", "min-version"];

/** @param message without a signature @throws `usage`, `malformed` for a floor that is no version */
export function readTagMessage(message: string): TagFacts {
  const lines = message.replaceAll("\r\n", "\n").trim().split("\n");
  const start = startOfTrailers(lines);
  const notes = lines.slice(0, start);
  const misplaced = notes.find((line) => KNOWN.includes(nameOf(line)));
  if (misplaced !== undefined) {
    throw new PosternError(
      "usage",
      `"${misplaced}" must stand in the last paragraph of the tag's message, with no text`,
    );
  }
  const said = readTrailers(lines.slice(start));
  const [critical, floor] = [said.get("critical"), said.get("min-version")];
  if (critical !== undefined && critical !== "yes" && critical !== "no") {
    throw new PosternError("usage", `the tag says "Critical: ${critical}", which must be yes or no`);
  }
  if (floor !== undefined) requireVersion(floor, "Min-Version of the tag");
  const text = notes.join("\n").trim();
  return {
    isCritical: critical === "yes",
    ...(floor === undefined ? {} : { floor }),
    ...(text === "" ? {} : { notes: `${text}\n` }),
  };
}

/** Where the last paragraph begins, if it is neither the first one nor has other lines; else the end. */
function startOfTrailers(lines: readonly string[]): number {
  const start = lines.lastIndexOf("") + 1;
  return start > 0 && lines.slice(start).every((line) => TRAILER.test(line)) ? start : lines.length;
}

function readTrailers(lines: readonly string[]): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const line of lines) {
    const name = nameOf(line);
    if (ABOUT_PEOPLE.test(name)) continue;
    if (!KNOWN.includes(name)) {
      const advice = "trailers are Critical and Min-Version; let notes not end in a paragraph that looks like them";
      throw new PosternError("usage", `the tag says "${line}", which means nothing: ${advice}`);
    }
    if (said.has(name)) throw new PosternError("usage", `the tag says "${line}", and that twice`);
    said.set(name, TRAILER.exec(line)?.[2] ?? "");
  }
  return said;
}

function nameOf(line: string): string {
  return TRAILER.exec(line)?.[1]?.toLowerCase() ?? "";
}
