/** Every path of the edge's HTTP interface; edge, manager, devices and the OpenAPI document all take them from here. */
import { toHex } from "../bytes/encoding.ts";
import type { Bytes } from "../bytes/bytes.ts";

/** Route patterns, relative to the edge's base path. */
export const ROUTES = {
  health: "/health",
  openapi: "/openapi.json",
  challenge: "/v1/:owner/challenge",
  login: "/v1/:owner/login",
  logout: "/v1/:owner/logout",
  statement: "/v1/:owner/statement",
  head: "/v1/:owner/head",
  record: "/v1/:owner/record",
  rows: "/v1/:owner/rows/:table",
  table: "/v1/:owner/tables/:table",
  tables: "/v1/:owner/tables",
  changes: "/v1/:owner/changes/:table",
  inbox: "/v1/:owner/inbox",
  inboxPart: "/v1/:owner/inbox/parts/:hash",
  push: "/v1/:owner/push",
  pushOne: "/v1/:owner/push/:id",
  pushChunk: "/v1/:owner/push/:id/chunks/:n",
  pushNodes: "/v1/:owner/push/:id/nodes/:n",
  pushTable: "/v1/:owner/push/:id/tables/:table",
  pushCommit: "/v1/:owner/push/:id/commit",
} as const;

export type Route = keyof typeof ROUTES;

/** A path parameter: bytes become lower-case hexadecimal, numbers decimal (spec: CONV-06). */
type PathValue = string | number | Bytes;

/** The path of a route with its parameters filled in, relative to the edge's base path. */
export function pathOf(route: Route, parameters: Readonly<Record<string, PathValue>> = {}): string {
  return ROUTES[route].replace(/:(\w+)/g, (_, name: string) => spell(parameters[name] ?? missing(route, name)));
}

/** A query string in the order given, `?` included; values that are undefined are left out; empty when none is left. */
export function queryOf(parameters: Readonly<Record<string, PathValue | undefined>>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${spell(value)}`
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function spell(value: PathValue): string {
  return value instanceof Uint8Array ? toHex(value) : String(value);
}

function missing(route: Route, name: string): never {
  throw new TypeError(`The route ${route} needs the parameter ${name}`);
}
