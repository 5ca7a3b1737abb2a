/**
 * Publishing to GitHub: a release of a tag is the folder, its assets are the files (shared/spec/manifest.md, "Where things lie"). What is
 * there with the right size and digest is not sent again; what was half sent is removed and sent anew.
 */
import * as v from "valibot";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { isPosternError, PosternError } from "../../../shared/errors.ts";
import { GITHUB_INDEX_TAG } from "../../../shared/manifest/places.ts";
import type { GithubApi } from "./github_api.ts";
import type { PublishFolder, PublishPlace, Sent, Upload } from "./place.ts";

/** Below 2 GiB. An upload is in memory: its length must stand before it, and the runtime sends streams without. */
const MAX_ASSET_BYTES = 2_147_483_647;
const MAX_ASSETS = 1_000;
const PAGE = 100;
const UPLOAD_TRIES = 5;

const release = v.object({ id: v.pipe(v.number(), v.safeInteger()), upload_url: v.string() });
const asset = v.object({
  id: v.pipe(v.number(), v.safeInteger()),
  name: v.string(),
  size: v.number(),
  state: v.string(),
  digest: v.optional(v.nullable(v.string()), null),
});
const assets = v.array(asset);

type Asset = v.InferOutput<typeof asset>;

/** @param repository `owner/name` */
export function githubPlace(api: GithubApi, repository: string): PublishPlace {
  return {
    name: `${new URL(api.base).host}/${repository}`,
    maxFileBytes: MAX_ASSET_BYTES,
    lockedBy: null,
    async folder(tagName) {
      const folder = new GithubRelease(api, `${api.base}/repos/${repository}`, tagName ?? GITHUB_INDEX_TAG);
      await folder.open(tagName === null);
      return folder;
    },
  };
}

class GithubRelease implements PublishFolder {
  readonly #api: GithubApi;
  readonly #repository: string;
  readonly #tag: string;
  #id = 0;
  #uploads = "";
  readonly #assets = new Map<string, Asset>();

  constructor(api: GithubApi, repository: string, tag: string) {
    this.#api = api;
    this.#repository = repository;
    this.#tag = tag;
  }

  /** Finds the release, or makes it. */
  async open(isIndex: boolean): Promise<void> {
    const found = await this.#find() ?? await this.#make(isIndex);
    this.#id = found.id;
    // A URI template: https://uploads.github.com/repos/o/r/releases/1/assets{?name,label}
    this.#uploads = found.upload_url.replace(/\{.*$/, "");
    await this.#list();
  }

  async put(upload: Upload): Promise<Sent> {
    for (let tries = 1;; tries++) {
      const there = this.#assets.get(upload.name);
      if (there !== undefined && isSame(there, upload)) return "there";
      if (there !== undefined) await this.#remove(there);
      else if (this.#assets.size >= MAX_ASSETS) {
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
        await this.#list();
      }
    }
  }

  async read(name: string, maxBytes: number): Promise<Bytes | null> {
    const there = this.#assets.get(name);
    if (there === undefined || there.state !== "uploaded") return null;
    const url = `${this.#repository}/releases/assets/${there.id}`;
    const request = { method: "GET", url, accept: "application/octet-stream", expected: [200, 404] } as const;
    const { status, bytes } = await this.#api.send(request, maxBytes);
    return status === 404 ? null : bytes;
  }

  async rename(from: string, to: string): Promise<void> {
    const there = this.#assets.get(from);
    if (there === undefined) throw new PosternError("not_found", `the release ${this.#tag} has no file ${from}`);
    const before = this.#assets.get(to);
    if (before !== undefined) await this.#remove(before);
    const url = `${this.#repository}/releases/assets/${there.id}`;
    const body = { json: { name: to } };
    const renamed = parse(asset, await this.#api.json({ method: "PATCH", url, body, expected: [200] }));
    this.#assets.delete(from);
    this.#assets.set(to, renamed);
  }

  async #find() {
    const url = `${this.#repository}/releases/tags/${encodeURIComponent(this.#tag)}`;
    const found = await this.#api.json({ method: "GET", url, expected: [200, 404] });
    return found === null ? null : parse(release, found);
  }

  async #make(isIndex: boolean) {
    const name = isIndex ? "Index of releases" : this.#tag;
    // The index is no release: it must not become the one that GitHub calls the latest.
    const more = isIndex ? { prerelease: true, make_latest: "false" } : {};
    const body = { json: { tag_name: this.#tag, name, ...more } };
    try {
      const url = `${this.#repository}/releases`;
      return parse(release, await this.#api.json({ method: "POST", url, body, expected: [201] }));
    } catch (error) {
      // A try before this one got through, and its answer did not.
      const found = isPosternError(error, "conflict") ? await this.#find() : null;
      if (found === null) throw error;
      return found;
    }
  }

  async #list(): Promise<void> {
    this.#assets.clear();
    for (let page = 1; page <= MAX_ASSETS / PAGE + 1; page++) {
      const url = `${this.#repository}/releases/${this.#id}/assets?per_page=${PAGE}&page=${page}`;
      const found = parse(assets, await this.#api.json({ method: "GET", url, expected: [200] }));
      for (const one of found) this.#assets.set(one.name, one);
      if (found.length < PAGE) return;
    }
  }

  async #remove(there: Asset): Promise<void> {
    const url = `${this.#repository}/releases/assets/${there.id}`;
    await this.#api.send({ method: "DELETE", url, expected: [204, 404] });
    this.#assets.delete(there.name);
  }

  async #upload(upload: Upload): Promise<void> {
    const url = `${this.#uploads}?name=${encodeURIComponent(upload.name)}`;
    const body = { bytes: await readWhole(upload) };
    const sent = parse(asset, await this.#api.json({ method: "POST", url, body, expected: [201] }));
    this.#assets.set(upload.name, sent);
    // Older servers name no digest; then the size has to do.
    if (isSame(sent, upload) || (sent.digest === null && sent.state === "uploaded" && sent.size === upload.size)) {
      return;
    }
    throw new PosternError("network", `GitHub has ${sent.size} bytes of ${upload.name}, of ${upload.size}`);
  }
}

/** Files of a release are named by their content; of the others, those without a digest are sent again. */
function isSame({ state, size, digest, name }: Asset, upload: Upload): boolean {
  if (state !== "uploaded" || size !== upload.size) return false;
  return digest === null ? name === upload.sha256 : digest === `sha256:${upload.sha256}`;
}

async function readWhole(upload: Upload): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const chunk of upload.open()) chunks.push(chunk);
  return concat(...chunks);
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new PosternError("malformed", "GitHub's answer has not the form that its API promises");
}
