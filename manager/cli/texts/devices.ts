/** How devices are shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { pairingText } from "../../../shared/protocol/pairing.ts";
import type { PendingDevice } from "../../devices/grant.ts";
import { HPKE_SUITES, isHpkeSuite } from "../../../shared/crypto/hpke_keys.ts";
import type { DevicesTable } from "../../store/schema.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Json, Output } from "../output.ts";
import { pairs, table } from "../../text/layout.ts";

function deviceJson(device: DevicesTable): Json {
  return {
    name: device.name,
    id: toHex(device.id),
    state: device.state,
    suite: device.suite,
    quantumSafe: isQuantumSafe(device),
    registration: device.registration,
    added: isoOrNull(device.added),
    revoked: isoOrNull(device.revoked),
  };
}

export function presentDevices(devices: readonly DevicesTable[], none: string): Output {
  const rows = devices.map((device) => [
    device.name,
    device.state,
    isQuantumSafe(device) ? device.suite : `${device.suite} (not quantum-safe)`,
    moment(device.added),
    toHex(device.id),
  ]);
  return {
    json: { devices: devices.map(deviceJson) },
    text: rows.length === 0 ? none : table(["NAME", "STATE", "SUITE", "ADDED", "ID"], rows),
  };
}

/**
 * A device that was just added: its grant on a line of its own, so that it can be piped or copied.
 *
 * @param draw the grant as a QR code, if there is to be one
 */
export function presentPending(
  { device, grant, checkCode }: PendingDevice,
  draw: ((text: string) => string) | null,
): Output {
  const text = pairingText(grant);
  return {
    json: { device: deviceJson(device), grant: text, checkCode },
    text: [
      pairs([["device", device.name], ["check code", checkCode]]),
      "",
      "Hand this grant to the device, compare the check code that it shows, and confirm:",
      "",
      text,
      ...(draw === null ? [] : ["", draw(text)]),
      "",
      `  postern device confirm ${shellWord(device.name)}`,
    ].join("\n"),
  };
}

export function presentState(device: DevicesTable, state: string, next: string): Output {
  const json = { device: { ...deviceJson(device) as Record<string, Json>, state } };
  return { json, text: `The device '${device.name}' is ${state}. ${next}` };
}

function isQuantumSafe({ suite }: DevicesTable): boolean {
  return isHpkeSuite(suite) && HPKE_SUITES[suite].quantumSafe;
}

/** A name so that it can be pasted into a shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
