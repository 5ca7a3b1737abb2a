/** A report as a Markdown document, and in short for a terminal. Pure. */
import { type BenchReport, figure, type Table, type Target, verdict } from "./report.ts";

/** Where and how a report came to be. */
export interface Circumstances {
  readonly bench: string;
  readonly summary: string;
  /** ISO 8601. */
  readonly date: string;
  /** The exact command that prints this again. */
  readonly command: string;
  /** Name and value of each fact about the machine. */
  readonly machine: readonly (readonly [string, string])[];
}

/** The whole result file of a bench. */
export function toMarkdown(report: BenchReport, about: Circumstances): string {
  return [
    `# Bench: ${about.bench}`,
    about.summary,
    `Measured ${about.date} by`,
    `    ${about.command}`,
    about.machine.map(([name, value]) => `- ${name}: ${value}`).join("\n"),
    ...(report.notes.length === 0 ? [] : [report.notes.map((note) => `> **${note}**`).join("\n>\n")]),
    "## Targets",
    toTable(targetTable(report.targets)),
    ...report.tables.flatMap((table) => [`## ${table.title}`, toTable(table)]),
    ...report.profiles.flatMap(({ title, text }) => [`## Profile: ${title}`, `\`\`\`\n${text.trimEnd()}\n\`\`\``]),
  ].join("\n\n") + "\n";
}

/** For the terminal: the tables without what a file needs. */
export function toText(report: BenchReport): string {
  return [
    ...report.notes.map((note) => `! ${note}`),
    ...[...report.tables, targetTable(report.targets)].map((table) => `${table.title}\n${toTable(table)}`),
    ...report.profiles.map(({ title, text }) => `Profile: ${title}\n${text.trimEnd()}`),
  ].join("\n\n");
}

function targetTable(targets: readonly Target[]): Table {
  return {
    title: "Targets",
    columns: ["target", "wanted", "found", ""],
    rows: targets.map((target) => [
      target.what,
      `${target.bound} ${figure(target.wanted)} ${target.unit}`,
      target.found === null ? target.unmeasured ?? "–" : `${figure(target.found)} ${target.unit}`,
      verdict(target),
    ]),
  };
}

/** A Markdown table whose columns line up; the first column is text, the others are to the right. */
function toTable({ columns, rows }: Table): string {
  const cells = [columns, ...rows.map((row) => row.map((cell) => figure(cell).replaceAll("|", "\\|")))];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${
      widths.map((width, i) => i === 0 ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width)).join(" | ")
    } |`;
  const rule = `| ${widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), rule, ...body.map(line)].join("\n");
}
