/** Where a key in a token is, as a PKCS#11 URI (RFC 7512): `pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so`. */
import { isAbsolute } from "node:path";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { TokenPlace } from "./pkcs11/session.ts";

/** A key in a token. */
export interface TokenKey extends TokenPlace {
  /** Its label. */
  readonly object: string;
}

const EXPECTED = "pkcs11:token=NAME;object=LABEL?module-path=/path/to/library.so";

/** @throws `usage`; the PIN has no place in it, since URIs are shown */
export function parsePkcs11Uri(uri: string): TokenKey {
  const match = /^pkcs11:([^?]*)\?(.*)$/.exec(uri);
  if (match === null || uri.length > LIMITS.maxPkcs11UriChars) throw wrong("it has not that form");
  const found = new Map<string, string>();
  const [, path = "", query = ""] = match;
  for (const attribute of [...path.split(";"), ...query.split("&")]) {
    const [name = "", ...value] = attribute.split("=");
    if (found.has(name)) throw wrong(`it says '${name}' twice`);
    if (name !== "token" && name !== "object" && name !== "module-path") throw wrong(`it says '${name}'`);
    found.set(name, decoded(value.join("=")));
  }
  const [token, object, library] = ["token", "object", "module-path"].map((name) => found.get(name) ?? "");
  if (!token || !object || !library) throw wrong("a part of it is missing");
  if (!isAbsolute(library)) throw wrong("the path of the library is not absolute");
  return { token, object, library };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    throw wrong("it has a '%' that escapes nothing");
  }
}

function wrong(what: string): PosternError {
  return new PosternError("usage", `A key in a token is named by ${EXPECTED}, and nothing else: ${what}`);
}
