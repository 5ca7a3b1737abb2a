/** Reads a drawn QR code as a camera would. */
import jsqr from "jsqr";
import { assert } from "../../assert.ts";

/** Pixels to a module, each way. */
const SCALE = 4;

/** @param drawn lines of block characters, without colours */
export function readQr(drawn: string): string {
  const rows = drawn.split("\n").flatMap((line) => [
    [...line].map((half) => half === "▀" || half === "█"),
    [...line].map((half) => half === "▄" || half === "█"),
  ]);
  const [width, height] = [(rows[0]?.length ?? 0) * SCALE, rows.length * SCALE];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isDark = rows[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)] ?? false;
      pixels.set(isDark ? [0, 0, 0, 255] : [255, 255, 255, 255], 4 * (y * width + x));
    }
  }
  const read = jsqr.default(pixels, width, height);
  assert(read !== null, "no QR code is found in what was drawn");
  return read.data;
}
