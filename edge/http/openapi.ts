/** The OpenAPI document, made of the same descriptions that requests are read by. */
import { HEADERS } from "../../shared/protocol/http_signature.ts";
import { ROUTES } from "../../shared/protocol/paths.ts";
import { ANSWERS, MEDIA, PROBLEM, REQUESTS } from "../../shared/protocol/wire.ts";
import type { Description } from "./endpoint.ts";
import { type Parameter, PATH_PARAMETERS } from "./parameters.ts";
import { type ProblemCode, PROBLEMS } from "./problem.ts";
import { schemaOf } from "./schemas.ts";

type Json = Record<string, unknown>;

const ANYWHERE: readonly ProblemCode[] = ["malformed", "unsupported", "storage"];
const AREAS = {
  public: "Without a session",
  session: "Any session",
  device: "Devices",
  manager: "The manager",
} as const;

/** The document as JSON. @param origin the edge's, base path included */
export function openApiDocument(origin: string, endpoints: readonly Description[]): string {
  const paths: Record<string, Json> = { ...metaPaths() };
  for (const endpoint of endpoints) {
    const path = templateOf(endpoint.route);
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint) };
  }
  return JSON.stringify({
    openapi: "3.1.0",
    info: {
      title: "Postern edge",
      version: "1",
      description:
        "Bodies are deterministic CBOR. Requests of a session, and their answers, are signed with HTTP Message " +
        "Signatures; the pages in shared/spec say how.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: origin }],
    tags: Object.values(AREAS).map((name) => ({ name })),
    paths,
    components: { schemas: { problem: schemaOf(PROBLEM) }, securitySchemes: { session: sessionScheme() } },
  });
}

function operationOf(endpoint: Description): Json {
  const { route, method, access, query, body, answer, summary } = endpoint;
  return {
    operationId: `${method.toLowerCase()}_${route}`,
    summary,
    tags: [AREAS[access]],
    security: access === "public" ? [] : [{ session: [] }],
    parameters: [
      ...pathParameters(route),
      ...queryParameters(query),
      ...(access === "public" ? [] : signatureHeaders()),
    ],
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { [MEDIA.cbor]: { schema: schemaOf(REQUESTS[body]) } } } }),
    responses: {
      200: { description: "Done", content: { [MEDIA.cbor]: { schema: schemaOf(ANSWERS[answer]) } } },
      ...Object.fromEntries(problemsOf(endpoint).map((code) => [PROBLEMS[code][0], problemResponse(code)])),
    },
  };
}

/** What can go wrong with it, beyond what can go wrong with any. */
function problemsOf({ access, method, body, route }: Description): ProblemCode[] {
  const codes: ProblemCode[] = [...ANYWHERE, "not_found"];
  if (access === "public") codes.push("rate_limited");
  if (access !== "public" || route === "login") codes.push("unauthorized");
  if (access === "device" || access === "manager") codes.push("forbidden");
  if (method !== "GET") codes.push("conflict");
  if (body !== null) codes.push("too_large");
  if (route === "rows" || route === "table" || route === "changes") codes.push("epoch_gone", "conflict");
  return [...new Set(codes)];
}

function problemResponse(code: ProblemCode): Json {
  const content = { [MEDIA.problem]: { schema: { $ref: "#/components/schemas/problem" } } };
  return { description: `${code}: ${PROBLEMS[code][1]}`, content };
}

/** A route's pattern as OpenAPI writes it. */
function templateOf(route: Description["route"]): string {
  return ROUTES[route].replace(/:(\w+)/g, "{$1}");
}

function pathParameters(route: Description["route"]): Json[] {
  const known: Readonly<Record<string, Parameter<unknown>>> = PATH_PARAMETERS;
  return [...ROUTES[route].matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    return { name, in: "path", required: true, schema: known[name]?.schema };
  });
}

function queryParameters(query: Description["query"]): Json[] {
  return Object.entries(query).map(([name, { isOptional, schema }]) => {
    return { name, in: "query", required: isOptional !== true, schema };
  });
}

function signatureHeaders(): Json[] {
  return [HEADERS.digest, HEADERS.input, HEADERS.signature].map((name) => {
    return { name, in: "header", required: true, schema: { type: "string" } };
  });
}

function sessionScheme(): Json {
  return { type: "apiKey", in: "header", name: HEADERS.session, description: "What the login answered as session." };
}

function metaPaths(): Record<string, Json> {
  const json = (schema: Json) => ({ 200: { description: "Done", content: { "application/json": { schema } } } });
  return {
    [ROUTES.health]: {
      get: {
        operationId: "get_health",
        summary: "Whether the edge and its database answer.",
        security: [],
        responses: { ...json(schemaOf(ANSWERS.health)), 503: problemResponse("storage") },
      },
    },
    [ROUTES.openapi]: {
      get: {
        operationId: "get_openapi",
        summary: "This document.",
        security: [],
        responses: json({ type: "object" }),
      },
    },
  };
}
