/** What devices remember, for tests. */
import { type DeviceState, NO_DRAFTS } from "../../../shared/client/memory/state.ts";

/** Of a device that was shown nothing and has handed in nothing. */
export const NOTHING: DeviceState = {
  granted: null,
  statement: null,
  head: null,
  times: null,
  confirmed: null,
  streams: [],
  drafts: NO_DRAFTS,
};
