/** How the doctor's findings are shown. Pure. */
import type { Finding, Level } from "../../doctor/finding.ts";
import { EXIT } from "../exit_codes.ts";
import type { Output } from "../output.ts";
import { count, plain } from "../../text/layout.ts";

const MARKS: Readonly<Record<Level, string>> = {
  good: "ok     ",
  note: "note   ",
  warning: "warning",
  fault: "FAULT  ",
};

/** Exits with {@link EXIT.findings} when there is a fault or a warning. */
export function presentFindings(findings: readonly Finding[], folder: string): Output {
  const wrong = findings.filter(({ level }) => level === "fault" || level === "warning");
  const lines = findings.map(({ check, level, found, remedy }) =>
    `${MARKS[level]}  ${check}: ${plain(found)}${remedy === null ? "" : `\n         -> ${plain(remedy)}`}`
  );
  const end = wrong.length === 0 ? "Nothing is wrong" : `${count(wrong.length, "thing")} to mend`;
  return {
    json: {
      ok: wrong.length === 0,
      folder,
      findings: findings.map(({ check, level, found, remedy }) => ({ check, level, found, remedy })),
    },
    text: [...lines, "", end].join("\n"),
    exit: wrong.length === 0 ? EXIT.ok : EXIT.findings,
  };
}
