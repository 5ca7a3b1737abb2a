/** CPU time and memory of processes, from /proc (Linux). */

/** As much of /proc/PID/stat as is used here; times in clock ticks. */
export interface ProcessStat {
  readonly parent: number;
  readonly ticks: number;
}

/** Ticks a second: USER_HZ, which is 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Reads a line of /proc/PID/stat (proc(5)). The name stands in parentheses and may hold spaces and parentheses itself. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  // State is field 3 of the file and first here: parent is field 4, utime and stime are 14 and 15.
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** The roots and all that descend from them. */
export function descendants(roots: readonly number[], parents: ReadonlyMap<number, number>): number[] {
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** CPU seconds that these processes and their living descendants have used so far. */
export function cpuSeconds(roots: readonly number[]): number {
  const stats = readAllStats();
  const parents = new Map([...stats].map(([pid, { parent }]) => [pid, parent]));
  const ticks = descendants(roots, parents).reduce((sum, pid) => sum + (stats.get(pid)?.ticks ?? 0), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of these processes and their living descendants together, MiB. Shared pages count in each. */
export function residentMib(roots: readonly number[]): number {
  const stats = readAllStats();
  const parents = new Map([...stats].map(([pid, { parent }]) => [pid, parent]));
  return descendants(roots, parents).reduce((sum, pid) => sum + residentKib(pid), 0) / 1024;
}

/** The most that a process ever had resident, MiB; NaN where the kernel does not say. */
export function peakResidentMib(pid: number | "self"): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? "")?.[1] ?? NaN) / 1024;
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`) ?? "")?.[1] ?? 0);
}

function readAllStats(): Map<number, ProcessStat> {
  const stats = new Map<number, ProcessStat>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = readProc(`${name}/stat`);
    if (line !== undefined) stats.set(Number(name), parseStat(line));
  }
  return stats;
}

/** Undefined for a process that has ended meanwhile. */
function readProc(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${path}`);
  } catch (error) {
    // ESRCH comes when it ends between opening and reading.
    if (error instanceof Deno.errors.NotFound || (error instanceof Error && /os error 3/.test(error.message))) return;
    throw error;
  }
}
