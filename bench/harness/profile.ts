/** What a CPU profile says, in a few lines. Pure. */

/** As much of a V8 CPU profile (Chrome DevTools protocol, `Profiler.Profile`) as is used here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    /** Its line would be that of the code as transpiled. */
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** Node that was running at each sample, and microseconds since the sample before. */
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** A function and the time spent in itself. */
export interface HotSpot {
  readonly name: string;
  readonly place: string;
  /** Of the time that was not idle, 0 to 1. */
  readonly share: number;
}

/** Not the program's own time: waiting, and the profiler beginning and ending its work. */
const IDLE = "(idle)";
const PROFILER = "ext:deno_node/inspector.js";

/** The functions that took most time themselves, most expensive first. */
export function hotSpots(profile: CpuProfile, count: number, root: string): HotSpot[] {
  const { samples = [], timeDeltas = [] } = profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const micros = new Map<string, { name: string; place: string; micros: number }>();
  let busy = 0;
  for (const [at, id] of samples.entries()) {
    const frame = nodes.get(id);
    const delta = timeDeltas[at] ?? 0;
    if (frame === undefined || frame.functionName === IDLE || frame.url === PROFILER) continue;
    busy += delta;
    const spot = {
      name: frame.functionName || "(anonymous)",
      place: shortUrl(frame.url, root),
    };
    const key = `${spot.name} ${spot.place}`;
    const before = micros.get(key);
    micros.set(key, { ...spot, micros: (before?.micros ?? 0) + delta });
  }
  return [...micros.values()].sort((a, b) => b.micros - a.micros).slice(0, count)
    .map(({ name, place, micros: spent }) => ({ name, place, share: spent / busy }));
}

/** The spots as text, one a line. */
export function hotSpotText(spots: readonly HotSpot[]): string {
  return spots.map(({ name, place, share }) => `${(100 * share).toFixed(1).padStart(5)} %  ${name}  ${place}`).join(
    "\n",
  );
}

/** Paths below the project's root are named from there, and packages from their name on. */
function shortUrl(url: string, root: string): string {
  const path = url.replace(/^file:\/\//, "");
  const inPackages = path.lastIndexOf("/node_modules/");
  if (inPackages >= 0) return path.slice(inPackages + "/node_modules/".length);
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
