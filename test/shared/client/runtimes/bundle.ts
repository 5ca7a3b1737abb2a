/** Bundles TypeScript of the project into one module for other runtimes, with the bundler that wrangler brings. */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { parse as parseToml } from "@std/toml/parse";
import { PROJECT_ROOT } from "../../../../scripts/files.ts";

/** As much of esbuild as is used. */
interface Esbuild {
  build(options: Readonly<Record<string, unknown>>): Promise<{ outputFiles: { readonly contents: Uint8Array }[] }>;
  stop(): Promise<void>;
}

export type BundleTarget = "node" | "browser" | "worker";

const CONDITIONS: Readonly<Record<BundleTarget, readonly string[]>> = {
  node: ["node", "import", "module"],
  browser: ["browser", "import", "module"],
  worker: ["workerd", "worker", "browser", "import", "module"],
};

/** One ES module with everything in it. @param entry relative to this folder */
export async function bundle(entry: string, target: BundleTarget): Promise<Uint8Array<ArrayBuffer>> {
  const require = createRequire(`${realpathSync(`${PROJECT_ROOT}/node_modules/wrangler`)}/package.json`);
  const esbuild = require("esbuild") as Esbuild;
  const { alias } = parseToml(await Deno.readTextFile(`${PROJECT_ROOT}/wrangler.toml`)) as {
    alias: Record<string, string>;
  };
  try {
    const { outputFiles: [file] } = await esbuild.build({
      entryPoints: [new URL(entry, import.meta.url).pathname],
      bundle: true,
      format: "esm",
      target: target === "node" ? "node20" : "es2023",
      platform: target === "node" ? "node" : "neutral",
      mainFields: ["module", "main"],
      conditions: CONDITIONS[target],
      alias,
      // Packages of the import map lie in the project's node_modules.
      nodePaths: [`${PROJECT_ROOT}/node_modules`],
      write: false,
      logLevel: "silent",
    });
    if (file === undefined) throw new Error("esbuild made nothing");
    return new Uint8Array(file.contents);
  } finally {
    await esbuild.stop();
  }
}
