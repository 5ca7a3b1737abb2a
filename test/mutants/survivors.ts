/** Mutants that no test can tell from the code, and why. The run says so when one of them dies or is no more. */
import type { Survivor } from "./survivors/because.ts";
import { CRYPTO } from "./survivors/crypto.ts";
import { DEVICE } from "./survivors/device.ts";
import { EDGE } from "./survivors/edge.ts";
import { FORMATS } from "./survivors/formats.ts";
import { INBOX } from "./survivors/inbox.ts";
import { MANIFEST } from "./survivors/manifest.ts";
import { UPDATE } from "./survivors/update.ts";
import { X509 } from "./survivors/x509.ts";

export const SURVIVORS: readonly Survivor[] = [
  ...DEVICE,
  ...FORMATS,
  ...CRYPTO,
  ...X509,
  ...MANIFEST,
  ...UPDATE,
  ...INBOX,
  ...EDGE,
];
