/** Runs the load generator. */
import { startScript } from "../harness/scripts.ts";
import type { LoadPlan, LoadResult } from "./plan.ts";
import { encodeRequests } from "./request_file.ts";

/** What the caller decides; the files are this module's own affair. */
export type Load = Omit<LoadPlan, "requests"> & { readonly requests: readonly Uint8Array[] };

/** Writes the requests out, runs the generator over them, and reads what it measured. */
export async function runLoad({ requests, ...plan }: Load): Promise<LoadResult> {
  const folder = await Deno.makeTempDir({ prefix: "postern-load-" });
  try {
    const [requestPath, planPath] = [`${folder}/requests`, `${folder}/plan.json`];
    await Deno.writeFile(requestPath, encodeRequests(requests));
    await Deno.writeTextFile(planPath, JSON.stringify({ ...plan, requests: requestPath } satisfies LoadPlan));
    return await startScript("load/generator.ts", [planPath]).result<LoadResult>();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
