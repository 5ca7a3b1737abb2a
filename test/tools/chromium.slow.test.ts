import { assertEquals } from "../assert.ts";
import { launchChromium } from "./chromium.ts";
import { needs } from "./needs.ts";

needs("chromium").test("launchChromium() opens a page of this machine and runs its script", async () => {
  const html = "<title>before</title><script>document.title = 'after ' + typeof crypto.subtle</script>";
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    return new Response(html, { headers: { "content-type": "text/html" } });
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    assertEquals(await page.title(), "after object");
  } finally {
    await browser.close();
    await server.shutdown();
  }
});
