/** The edge's own name: its public origin with the base path below which it is mounted (shared/spec/conventions.md). */
import { isPosternError, PosternError } from "../shared/errors.ts";
import { requireOrigin } from "../shared/protocol/origin.ts";

/** What needs no percent encoding, so that a path has one spelling. */
const BASE_PATH = /^(?:\/[A-Za-z0-9._~-]+)*$/;

/** The one spelling by which owner statements and logins name an edge, and its path. */
export interface EdgePlace {
  readonly origin: string;
  readonly basePath: string;
}

/** Brings an origin into its one spelling. @throws `configuration`; the message goes on from the variable's name */
export function normalizeOrigin(text: string): EdgePlace {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw wrong("is no address: write it like https://edge.example/postern.");
  }
  if (url.username !== "" || url.password !== "" || /[?#]/.test(text)) {
    throw wrong("holds more than scheme, host, port and path; remove user, query and fragment.");
  }
  const basePath = url.pathname.replace(/\/$/, "");
  if (!BASE_PATH.test(basePath)) {
    throw wrong("has a path with other characters than letters, digits, '.', '_', '~', '-' and '/', or an empty part.");
  }
  const origin = url.origin + basePath;
  try {
    requireOrigin(origin);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw wrong(
      url.protocol === "http:"
        ? "begins with http:, which is for this machine alone: put a certificate in front and write https:."
        : "is too long.",
    );
  }
  return { origin, basePath };
}

function wrong(message: string): PosternError {
  return new PosternError("configuration", message);
}
