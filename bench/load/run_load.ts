/** Runs the load generator. */
import { fromFileUrl } from "../../scripts/files.ts";
import type { LoadPlan, LoadResult } from "./plan.ts";
import { encodeRequests } from "./request_file.ts";

/** What the caller decides; the files are this module's own affair. */
export type Load = Omit<LoadPlan, "requests"> & { readonly requests: readonly Uint8Array[] };

/** Writes the requests out, runs the generator over them, and reads what it measured. @throws Error in its own words */
export async function runLoad({ requests, ...plan }: Load): Promise<LoadResult> {
  const folder = await Deno.makeTempDir({ prefix: "postern-load-" });
  try {
    const [requestPath, planPath] = [`${folder}/requests`, `${folder}/plan.json`];
    await Deno.writeFile(requestPath, encodeRequests(requests));
    await Deno.writeTextFile(planPath, JSON.stringify({ ...plan, requests: requestPath } satisfies LoadPlan));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--no-check",
        fromFileUrl(new URL("./generator.ts", import.meta.url).href),
        planPath,
      ],
      stdin: "null",
    }).output();
    if (!success) throw new Error(`The load generator failed: ${new TextDecoder().decode(stderr)}`);
    return JSON.parse(new TextDecoder().decode(stdout)) as LoadResult;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
