/** What a check asks the source for, and what it notes when it is stopped. */
import { INDEX_PLACE, INDEX_SIGNATURE_PLACE, LISTS_PLACE, ROOT_PLACE } from "../../../shared/manifest/places.ts";
import { folderSource } from "../../../manager/update/folder_source.ts";
import { lastCheck } from "../../../manager/update/repository.ts";
import type { ReleaseSource } from "../../../manager/update/source.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { DAY, PRODUCT, type TestPublisher } from "./publisher.ts";
import { NOW, withTenant } from "./tenant.ts";

/** The publisher's folder, and what was asked of it. */
function watched({ folder }: TestPublisher, onOpen: (place: string) => void | Promise<void> = () => {}) {
  const asked: string[] = [];
  const { open } = folderSource(folder);
  const source: ReleaseSource = {
    async open(place, from, signal) {
      asked.push(place);
      await onOpen(place);
      return await open(place, from, signal);
    },
  };
  return { source, asked };
}

Deno.test("an index is fetched once more when its signature does not fit, and for no other reason", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    const late = watched(publisher);
    await assertRejects(() => tenant.check(NOW + 8 * DAY, { source: late.source }), "stale");
    assertEquals(late.asked, [LISTS_PLACE, INDEX_PLACE, INDEX_SIGNATURE_PLACE]);
    const signature = await Deno.readFile(publisher.path(INDEX_SIGNATURE_PLACE));
    await publisher.release("1.3.0");
    await publisher.put(INDEX_SIGNATURE_PLACE, signature);
    const torn = watched(publisher);
    await assertRejects(() => tenant.check(NOW, { source: torn.source }), "signature");
    assertEquals(torn.asked, [LISTS_PLACE, INDEX_PLACE, INDEX_SIGNATURE_PLACE, INDEX_PLACE, INDEX_SIGNATURE_PLACE]);
  }));

Deno.test("a check that is stopped is no refusal: nothing is noted, wherever it was", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    for (const where of [LISTS_PLACE, INDEX_PLACE, ROOT_PLACE]) {
      const stopping = new AbortController();
      const reason = new Error("stopped");
      const { source } = watched(publisher, async (place) => {
        if (place !== where) return;
        await Promise.resolve();
        stopping.abort(reason);
        // An answer that does not come.
        await new Promise(() => {});
      });
      const found = await tenant.check(NOW, { source, stop: stopping.signal }).catch((error) => error);
      assertEquals(found, reason);
    }
    assertEquals(await lastCheck(tenant.db, PRODUCT), null);
    assertEquals([await tenant.events("update.refused"), await tenant.events("update.checked")], [[], []]);
  }));

Deno.test("a source that is a folder waits for no pipe, and has no folder for a file", () =>
  withTenant(async (publisher, tenant) => {
    await publisher.release("1.2.0");
    const place = publisher.path(INDEX_PLACE);
    await Deno.remove(place);
    await new Deno.Command("mkfifo", { args: [place] }).output();
    await assertRejects(() => tenant.check(NOW), "storage");
    await Deno.remove(place);
    await Deno.mkdir(place);
    await assertRejects(() => tenant.check(NOW), "storage");
    await Deno.remove(place);
    await assertRejects(() => tenant.check(NOW), "not_found");
  }));
