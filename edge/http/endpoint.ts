/**
 * Endpoints: each is described once, and from the description follow how requests are read, who is let in, and what the OpenAPI
 * document says.
 */
import type * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { SessionKeys } from "../../shared/protocol/login.ts";
import type { Route } from "../../shared/protocol/paths.ts";
import type { ANSWERS, REQUESTS } from "../../shared/protocol/wire.ts";
import type { EdgeIdentity } from "../session/identity.ts";
import type { Logins } from "../session/login.ts";
import type { Principal } from "../store/principal.ts";
import type { EdgeStore } from "../store/store.ts";
import type { PathValues, QuerySpec, QueryValues } from "./parameters.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Who may call: anybody, within rate limits; any session; a device's or the manager's alone. */
export type Access = "public" | "session" | "device" | "manager";

export type RequestName = keyof typeof REQUESTS;
export type AnswerName = keyof typeof ANSWERS;

/** Everything about an endpoint but what it does. */
export interface Description {
  readonly route: Route;
  readonly method: Method;
  readonly access: Access;
  readonly query: QuerySpec;
  /** The shape of the body; null for requests without one. */
  readonly body: RequestName | null;
  readonly answer: AnswerName;
  /** One sentence. */
  readonly summary: string;
}

/** A request that was let in and read. */
export interface Call {
  readonly store: EdgeStore;
  readonly identity: EdgeIdentity;
  readonly logins: Logins;
  /** When it came, Millis. */
  readonly now: number;
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The body's `content-digest`, checked; null for public endpoints. */
  readonly digest: string | null;
  /** Null for public endpoints. */
  readonly principal: Principal | null;
}

/** What an endpoint answers: values for the body, and for a login the keys of the session that it opens. */
export interface Outcome {
  readonly body: unknown;
  readonly keys?: SessionKeys;
}

export interface Endpoint extends Description {
  handle(call: Call): Promise<Outcome>;
}

type Sent<T> = T extends Bytes ? T : { readonly [K in keyof T]: Sent<T[K]> };

interface TypedCall<D extends Description> extends Call {
  readonly path: PathValues<D["route"]>;
  readonly query: QueryValues<D["query"]>;
  readonly body: D["body"] extends RequestName ? v.InferOutput<(typeof REQUESTS)[D["body"]]> : null;
  readonly principal: D["access"] extends "public" ? null : Principal;
  readonly digest: D["access"] extends "public" ? null : string;
}

interface TypedOutcome<D extends Description> extends Outcome {
  readonly body: Sent<v.InferOutput<(typeof ANSWERS)[D["answer"]]>>;
}

/** An endpoint; the compiler holds what it does against its description. */
export function endpoint<const D extends Description>(
  description: D,
  handle: (call: TypedCall<D>) => Promise<TypedOutcome<D>>,
): Endpoint {
  // The gate reads path, query, body and principal by the description before it calls.
  return { ...description, handle: handle as (call: Call) => Promise<Outcome> };
}
