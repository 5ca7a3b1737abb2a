/** The doctor's judgement of what the KEK rests on. Pure. */
import { shellQuote } from "../files/permissions.ts";
import type { KekFacts, LibraryFacts, PathOwner } from "./examine_kek.ts";
import { bad, type Finding, good } from "./finding.ts";

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const ROOT = 0;

/** @param uid the user that the manager runs as; null where the system has no such numbers */
export function judgeKek(facts: KekFacts | null, uid: number | null): Finding[] {
  if (facts === null) return [];
  const { kind, loaded, library } = facts;
  const findings = [
    loaded.ok ? good("KEK", `the package for ${kind} can be loaded`) : bad(
      "fault",
      "KEK",
      `it is in ${kind}. ${loaded.error.message}`,
      "do what it says: until then, nothing opens that this KEK wraps",
    ),
  ];
  if (library === null) return findings;
  if (!library.ok) {
    return [...findings, bad("fault", "library", library.error.message, "install the library of the token's maker")];
  }
  return [...findings, ...judgeLibrary(library.value, uid)];
}

function judgeLibrary({ named, isFile, isInDataFolder, owners }: LibraryFacts, uid: number | null): Finding[] {
  if (!isFile) return [bad("fault", "library", `${named} is not a file`, "name the library of the token's maker")];
  const findings: Finding[] = [];
  if (isInDataFolder) {
    const found = `${named} lies in the data folder, among what is backed up and restored, and is run`;
    findings.push(
      bad("warning", "library", found, "install it where only root writes, and name it there: postern kek change"),
    );
  }
  for (const one of owners) findings.push(...judgeOwner(one, named, uid));
  return findings.length > 0 ? findings : [good("library", `${named}, which nobody else can change`)];
}

/** A folder with the sticky bit, such as /tmp, lets others make files and leave those of others alone. */
function judgeOwner({ path, mode, uid: owner }: PathOwner, named: string, uid: number | null): Finding[] {
  if (uid === null) return [];
  const what = `whoever can change ${path} runs in the manager, as ${named}`;
  if (mode !== null && (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    return [bad("fault", "library", `others may write to it: ${what}`, `chmod go-w ${shellQuote(path)}`)];
  }
  if (owner !== null && owner !== ROOT && owner !== uid) {
    return [bad("fault", "library", `it is user ${owner}'s: ${what}`, `chown root ${shellQuote(path)}`)];
  }
  return [];
}
