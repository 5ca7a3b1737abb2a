/** A headless Chromium for tests, driven by playwright-core. Use it with `needs("chromium")`. */
import { type Browser, chromium } from "playwright-core";

/**
 * Starts Debian's Chromium with an empty profile; close it with `close()`.
 *
 * The flags keep it from calling anybody: a test browser that looks for updates is slow on a closed network, and on an
 * open one it is nobody's business that tests run.
 */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
