/**
 * What the exit code of `postern` says, so that scripts and systemd can tell causes apart without reading messages. The numbers
 * above 63 are those of sysexits(3).
 */
import type { ErrorCode } from "../../shared/errors.ts";

/** Exit codes that are no error's. */
export const EXIT = {
  ok: 0,
  /** A check went through to its end and found something wrong (`doctor`, `verify`). */
  findings: 3,
  /** The service ends to be started anew: it was updated. */
  restart: 75,
  /** An error that Postern did not foresee: a bug. */
  bug: 70,
  /** Ended by Ctrl-C before its end. */
  interrupted: 130,
} as const;

const USAGE = 2;
const BAD_DATA = 65;
const NO_INPUT = 66;
const UNAVAILABLE = 69;
const CLOCK = 72;
const CANNOT_CREATE = 73;
const STORAGE = 74;
const TRY_AGAIN = 75;
const FOUL_PLAY = 76;
const NO_PERMISSION = 77;
const CONFIGURATION = 78;

const BY_CODE: Readonly<Record<ErrorCode, number>> = {
  usage: USAGE,
  malformed: BAD_DATA,
  too_large: BAD_DATA,
  unsupported: BAD_DATA,
  expired: BAD_DATA,
  not_yet_valid: BAD_DATA,
  untrusted: BAD_DATA,
  not_found: NO_INPUT,
  network: UNAVAILABLE,
  clock: CLOCK,
  conflict: CANNOT_CREATE,
  storage: STORAGE,
  rate_limited: TRY_AGAIN,
  epoch_gone: TRY_AGAIN,
  tampered: FOUL_PLAY,
  signature: FOUL_PLAY,
  revoked: FOUL_PLAY,
  mixed_up: FOUL_PLAY,
  rolled_back: FOUL_PLAY,
  forked: FOUL_PLAY,
  restored: FOUL_PLAY,
  stale: FOUL_PLAY,
  withheld: FOUL_PLAY,
  unauthorized: NO_PERMISSION,
  forbidden: NO_PERMISSION,
  wrong_key: NO_PERMISSION,
  configuration: CONFIGURATION,
};

/** The exit code for an error's code. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code];
}

/** The table as `postern --help` shows it. */
export const EXIT_CODES_HELP = `Exit codes:
   0  done                              72  a clock is wrong
   2  wrong use of the command          73  contradicts what is there already
   3  a check found something wrong     74  disk or database: locked, full, gone, newer
  65  the input is not what it must be  75  try again later; postern run: updated, to be started anew
  66  there is no such thing            76  the edge lies, withholds, or another manager runs
  69  the edge cannot be reached        77  not allowed, or the wrong key
  70  a bug in Postern                  78  a setting is missing or does not fit`;
