/** The one spelling of an edge's origin (shared/spec/conventions.md, "Identifiers" and "Transport"). */
import { PosternError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * Passes an origin with base path exactly as it must stand in statements, grants and transcripts, and returns its base path, empty
 * or starting with a slash.
 *
 * @throws `malformed` for another spelling, or plain HTTP to anything but this machine
 */
export function requireOrigin(origin: string): string {
  const url = URL.canParse(origin) && origin.length <= LIMITS.maxOriginChars ? new URL(origin) : null;
  const path = url?.pathname.replace(/\/$/, "") ?? "";
  if (url === null || `${url.protocol}//${url.host}${path}` !== origin) {
    throw new PosternError(
      "malformed",
      "An edge's origin is scheme, host, port unless it is the usual one, and base path, without a slash at its end",
    );
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new PosternError("malformed", `An edge is reached by https, or by http on this machine; not by ${origin}`);
  }
  return path;
}

/**
 * Whether what goes to a URL may be secret, and what comes from it taken: nobody on the way can see it, or it never leaves this machine.
 * Names below `localhost` do not count here, since a resolver may take them elsewhere.
 */
export function isProtected(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && THIS_MACHINE.includes(url.hostname));
}

const THIS_MACHINE: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

/** Whether an edge's host is this machine, so that browsers let its devices work over plain HTTP. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
