/** A server that speaks as much of GitHub's API as publishing needs, and fails as told. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";

export const TOKEN = "ghp_a-token-that-no-message-may-show";

interface Asset {
  readonly id: number;
  name: string;
  state: "uploaded" | "starter";
  bytes: Uint8Array<ArrayBuffer>;
}

interface Release {
  readonly id: number;
  readonly tag: string;
  readonly isPrerelease: boolean;
  readonly assets: Asset[];
}

/**
 * What becomes of a request: an answer in the place of the real one; `half` keeps half of an upload, `lost` does it and says nothing of
 * it, `silent` does nothing and never answers.
 */
export type Fault = Response | "half" | "lost" | "silent" | null;

export class FakeGithub implements AsyncDisposable {
  releases: Release[] = [];
  /** `METHOD path`, as they came. */
  readonly log: string[] = [];
  /** Problems that the server saw itself. */
  readonly complaints: string[] = [];
  /** Bytes of uploads that were kept whole, by name. */
  readonly uploaded: string[] = [];
  fault: (what: string) => Fault = () => null;
  hasDigests = true;
  uploadsTo: string | null = null;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #silence = Promise.withResolvers<Response>();
  #ids = 100;

  constructor() {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => this.#handle(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** A file of a release. */
  file(tag: string, name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.releases.find((one) => one.tag === tag)?.assets.find((one) => one.name === name)?.bytes;
  }

  names(tag: string): string[] {
    return (this.releases.find((one) => one.tag === tag)?.assets ?? []).map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#silence.resolve(new Response(null, { status: 504 }));
    await this.#server.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const what = `${request.method} ${url.pathname}`;
    this.log.push(`${what}${url.search}`);
    const body = new Uint8Array(await request.arrayBuffer());
    const isSigned = url.pathname.startsWith("/signed/");
    if ((request.headers.get("authorization") === `Bearer ${TOKEN}`) === isSigned) {
      this.complaints.push(`token: ${what}`);
    }
    const fault = this.fault(what);
    if (fault instanceof Response) return fault;
    if (fault === "silent") return await this.#silence.promise;
    const response = this.#answer(request, url, body, fault === "half");
    return fault === null ? response : Response.json({ message: "Bad Gateway" }, { status: 502 });
  }

  #answer(request: Request, url: URL, body: Uint8Array<ArrayBuffer>, isHalf: boolean): Response {
    const path = url.pathname.replace("/repos/acme/tool", "");
    const [, kind = "", id = "", below] = /^\/(releases|signed)(?:\/([^/]+))?(?:\/(.+))?$/.exec(path) ?? [];
    const assets = this.releases.flatMap((one) => one.assets);
    const signed = kind === "signed" ? assets.find((one) => `${one.id}` === id) : undefined;
    if (signed !== undefined) return new Response(signed.bytes);
    if (kind !== "releases") return missing();
    if (id === "" && request.method === "POST") return this.#make(JSON.parse(new TextDecoder().decode(body)));
    if (id === "tags") return this.#tell(this.releases.find(({ tag }) => tag === below));
    if (id === "assets") return this.#onAsset(request, assets.find((one) => `${one.id}` === below), body, url);
    const release = this.releases.find((one) => `${one.id}` === id);
    if (release === undefined || below !== "assets") return missing();
    if (request.method === "POST") return this.#upload(release, request, url, body, isHalf);
    const page = Number(url.searchParams.get("page")) - 1;
    const size = Number(url.searchParams.get("per_page"));
    return Response.json(release.assets.slice(page * size, (page + 1) * size).map((one) => this.#asset(one)));
  }

  #make({ tag_name: tag, prerelease = false }: { tag_name: string; prerelease?: boolean }): Response {
    if (this.releases.some((one) => one.tag === tag)) return refused("already_exists");
    const release = { id: this.#ids++, tag, isPrerelease: prerelease, assets: [] };
    this.releases.push(release);
    return this.#tell(release, 201);
  }

  #tell(release: Release | undefined, status = 200): Response {
    if (release === undefined) return missing();
    const uploads = `${this.uploadsTo ?? this.url}/repos/acme/tool/releases/${release.id}/assets{?name,label}`;
    return Response.json({ id: release.id, tag_name: release.tag, upload_url: uploads, assets: [] }, { status });
  }

  #upload(release: Release, request: Request, url: URL, body: Uint8Array<ArrayBuffer>, isHalf: boolean): Response {
    const name = url.searchParams.get("name") ?? "";
    if (!request.headers.has("content-length")) return new Response(null, { status: 411 });
    if (release.assets.some((one) => one.name === name)) return refused("already_exists");
    const asset: Asset = { id: this.#ids++, name, state: "uploaded", bytes: body };
    if (isHalf) Object.assign(asset, { state: "starter", bytes: body.slice(0, body.length / 2) });
    else this.uploaded.push(name);
    release.assets.push(asset);
    return Response.json(this.#asset(asset), { status: 201 });
  }

  #onAsset(request: Request, asset: Asset | undefined, body: Uint8Array<ArrayBuffer>, url: URL): Response {
    if (asset === undefined) return missing();
    const release = this.releases.find(({ assets }) => assets.includes(asset));
    switch (request.method) {
      case "DELETE":
        release?.assets.splice(release.assets.indexOf(asset), 1);
        return new Response(null, { status: 204 });
      case "PATCH": {
        const { name } = JSON.parse(new TextDecoder().decode(body));
        if (release?.assets.some((one) => one.name === name)) return refused("already_exists");
        asset.name = name;
        return Response.json(this.#asset(asset));
      }
      default:
        return Response.redirect(new URL(`/signed/${asset.id}`, url), 302);
    }
  }

  #asset({ id, name, state, bytes }: Asset) {
    const digest = this.hasDigests && state === "uploaded" ? `sha256:${toHex(sha256(bytes))}` : null;
    return { id, name, state, size: bytes.length, digest };
  }
}

function missing(): Response {
  return Response.json({ message: "Not Found" }, { status: 404 });
}

function refused(why: string): Response {
  return Response.json({ message: "Validation Failed", errors: [{ code: why }] }, { status: 422 });
}
