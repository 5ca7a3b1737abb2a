/** The place of a device in a real browser, also when that is killed. */
import type { Page } from "playwright-core";
import { assert, assertEquals } from "../../assert.ts";
import { launchChromium, launchChromiumIn } from "../../tools/chromium.ts";
import { needs } from "../../tools/needs.ts";
import { bundle } from "../client/runtimes/bundle.ts";
import { Stage } from "../client/runtimes/stage.ts";
import type { Found } from "./browser.ts";

/** A page that may load the module: loopback counts as a secure context, and the edge is of another origin. */
async function servePage(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const script = await bundle("../../stores/browser.ts", "browser");
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const isScript = new URL(request.url).pathname === "/browser.js";
    return new Response(isScript ? script : "<!doctype html><title>device</title>", {
      headers: { "content-type": isScript ? "text/javascript" : "text/html" },
    });
  });
}

async function call<T>(page: Page, name: string, ...given: unknown[]): Promise<T> {
  return await page.evaluate(`import("/browser.js").then((m) => m.${name}(...${JSON.stringify(given)}))`) as T;
}

needs("chromium").test("openDeviceIndexedDb() keeps to what every place of a device does, COPY-05", async () => {
  const server = await servePage();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await call(page, "checkContract");
    assertEquals(await call(page, "breakOff"), [true, 2, 2]);
  } finally {
    await browser.close();
    await server.shutdown();
  }
});

needs("chromium").test(
  "a device in Chromium goes on after the browser was killed, with its copy and its outbox",
  async () => {
    await using stage = await Stage.open();
    const server = await servePage();
    const origin = `http://127.0.0.1:${server.addr.port}/`;
    const folder = await Deno.makeTempDir({ prefix: "postern-chromium-" });
    const device = await stage.world.pair("browser");
    await stage.world.manager.sync();
    const input = await stage.inputOf(device);
    try {
      const first = await launchChromiumIn(folder);
      const page = await first.context.newPage();
      await page.goto(origin);
      const subjects = ["one", "two"];
      assertEquals(await call<Found>(page, "beginDevice", input), {
        isWhole: true,
        generation: 2,
        subjects,
        pending: 1,
      });
      first.kill();
      await first.context.close().catch(() => {});

      await stage.world.manager.sync({ rotate: true });
      const second = await launchChromiumIn(folder);
      try {
        const again = await second.context.newPage();
        await again.goto(origin);
        const [offline, online] = await call<[Found, Found]>(again, "resumeDevice", input);
        assertEquals(offline, { isWhole: "network", generation: 2, subjects, pending: 1 });
        assertEquals(online, { isWhole: false, generation: 3, subjects, pending: 0 });
      } finally {
        await second.context.close();
      }
      const { inbox } = await stage.world.manager.sync();
      assertEquals([inbox.done, inbox.refused, inbox.ignored], [1, 0, 0]);
      assert((await stage.world.manager.sync()).inbox.done === 0);
    } finally {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  },
);
