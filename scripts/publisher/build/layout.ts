/**
 * Which packages a program needs, by the lock file, and where each lies: plain folders as npm lays them, without links, because a
 * release has files only. A package lies at the top unless another version of it does; then it lies inside of the one that needs it. Pure.
 */
import * as v from "valibot";
import { PosternError } from "../../../shared/errors.ts";

const names = v.optional(v.array(v.string()), []);
const lockShape = v.object({
  version: v.literal("5"),
  specifiers: v.record(v.string(), v.string()),
  npm: v.record(
    v.string(),
    v.object({
      integrity: v.string(),
      dependencies: names,
      optionalDependencies: names,
      optionalPeers: names,
      os: v.optional(v.array(v.string())),
      cpu: v.optional(v.array(v.string())),
    }),
  ),
});

type Lock = v.InferOutput<typeof lockShape>;

/** What a release is for; Linux with glibc. */
export type Arch = "x64" | "arm64";

/** A package and where it lies in the release. */
export interface Placed {
  readonly name: string;
  readonly version: string;
  /** As the lock file has it: `sha512-…`. */
  readonly integrity: string;
  /** Relative to the release: `node_modules/a/node_modules/b`. */
  readonly path: string;
}

/** @throws `malformed` */
export function readLock(text: string): Lock {
  const parsed = v.safeParse(lockShape, JSON.parse(text));
  if (parsed.success) return parsed.output;
  throw new PosternError("malformed", "deno.lock is not of version 5, or not of the form that Deno writes");
}

/**
 * @param targets of the import map, such as `npm:hono@4.13.19` or `npm:/cbor2@2.3.0/`
 * @throws `configuration` for what the lock file does not have
 */
export function layOut(lock: Lock, targets: readonly string[], arch: Arch): Placed[] {
  const placed = new Map<string, string>();
  const roots = [...new Set(targets.map((target) => keyOfTarget(lock, target)))].sort();
  for (const key of roots) placed.set(`node_modules/${nameOf(key)}`, key);
  // Breadth first, so that what lies at the top does not depend on how deep somebody needs it.
  for (let level = [...placed]; level.length > 0;) {
    const next: [string, string][] = [];
    for (const [path, key] of level) {
      for (const dependency of needs(lock, key, arch)) {
        const place = placeFor(placed, path, dependency);
        if (place === null) continue;
        placed.set(place, dependency);
        next.push([place, dependency]);
      }
    }
    level = next;
  }
  return [...placed].map(([path, key]) => describe(lock, path, key)).sort((a, b) => a.path < b.path ? -1 : 1);
}

function describe(lock: Lock, path: string, key: string): Placed {
  const { integrity } = entryOf(lock, key);
  return { name: nameOf(key), version: versionOf(key), integrity, path };
}

/** Where a package must lie to be found from `from`, or null if it is found there already. */
function placeFor(placed: ReadonlyMap<string, string>, from: string, key: string): string | null {
  const name = nameOf(key);
  for (let folder = from;;) {
    const found = placed.get(`${folder}/node_modules/${name}`);
    if (found === key) return null;
    if (found !== undefined) return `${from}/node_modules/${name}`;
    const up = folder.lastIndexOf("/node_modules/");
    if (up === -1) break;
    folder = folder.slice(0, up);
  }
  const top = placed.get(`node_modules/${name}`);
  if (top === key) return null;
  return top === undefined ? `node_modules/${name}` : `${from}/node_modules/${name}`;
}

function needs(lock: Lock, key: string, arch: Arch): string[] {
  const { dependencies, optionalDependencies } = entryOf(lock, key);
  const optional = optionalDependencies.map((one) => resolveName(lock, one)).filter((one) => isFor(lock, one, arch));
  return [...dependencies.map((one) => resolveName(lock, one)), ...optional].sort();
}

/** Linux, this processor, glibc. */
function isFor(lock: Lock, key: string, arch: Arch): boolean {
  const { os = ["linux"], cpu = [arch] } = entryOf(lock, key);
  return os.includes("linux") && cpu.includes(arch) && !/musl/.test(nameOf(key));
}

function keyOfTarget(lock: Lock, target: string): string {
  const specifier = /^npm:\/?((?:@[^/]+\/)?[^/]+)/.exec(target)?.[1] ?? "";
  const version = lock.specifiers[`npm:${specifier}`];
  if (version === undefined) throw new PosternError("configuration", `deno.lock has nothing for ${target}`);
  return `${nameOf(specifier)}@${version}`;
}

/** The lock file leaves the version out where there is but one. */
function resolveName(lock: Lock, name: string): string {
  if (lock.npm[name] !== undefined) return name;
  const found = Object.keys(lock.npm).filter((key) => key.startsWith(`${name}@`) && nameOf(key) === name);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  throw new PosternError("configuration", `deno.lock has ${found.length} versions of ${name}, and names none`);
}

function entryOf(lock: Lock, key: string): Lock["npm"][string] {
  const entry = lock.npm[key];
  if (entry === undefined) throw new PosternError("configuration", `deno.lock has no package ${key}`);
  return entry;
}

function nameOf(key: string): string {
  return key.slice(0, key.indexOf("@", 1));
}

/** Without the peers that stand behind it. */
function versionOf(key: string): string {
  return key.slice(nameOf(key).length + 1).replace(/_.*$/, "");
}
