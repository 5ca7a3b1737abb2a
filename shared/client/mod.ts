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
 * From the bottom up: `memory/` is what a device must not forget, `identity/` its keys and its pairing, `session/` the exchange with
 * the edge, `verify/` what of that is believed; `read/`, `copy/` and `submit/` are what a program asks for.
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
} from "./identity/device_keys.ts";
export { type AcceptedGrant, acceptGrant, acceptGrantToCertificate, pairingRequest } from "./identity/pair.ts";
export { type DeviceProfile, exportDevice, importDevice } from "./identity/profile.ts";
export { createMemory, type DeviceMemory, MemoryInProcess } from "./memory/memory.ts";
export { type CopiedRow, type CopyChange, CopyInProcess, type CopyState, type CopyStore } from "./memory/copy_store.ts";
export type { CopySync, LocalCopy } from "./copy/local_copy.ts";
export type { DeviceState } from "./memory/state.ts";
export { runtimeSurroundings, type Surroundings } from "./surroundings.ts";
export type { CallOptions } from "./session/http.ts";
export type { CertificateEntry, Certificates, Found } from "./read/certificates.ts";
export type { MessagePage, MessageRange, Messages } from "./read/messages.ts";
export type { IgnoredSubmission, PendingCertificate, PendingCertificates } from "./read/pending.ts";
export type { PendingFault, UnseenSubmissions } from "./read/pending_chains.ts";
export type { Submit } from "./submit/submit.ts";
export type { PendingStatus, SubmissionOutcome, SubmitStatus, Submitted } from "./submit/submitted.ts";
export type { Tables, VerifiedTable, VerifyReport } from "./read/tables.ts";
export type { OpenedRow, TableRow } from "./verify/open_content.ts";
export type { Restore } from "./verify/verifier.ts";
export type { AsOf, HeadReport } from "./verify/view.ts";
export type { StaleReads } from "./read/lists.ts";
