/** A headless Chromium for tests, driven by playwright-core. Use it with `needs("chromium")`. */
import { type Browser, type BrowserContext, chromium } from "playwright-core";

/**
 * The flags keep it from calling anybody: a test browser that looks for updates is slow on a closed network, and on an
 * open one it is nobody's business that tests run.
 */
const OPTIONS = {
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
};

/** Starts Debian's Chromium with an empty profile; close it with `close()`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(OPTIONS);
}

/** A browser whose profile lies in a folder. */
export interface LastingChromium {
  readonly context: BrowserContext;
  /** Ends it as a loss of power does, as far as a process can tell. */
  kill(): void;
}

/** Starts it with the profile of a folder, for one at a time. */
export async function launchChromiumIn(folder: string): Promise<LastingChromium> {
  const context = await chromium.launchPersistentContext(folder, OPTIONS);
  // It leaves its process id there, behind the name of the machine.
  const pid = Number(/-(\d+)$/.exec(await Deno.readLink(`${folder}/SingletonLock`))?.[1]);
  return { context, kill: () => Deno.kill(pid, "SIGKILL") };
}
