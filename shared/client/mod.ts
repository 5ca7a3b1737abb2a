/**
 * The device client: everything that a program needs to be a device of an owner's, on any runtime with fetch and WebCrypto.
 *
 * Pairing, once; `memory` is the program's own and lasts:
 *
 *     const keys = await createDeviceKeys({ extractable: true }, runtimeSurroundings().random);
 *     const request = await pairingRequest(keys, "My phone", runtimeSurroundings().random);
 *     // The owner gives the request to the manager, and the manager's grant back.
 *     const { profile, state, checkCode } = await acceptGrant(keys, request, grant);
 *     // The owner compares checkCode with the one that the manager shows.
 *     await createMemory(memory, state);
 *
 * From then on:
 *
 *     const device = new PosternDevice({ profile, keys, memory });
 *     const { found, asOf } = await device.certificates.bySubject("CN=Alice");
 *
 * Every failure is a `PosternError`. `tampered`, `rolled_back`, `forked` and `withheld` mean that the edge does not show what the
 * manager signed; `restored` asks the user a question, see `PosternDevice.restore`. `adviceFor` has a text for each of them.
 */
export { type DeviceParts, type HeadName, PosternDevice } from "./device.ts";
export { ADVICE, adviceFor, type CaughtCode } from "./advice.ts";
export type { HeadComparison } from "./compare_heads.ts";
export type { FreshnessReport } from "./freshness.ts";
export type { HeadAlarm } from "../protocol/head.ts";
export {
  createDeviceKeys,
  type DeviceKeys,
  deviceKeysOf,
  type DeviceSecrets,
  importDeviceKeys,
  type NewDeviceKeys,
} from "./device_keys.ts";
export { type AcceptedGrant, acceptGrant, acceptGrantToCertificate, pairingRequest } from "./pair.ts";
export { type DeviceProfile, exportDevice, importDevice } from "./profile.ts";
export { createMemory, type DeviceMemory, MemoryInProcess } from "./memory.ts";
export { type CopiedRow, type CopyChange, CopyInProcess, type CopyState, type CopyStore } from "./copy_store.ts";
export type { CopySync, LocalCopy } from "./local_copy.ts";
export type { DeviceState } from "./state.ts";
export { runtimeSurroundings, type Surroundings } from "./surroundings.ts";
export type { CallOptions } from "./http.ts";
export type { CertificateEntry, Certificates, Found } from "./certificates.ts";
export type { MessagePage, MessageRange, Messages } from "./messages.ts";
export type { IgnoredSubmission, PendingCertificate, PendingCertificates } from "./pending.ts";
export type { PendingFault, UnseenSubmissions } from "./pending_chains.ts";
export type { Submit } from "./submit.ts";
export type { PendingStatus, SubmissionOutcome, SubmitStatus, Submitted } from "./submitted.ts";
export type { Tables, VerifiedTable, VerifyReport } from "./tables.ts";
export type { OpenedRow, TableRow } from "./open_content.ts";
export type { Restore } from "./verifier.ts";
export type { AsOf, HeadReport } from "./view.ts";
export type { StaleReads } from "./lists.ts";
