/** A progress bar on standard error: only for people, and only for what takes longer than a second. */
import { duration } from "../text/moments.ts";

export interface Progress {
  /** How much is done; a total of 0 means that it is not known. */
  update(done: number, total: number): void;
  /** Clears the line. */
  end(): void;
}

interface ProgressOptions {
  readonly label: string;
  readonly isShown: boolean;
  readonly write: (text: string) => void;
  /** Millis; monotonic will do. */
  readonly now: () => number;
}

const BAR_COLUMNS = 24;
const QUIET_MILLIS = 1_000;
const REDRAW_MILLIS = 100;

/** Starts a bar, which appears once a second has passed. */
export function startProgress({ label, isShown, write, now }: ProgressOptions): Progress {
  const started = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const at = now();
      if (!isShown || at - started < QUIET_MILLIS || at - drawnAt < REDRAW_MILLIS) return;
      drawnAt = at;
      write(`\r\x1b[2K${progressLine(label, done, total, at - started)}`);
    },
    end() {
      if (drawnAt > Number.NEGATIVE_INFINITY) write("\r\x1b[2K");
    },
  };
}

/** One line: label, bar, share, numbers, and how long it will take. Pure. */
export function progressLine(label: string, done: number, total: number, elapsedMillis: number): string {
  if (total <= 0) return `${label}  ${done}`;
  const share = Math.min(1, Math.max(0, done / total));
  const full = Math.round(share * BAR_COLUMNS);
  const bar = "█".repeat(full) + "░".repeat(BAR_COLUMNS - full);
  const left = share > 0 && share < 1 ? `  ${duration(elapsedMillis / share - elapsedMillis)} left` : "";
  return `${label}  ${bar}  ${Math.floor(share * 100)}%  ${done}/${total}${left}`;
}
