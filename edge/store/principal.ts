/** Who speaks in a session: what its sealed token says, and what every query of it checks against the present state. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { MANAGER_DEVICE } from "../../shared/protocol/login.ts";

/**
 * The holder of a session. The session layer has opened and verified the token; that it still counts is decided by the
 * one database query of each request, which answers `unauthorized` otherwise.
 */
export interface Principal {
  /** Owner id, 32 bytes. */
  readonly owner: Bytes;
  readonly manager: boolean;
  /** Device id, 16 bytes; zeros for the manager. */
  readonly device: Bytes;
  /**
   * Of a device: its registration, so that a device added again does not revive old sessions. Of the manager: the
   * number of the statement it logged in with, so that a newer statement ends its session (spec: SESS-03).
   */
  readonly registration: number;
  /** SHA-256 of the signed statement that the manager logged in with, 32 bytes; null for a device. */
  readonly statement: Bytes | null;
  /** Names the session, 16 random bytes. */
  readonly session: Bytes;
  /** When the session ends by itself, Millis. */
  readonly expires: number;
}

/** What names a session and ends it. */
export interface SessionName {
  readonly session: Bytes;
  readonly expires: number;
}

/** The holder of a device's session. */
export function devicePrincipal(
  owner: Bytes,
  device: Bytes,
  registration: number,
  { session, expires }: SessionName,
): Principal {
  return { owner, manager: false, device, registration, statement: null, session, expires };
}

/** The holder of a manager's session, for the statement that it logged in with. */
export function managerPrincipal(
  owner: Bytes,
  statement: { readonly number: number; readonly hash: Bytes },
  { session, expires }: SessionName,
): Principal {
  const { number, hash } = statement;
  return { owner, manager: true, device: MANAGER_DEVICE, registration: number, statement: hash, session, expires };
}
