/** The assets of one release of GitHub (https://docs.github.com/en/rest/releases/assets). A name is one asset's alone: GitHub sees to that. */
import * as v from "valibot";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import type { GithubApi } from "./github_api.ts";

export const MAX_ASSETS = 1_000;
const PAGE = 100;

const release = v.object({ id: v.pipe(v.number(), v.safeInteger()), upload_url: v.string() });
const asset = v.object({
  id: v.pipe(v.number(), v.safeInteger()),
  name: v.string(),
  size: v.number(),
  state: v.string(),
  digest: v.optional(v.nullable(v.string()), null),
});
const assets = v.array(asset);

export type Release = v.InferOutput<typeof release>;
export type Asset = v.InferOutput<typeof asset>;

/** What GitHub says that a release is. @throws `malformed` */
export function readGithubRelease(value: unknown): Release {
  return parse(release, value);
}

export class GithubAssets {
  readonly #api: GithubApi;
  readonly #repository: string;
  readonly #id: number;
  readonly #uploads: string;
  readonly #known = new Map<string, Asset>();

  /** @param repository URL of the API, without a slash at the end */
  constructor(api: GithubApi, repository: string, { id, upload_url }: Release) {
    [this.#api, this.#repository, this.#id] = [api, repository, id];
    // A URI template: https://uploads.github.com/repos/o/r/releases/1/assets{?name,label}
    this.#uploads = upload_url.replace(/\{.*$/, "");
  }

  /** As they were listed last, and what was done since. */
  get known(): ReadonlyMap<string, Asset> {
    return this.#known;
  }

  async list(): Promise<void> {
    this.#known.clear();
    for (let page = 1; page <= MAX_ASSETS / PAGE + 1; page++) {
      const url = `${this.#repository}/releases/${this.#id}/assets?per_page=${PAGE}&page=${page}`;
      const found = parse(assets, await this.#api.json({ method: "GET", url, expected: [200] }));
      for (const one of found) this.#known.set(one.name, one);
      if (found.length < PAGE) return;
    }
  }

  /** The content, or null if it is gone. @throws `too_large` */
  async download({ id }: Asset, maxBytes: number): Promise<Bytes | null> {
    const accept = "application/octet-stream";
    const request = { method: "GET", url: this.#urlOf(id), accept, expected: [200, 404] } as const;
    const { status, bytes } = await this.#api.send(request, maxBytes);
    return status === 404 ? null : bytes;
  }

  /** @throws `conflict` if the name is taken */
  async upload(name: string, bytes: Bytes): Promise<Asset> {
    const url = `${this.#uploads}?name=${encodeURIComponent(name)}`;
    const sent = parse(asset, await this.#api.json({ method: "POST", url, body: { bytes }, expected: [201] }));
    this.#known.set(name, sent);
    return sent;
  }

  /** @returns false if it was gone */
  async remove({ id, name }: Asset): Promise<boolean> {
    const { status } = await this.#api.send({ method: "DELETE", url: this.#urlOf(id), expected: [204, 404] });
    if (this.#known.get(name)?.id === id) this.#known.delete(name);
    return status === 204;
  }

  /** Gives it another name. @returns false if it is gone, or the name is taken */
  async rename({ id }: Asset, name: string): Promise<boolean> {
    const body = { json: { name } };
    const { status } = await this.#api.send({ method: "PATCH", url: this.#urlOf(id), body, expected: [200, 404, 422] });
    // Also a try whose answer was lost has taken the name, and the next one is refused.
    await this.list();
    return status === 200 || this.#known.get(name)?.id === id;
  }

  #urlOf(id: number): string {
    return `${this.#repository}/releases/assets/${id}`;
  }
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new PosternError("malformed", "GitHub's answer has not the form that its API promises");
}
