/** Releases on a web server, or as the assets of GitHub's releases. */
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { GITHUB_INDEX_TAG } from "../../shared/manifest/places.ts";
import { isProtected } from "../../shared/protocol/origin.ts";
import type { SourceConfig } from "./config.ts";
import type { Opened, ReleaseSource } from "./source.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type HttpConfig = Exclude<SourceConfig, { kind: "folder" }>;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const ABSENT: readonly number[] = [404, 410];

export function httpSource(config: HttpConfig, fetch: Fetch): ReleaseSource {
  return {
    async open(place, from, signal) {
      const response = await follow(fetch, urlOf(config, place), from, signal);
      if (ABSENT.includes(response.status)) {
        await response.body?.cancel();
        return null;
      }
      return await opened(response, place, from);
    },
  };
}

/** The URL of a place. Its parts allow nothing that a URL would read otherwise (spec: MAN-24). */
export function urlOf(config: HttpConfig, place: string): string {
  const segments = place.split("/").map(encodeURIComponent);
  if (config.kind === "http") return [config.url, ...segments].join("/");
  const inTag = segments.length > 1 ? segments : [GITHUB_INDEX_TAG, ...segments];
  return [config.base, config.repository, "releases/download", ...inTag].join("/");
}

async function follow(fetch: Fetch, first: string, from: number, signal: AbortSignal): Promise<Response> {
  const headers = { "accept-encoding": "identity", ...(from === 0 ? {} : { range: `bytes=${from}-` }) };
  let url = first;
  for (let redirects = 0; redirects <= LIMITS.maxRedirects; redirects++) {
    const response = await fetch(url, { headers, redirect: "manual", signal, credentials: "omit" });
    if (!REDIRECTS.includes(response.status)) return response;
    await response.body?.cancel();
    const next = URL.parse(response.headers.get("location") ?? "", url);
    if (next === null || !isProtected(next)) throw new PosternError("network", "the source leads to no https URL");
    url = next.href;
  }
  throw new PosternError("network", `the source leads on more than ${LIMITS.maxRedirects} times`);
}

async function opened(response: Response, place: string, from: number): Promise<Opened> {
  const { status, body, headers } = response;
  const begins = status === 206 ? /^bytes (\d{1,15})-/.exec(headers.get("content-range") ?? "")?.[1] : "0";
  if ((status === 200 || status === 206) && (begins === "0" || Number(begins) === from)) {
    return { body: body ?? new Blob([]).stream(), from: Number(begins) };
  }
  await body?.cancel();
  throw new PosternError("network", `the source answers ${status} for ${place}`);
}
