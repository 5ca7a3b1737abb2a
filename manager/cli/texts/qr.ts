/** Texts as QR codes in a terminal, for a camera. */
import { correction, generate } from "lean-qr";
import type { CliSurroundings } from "../surroundings.ts";

/** Light modules around the code, without which many readers do not find it (ISO/IEC 18004, 6.3.8). */
const QUIET_ZONE = 4;
/** Two modules above each other in one character: both light, the lower dark, the upper dark, both dark. */
const HALVES = [" ", "▄", "▀", "█"];
/** Black on white, whatever the terminal's own colours are. */
const INK = "\x1b[30;107m";
const PLAIN = "\x1b[0m";

/**
 * A text as a QR code: lines of block characters, each two rows of modules. Without a terminal, what is dark is drawn, as in ink on
 * paper. In a terminal that is too narrow, a word about that: a code whose lines are broken is none.
 */
export function drawQr(text: string, { isTerminal, columns }: Pick<CliSurroundings, "isTerminal" | "columns">): string {
  const code = generate(text, { minCorrectionLevel: correction.L });
  const size = code.size + 2 * QUIET_ZONE;
  const width = columns();
  if (width !== null && width < size) {
    return `(The QR code is ${size} characters wide, and this terminal ${width}: carry the text, or widen the terminal.)`;
  }
  const isDark = (x: number, y: number) => code.get(x - QUIET_ZONE, y - QUIET_ZONE);
  const lines: string[] = [];
  for (let y = 0; y < size; y += 2) {
    let line = "";
    for (let x = 0; x < size; x++) line += HALVES[(isDark(x, y) ? 2 : 0) + (isDark(x, y + 1) ? 1 : 0)];
    lines.push(isTerminal.out ? `${INK}${line}${PLAIN}` : line);
  }
  return lines.join("\n");
}
