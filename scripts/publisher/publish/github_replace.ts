/**
 * Replaces files that belong together, such as the index and its signature, among publishers that know nothing of each other. GitHub has
 * no lock, but two things that only one of them can do: to remove the asset of some id, and to take a name that nobody has.
 *
 * Each lays its files down under names of its own. Then it removes the first file, the very asset that its own was made from, and takes
 * the name. Who finds that asset gone was not the first one, and gives up; nothing is lost, for whoever was first made its file from the
 * one before. The other files follow whoever has the first.
 *
 * Cut off anywhere, it leaves the old files, or the new ones under their own names, where the next run finds them (`nextTo`).
 */
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import type { Asset, GithubAssets } from "./github_assets.ts";

const NEXT = ".next-";
const TRIES = 5;

/** Files that were to take the place of one, the newest first. */
export function nextTo(name: string, known: ReadonlyMap<string, Asset>): Asset[] {
  return [...known.values()].filter((one) => one.name.startsWith(`${name}${NEXT}`)).sort((a, b) => b.id - a.id);
}

/** The name of a file that is to take the place of another. @param run letters and digits that no other run has */
export function nextName(name: string, run: string): string {
  return `${name}${NEXT}${run}`;
}

/** A file that has its final name not yet. */
export interface Replacement {
  readonly name: string;
  readonly asset: Asset;
}

/**
 * @param seen the assets that the new files were made from
 * @throws `conflict` if another publisher was first
 */
export async function replaceAssets(
  assets: GithubAssets,
  replacements: readonly Replacement[],
  seen: ReadonlyMap<string, Asset>,
): Promise<void> {
  const [first, ...others] = replacements;
  if (first === undefined) return;
  try {
    await takeOver(assets, first, replacements, seen);
    for (const other of others) await follow(assets, first, other);
  } catch (error) {
    // Unless it may be needed: whoever was first has its own.
    if (isPosternError(error, "conflict")) await removeAll(assets, replacements.map(({ asset }) => asset));
    throw error;
  }
  await removeAll(assets, replacements.flatMap(({ name }) => nextTo(name, seen)));
  await assets.list();
  if (replacements.some(({ name, asset }) => assets.known.get(name)?.id !== asset.id)) throw notFirst();
}

/** The step that only one publisher can do. */
async function takeOver(
  assets: GithubAssets,
  { name, asset }: Replacement,
  own: readonly Replacement[],
  seen: ReadonlyMap<string, Asset>,
): Promise<void> {
  const before = seen.get(name);
  if (before === undefined || !await assets.remove(before)) {
    // It was removed by this run, and the answer was lost; or by another, which is about to take the name, or has it.
    await assets.list();
    const mine = new Set(own.map((one) => one.asset.id));
    const others = nextTo(name, assets.known).filter(({ id }) => !mine.has(id));
    const unseen = before === undefined ? others.filter((one) => seen.get(one.name)?.id !== one.id) : others;
    if (assets.known.has(name) || unseen.length > 0) throw notFirst();
  }
  if (!await assets.rename(asset, name)) throw notFirst();
}

/** Whoever has the first file has the others as well, whatever another one did meanwhile. */
async function follow(assets: GithubAssets, first: Replacement, { name, asset }: Replacement): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries++) {
    if (assets.known.get(first.name)?.id !== first.asset.id) throw notFirst();
    const there = assets.known.get(name);
    if (there?.id === asset.id) return;
    if (there !== undefined) await assets.remove(there);
    if (await assets.rename(asset, name)) return;
  }
  throw notFirst();
}

async function removeAll(assets: GithubAssets, all: readonly Asset[]): Promise<void> {
  for (const { id } of all) {
    const there = [...assets.known.values()].find((one) => one.id === id);
    if (there !== undefined && there.name.includes(NEXT)) await assets.remove(there);
  }
}

/** What whoever was not the first is told. */
export function notFirst(): PosternError {
  const advice = "run the same command once more, which sends only what is missing";
  return new PosternError("conflict", `Another process published meanwhile: ${advice}`);
}
