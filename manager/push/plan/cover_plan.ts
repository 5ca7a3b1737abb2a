/** How many cover rows a delta takes: pure, so that what an edge can count is tested in one place (spec: PUSH-16, PUSH-17, PUSH-19). */
import type { ChangeCounts } from "./changes.ts";

/** A table before a delta. */
export interface CoverSituation {
  /** What the delta does of itself, cover rows that are under way included. */
  readonly changes: ChangeCounts;
  /** Cover rows that are there. */
  readonly stock: number;
  /** How many there shall be. */
  readonly target: number;
  /** Rows of the lowest step. */
  readonly least: number;
  /** Whether rows of this table are ever replaced. */
  readonly replaces: boolean;
}

const POWERS_UP_TO = 64;
const LEAST_STOCK = 32;
const MOST_STOCK = 512;
/** One cover row for so many others. */
const SHARE = 4;

/** The lowest step that holds a number of rows. */
// spec: PUSH-16
export function stepOf(rows: number, least: number): number {
  if (rows <= least) return least;
  const power = 2 ** Math.ceil(Math.log2(rows));
  if (power <= POWERS_UP_TO) return power;
  const unit = power / 8;
  return Math.ceil(rows / unit) * unit;
}

/** How many cover rows a table of so many others shall have. */
// spec: PUSH-17
export function stockOf(rows: number, least: number): number {
  return Math.min(Math.max(Math.ceil(rows / SHARE), LEAST_STOCK * least), MOST_STOCK * least);
}

/**
 * How many cover rows a table of so many others has when a new epoch begins: the stock, and what raises their sum to a whole number of
 * units, so that it tells the rows only to within half of the stock.
 */
// spec: PUSH-19
export function fullStockOf(rows: number, least: number): number {
  const stock = stockOf(rows, least);
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(stock / 2)));
  return Math.ceil((rows + stock) / unit) * unit - rows;
}

/**
 * How many rows there shall be among which so many real ones hide, at every push anew. Powers of two first, which bounds the cost by a
 * factor of two: Demertzis et al., "SEAL: Attack Mitigation for Encrypted Databases via Adjustable Leakage", USENIX Security 2020,
 * section 4.2. That the number does not follow at once when rows go hides those that come and go about a step.
 *
 * @param before how many there were at the push before; 0 if there was none
 */
// spec: PUSH-19
export function paddedCount(rows: number, before: number, least: number): number {
  const step = stepOf(rows, least);
  return rows <= before && before <= 2 * step ? before : step;
}

/** Cover rows to add, to replace and to remove. */
export function planCover({ changes, stock, target, least, replaces }: CoverSituation): ChangeCounts {
  let come = stepOf(changes.fresh, least);
  let go = stepOf(changes.gone, least);
  const left = () => stock + (come - changes.fresh) - (go - changes.gone);
  if (left() < target / 2) come = stepOf(come + 1, least);
  else if (left() > 2 * target) go = stepOf(go + 1, least);
  const gone = Math.min(go - changes.gone, stock);
  const replaced = replaces ? Math.min(stepOf(changes.replaced, least) - changes.replaced, stock - gone) : 0;
  return { fresh: come - changes.fresh, replaced, gone };
}
