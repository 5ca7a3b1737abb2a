/**
 * Publishing to GitHub: a release of a tag is the folder, its assets are the files (shared/spec/manifest.md, "Where things lie"). What is
 * there with the right size and digest is not sent again; what was half sent is removed and sent anew.
 */
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { GITHUB_INDEX_TAG } from "../../../shared/manifest/places.ts";
import type { GithubApi } from "./github_api.ts";
import { type Asset, GithubAssets, MAX_ASSETS, readGithubRelease, type Release } from "./github_assets.ts";
import { nextName, nextTo, notFirst, replaceAssets, type Replacement } from "./github_replace.ts";
import type { PublishFolder, PublishPlace, Sent, Upload } from "./place.ts";

/** Below 2 GiB. An upload is in memory: its length must stand before it, and the runtime sends streams without. */
const MAX_ASSET_BYTES = 2_147_483_647;
const UPLOAD_TRIES = 5;
/** So many runs that were cut off, one after the other, are looked through. */
const MOST_UNFINISHED = 8;

/** @param repository `owner/name` */
export function githubPlace(api: GithubApi, repository: string): PublishPlace {
  const base = `${api.base}/repos/${repository}`;
  return {
    name: `${new URL(api.base).host}/${repository}`,
    maxFileBytes: MAX_ASSET_BYTES,
    lockedBy: null,
    async folder(tagName) {
      const tag = tagName ?? GITHUB_INDEX_TAG;
      const found = await findRelease(api, base, tag) ?? await makeRelease(api, base, tag, tagName === null);
      const assets = new GithubAssets(api, base, found);
      await assets.list();
      return new GithubFolder(assets);
    },
  };
}

async function findRelease(api: GithubApi, base: string, tag: string): Promise<Release | null> {
  const url = `${base}/releases/tags/${encodeURIComponent(tag)}`;
  const found = await api.json({ method: "GET", url, expected: [200, 404] });
  return found === null ? null : readGithubRelease(found);
}

async function makeRelease(api: GithubApi, base: string, tag: string, isIndex: boolean): Promise<Release> {
  const name = isIndex ? "Index of releases" : tag;
  // The index is no release: it must not become the one that GitHub calls the latest.
  const more = isIndex ? { prerelease: true, make_latest: "false" } : {};
  const body = { json: { tag_name: tag, name, ...more } };
  try {
    return readGithubRelease(await api.json({ method: "POST", url: `${base}/releases`, body, expected: [201] }));
  } catch (error) {
    // A try before this one got through, and its answer did not.
    const found = isPosternError(error, "conflict") ? await findRelease(api, base, tag) : null;
    if (found === null) throw error;
    return found;
  }
}

class GithubFolder implements PublishFolder {
  readonly #assets: GithubAssets;
  /** What there was when this was opened. */
  readonly #seen: ReadonlyMap<string, Asset>;

  /** @param assets listed */
  constructor(assets: GithubAssets) {
    [this.#assets, this.#seen] = [assets, new Map(assets.known)];
  }

  async put(upload: Upload): Promise<Sent> {
    for (let tries = 1;; tries++) {
      const there = this.#assets.known.get(upload.name);
      if (there !== undefined && isSame(there, upload)) return "there";
      if (there !== undefined) await this.#assets.remove(there);
      else if (this.#assets.known.size >= MAX_ASSETS) {
        throw new PosternError(
          "too_large",
          `a release of GitHub has at most ${MAX_ASSETS} files; publish to a directory`,
        );
      }
      try {
        await this.#upload(upload);
        return "sent";
      } catch (error) {
        // Something of it may have arrived, or all: look, and begin again with what is there.
        const mayPass = isPosternError(error, "network") || isPosternError(error, "conflict");
        if (!mayPass || tries === UPLOAD_TRIES) throw error;
        await this.#assets.list();
      }
    }
  }

  async read(name: string, maxBytes: number): Promise<Bytes | null> {
    const there = this.#assets.known.get(name);
    return there === undefined || there.state !== "uploaded" ? null : await this.#assets.download(there, maxBytes);
  }

  async versions(name: string, maxBytes: number): Promise<Bytes[]> {
    const current = this.#seen.get(name);
    const all = [...current === undefined ? [] : [current], ...nextTo(name, this.#seen).slice(0, MOST_UNFINISHED)];
    const contents: Bytes[] = [];
    for (const one of all.filter(({ state }) => state === "uploaded")) {
      const content = await this.#assets.download(one, maxBytes);
      // Who publishes has replaced it, or given up.
      if (content === null) throw notFirst();
      contents.push(content);
    }
    return contents;
  }

  async replace(files: readonly Upload[]): Promise<void> {
    const run = crypto.randomUUID().replaceAll("-", "");
    const replacements: Replacement[] = [];
    for (const file of files) {
      const name = nextName(file.name, run);
      await this.put({ ...file, name });
      const asset = this.#assets.known.get(name);
      if (asset === undefined) throw new PosternError("network", `GitHub has lost ${name}`);
      replacements.push({ name: file.name, asset });
    }
    await replaceAssets(this.#assets, replacements, this.#seen);
  }

  async requireKept(uploads: readonly Upload[]): Promise<void> {
    if (uploads.length === 0) return;
    await this.#assets.list();
    const changed = uploads.find((upload) => {
      const there = this.#assets.known.get(upload.name);
      return there === undefined || !isKept(there, upload);
    });
    if (changed === undefined) return;
    const advice = "run the same command once more";
    throw new PosternError(
      "conflict",
      `Another process published the same release meanwhile (${changed.name}): ${advice}`,
    );
  }

  async #upload(upload: Upload): Promise<void> {
    const sent = await this.#assets.upload(upload.name, await readWhole(upload));
    if (isKept(sent, upload)) return;
    throw new PosternError("network", `GitHub has ${sent.size} bytes of ${upload.name}, of ${upload.size}`);
  }
}

/** Files of a release are named by their content; of the others, those without a digest are sent again. */
function isSame({ state, size, digest, name }: Asset, upload: Upload): boolean {
  if (state !== "uploaded" || size !== upload.size) return false;
  return digest === null ? name === upload.sha256 : digest === `sha256:${upload.sha256}`;
}

/** Older servers name no digest; then the size has to do. */
function isKept(there: Asset, upload: Upload): boolean {
  return isSame(there, upload) || (there.digest === null && there.state === "uploaded" && there.size === upload.size);
}

async function readWhole(upload: Upload): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const chunk of upload.open()) chunks.push(chunk);
  return concat(...chunks);
}
