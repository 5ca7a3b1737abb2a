/** How keys are shown: their public side. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Instance } from "../../instance/instance.ts";
import type { KeysTable } from "../../store/schema.ts";
import { table } from "../../text/layout.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Output } from "../output.ts";

interface ShownKey {
  readonly role: string;
  readonly version: number;
  readonly state: string;
  readonly created: number;
  readonly revoked: number | null;
  /** SHA-256 of the public key, in hex; of an MDK's X-Wing key. */
  readonly fingerprint: string;
}

/** @param keys all of them, by role and version */
export function presentKeys(keys: readonly KeysTable[], { mdks, current }: Instance): Output {
  const shown = [
    ...keys.map((key) => keyOf(key, keys)),
    ...mdks.map((mdk): ShownKey => ({
      ...{ role: "mdk", version: mdk.version, created: mdk.created, revoked: mdk.revoked },
      state: mdk.revoked !== null ? "revoked" : mdk.version === current.version ? "current" : "earlier",
      fingerprint: toHex(sha256(mdk.xwing)),
    })),
  ];
  const rows = shown.map((one) => [one.role, `${one.version}`, one.state, moment(one.created), one.fingerprint]);
  return {
    json: {
      keys: shown.map(({ created, revoked, ...one }) => ({
        ...{ role: one.role, version: one.version, state: one.state, publicKeySha256: one.fingerprint },
        ...{ created: isoOrNull(created), revoked: isoOrNull(revoked) },
      })),
    },
    text: table(["KEY", "VERSION", "STATE", "CREATED", "SHA-256 OF THE PUBLIC KEY"], rows),
  };
}

function keyOf(key: KeysTable, all: readonly KeysTable[]): ShownKey {
  const newest = Math.max(...all.filter(({ role }) => role === key.role).map(({ version }) => version));
  const place = key.private_key === null ? ", kept elsewhere" : "";
  return {
    ...{ role: key.role, version: key.version, created: key.created, revoked: null },
    state: `${key.version === newest ? "current" : "earlier"}${place}`,
    fingerprint: toHex(sha256(key.public_key)),
  };
}
