/**
 * Builds the worker as `wrangler deploy` would, prints what it weighs, and fails when it does not build or weighs more
 * than a Worker of ours may. `--json` prints one object.
 */
import { buildWorker, weigh } from "./worker/bundle.ts";

/** The project's own target, a third of what Cloudflare's free plan takes: what is small starts fast. */
const MAX_GZIP_BYTES = 1_048_576;

if (import.meta.main) {
  const started = performance.now();
  const bundle = await buildWorker();
  const { bytes, gzipBytes } = await weigh(bundle);
  const ok = gzipBytes <= MAX_GZIP_BYTES;
  const millis = Math.round(performance.now() - started);
  if (Deno.args.includes("--json")) {
    const files = bundle.files.map((file) => ({ name: file.name, bytes: file.bytes.length }));
    console.log(JSON.stringify({ ok, bytes, gzipBytes, maxGzipBytes: MAX_GZIP_BYTES, millis, files }));
  } else {
    for (const file of bundle.files) console.log(`${kib(file.bytes.length).padStart(9)} KiB  ${file.name}`);
    console.log(
      `${kib(bytes)} KiB, ${kib(gzipBytes)} KiB compressed (at most ${kib(MAX_GZIP_BYTES)}), built in ${millis} ms`,
    );
  }
  if (!ok) {
    console.error("the worker is too large: see what it imports, and what of that belongs to the manager");
    Deno.exit(1);
  }
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}
