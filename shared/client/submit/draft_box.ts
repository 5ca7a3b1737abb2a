/** Where drafts lie until they are sent: in the device's memory, each under its own name (spec: INBOX-15). */
import { type ErrorCode, isPosternError, PosternError } from "../../errors.ts";
import type { DeviceLink } from "../device_link.ts";
import type { Draft } from "./draft.ts";
import { addDraft, dropDraft } from "../memory/drafts.ts";
import { loadDraft, removeDraft, saveDraft } from "../memory/draft_store.ts";
import { openDraft, sealDraft } from "./seal_draft.ts";
import { type Waiting, waitingDraft } from "./submitted.ts";

export class DraftBox {
  readonly #link: DeviceLink;

  constructor(link: DeviceLink) {
    this.#link = link;
  }

  /** Once this resolves, a crash does not lose it. @throws `too_large` when too many wait; `storage` */
  async keep(draft: Draft, waitingFor: ErrorCode): Promise<Waiting> {
    const { verifier, surroundings } = this.#link;
    return await verifier.state.update(async (state) => {
      const drafts = addDraft(state.drafts, { kind: draft.kind, time: surroundings.now() });
      const { last } = drafts;
      // What an earlier attempt left under this number is in no list.
      await saveDraft(verifier.memory, last, await sealDraft(draft, last, verifier, surroundings.random));
      return { state: { ...state, drafts }, result: waitingDraft({ draft: last, kind: draft.kind }, waitingFor) };
    });
  }

  /** A draft that waits. @throws `storage` when it is not what was kept; it waits no longer then */
  async load(draft: number): Promise<Draft> {
    const { verifier } = this.#link;
    const bytes = await loadDraft(verifier.memory, draft);
    try {
      if (bytes !== null) return await openDraft(bytes, draft, verifier);
    } catch (cause) {
      if (!isPosternError(cause)) throw cause;
    }
    await verifier.state.update((state) => {
      return Promise.resolve({ state: { ...state, drafts: dropDraft(state.drafts, draft) }, result: undefined });
    });
    await removeDraft(verifier.memory, draft);
    throw new PosternError("storage", `The device's memory has lost draft ${draft}: hand it in anew`);
  }
}
