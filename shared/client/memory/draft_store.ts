/** The bytes of drafts in the device's memory, each under its own name (spec: INBOX-15). */
import type { Bytes } from "../../bytes/bytes.ts";
import type { DeviceMemory } from "./memory.ts";

/** Keeps a sealed draft; whatever an earlier attempt left under the same number, which is in no list, is replaced. */
export async function saveDraft(memory: DeviceMemory, draft: number, sealed: Bytes): Promise<void> {
  await memory.save(draftName(draft), sealed);
}

/** Null when it is gone. */
export async function loadDraft(memory: DeviceMemory, draft: number): Promise<Bytes | null> {
  return await memory.load(draftName(draft));
}

/** No error if it is gone already. */
export async function removeDraft(memory: DeviceMemory, draft: number): Promise<void> {
  await memory.remove(draftName(draft));
}

function draftName(draft: number): string {
  return `draft-${draft}`;
}
