import { PosternError } from "../../shared/errors.ts";
import { PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE } from "./durable.ts";
import { fromOsError } from "./os_error.ts";

/** A file or folder that nobody but its owner may read. */
export interface PrivatePath {
  readonly path: string;
  readonly kind: "file" | "folder";
  /** False for what may be absent without anything being wrong. True by default. */
  readonly required?: boolean;
}

/** Something that `postern doctor` reports, with the command that mends it. */
export interface PermissionFinding {
  readonly path: string;
  readonly problem: "missing" | "kind" | "mode" | "owner" | "unreadable";
  readonly found: string;
  readonly expected: string;
  readonly remedy: string;
}

/** What of a file's state counts here; a subset of `Deno.FileInfo`. */
export type PathState = Pick<Deno.FileInfo, "isFile" | "isDirectory" | "mode" | "uid">;

/**
 * Judges one path. A stricter mode than 0600 or 0700 is well; so is root as the owner of what a service may only read. Access
 * control lists are not seen by this; their mask is, as the group bits of the mode.
 *
 * @param state null when there is nothing at the path
 * @param uid the user that the manager runs as; null where the system has no such numbers, and then modes mean nothing either
 */
export function judgePermissions(
  target: PrivatePath,
  state: PathState | null,
  uid: number | null,
): PermissionFinding[] {
  const { path, kind } = target;
  const mode = kind === "file" ? PRIVATE_FILE_MODE : PRIVATE_FOLDER_MODE;
  if (state === null) {
    if (target.required === false) return [];
    const remedy = "run `postern init`, or restore it from a backup";
    return [{ path, problem: "missing", found: "nothing", expected: `a ${kind}`, remedy }];
  }
  if (kind === "file" ? !state.isFile : !state.isDirectory) {
    const found = state.isDirectory ? "a folder" : state.isFile ? "a file" : "neither a file nor a folder";
    return [{ path, problem: "kind", found, expected: `a ${kind}`, remedy: "move it away" }];
  }
  if (uid === null) return [];
  const findings: PermissionFinding[] = [];
  if (state.mode !== null && (state.mode & 0o777 & ~mode) !== 0) {
    const remedy = `chmod ${octal(mode)} ${shellQuote(path)}`;
    findings.push({ path, problem: "mode", found: octal(state.mode & 0o777), expected: octal(mode), remedy });
  }
  if (state.uid !== null && state.uid !== uid && state.uid !== 0) {
    const remedy = `chown ${uid} ${shellQuote(path)}`;
    findings.push({ path, problem: "owner", found: `user ${state.uid}`, expected: `user ${uid}`, remedy });
  }
  return findings;
}

/** Looks at each path on the disk and judges it; a folder that may not be entered is a finding, not an error. */
export async function checkPermissions(
  targets: readonly PrivatePath[],
  uid: number | null,
): Promise<PermissionFinding[]> {
  const findings: PermissionFinding[] = [];
  for (const target of targets) {
    try {
      findings.push(...judgePermissions(target, await Deno.stat(target.path), uid));
    } catch (error) {
      const typed = fromOsError(error, `look at ${target.path}`);
      if (typed.code === "not_found") findings.push(...judgePermissions(target, null, uid));
      else {
        const { path, kind } = target;
        findings.push({
          path,
          problem: "unreadable",
          found: typed.message,
          expected: `a ${kind}`,
          remedy: "run as the right user",
        });
      }
    }
  }
  return findings;
}

/**
 * Refuses a file that others could read, for use as `inspect` of `readBounded`.
 *
 * @throws `configuration`, with the command that mends it
 */
export function requirePrivateFile(path: string, uid: number | null): (state: PathState) => void {
  return (state) => {
    const [finding] = judgePermissions({ path, kind: "file" }, state, uid);
    if (finding === undefined) return;
    throw new PosternError(
      "configuration",
      `refusing ${path}: its ${finding.problem} is ${finding.found}, and ${finding.expected} is needed; run: ${finding.remedy}`,
    );
  };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** So that the remedy can be pasted as it is. */
export function shellQuote(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
