import * as v from "valibot";
import { ENDPOINTS } from "../../../edge/app.ts";
import { openApiDocument } from "../../../edge/http/openapi.ts";
import { schemaOf } from "../../../edge/http/schemas.ts";
import { PROBLEMS } from "../../../edge/http/problem.ts";
import { ROUTES } from "../../../shared/protocol/paths.ts";
import { bytesOf, bytesUpTo } from "../../../shared/protocol/shapes.ts";
import { ANSWERS, REQUESTS } from "../../../shared/protocol/wire.ts";
import { assert, assertEquals } from "../../assert.ts";

interface Operation {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: unknown }> }>;
}

const document = JSON.parse(openApiDocument("https://edge.example/postern", ENDPOINTS)) as {
  paths: Record<string, Record<string, Operation>>;
};

Deno.test("openApiDocument() describes every endpoint with what its requests are read by", () => {
  const ids = new Set<string>();
  for (const { route, method, access, query, body, answer } of ENDPOINTS) {
    const path = ROUTES[route].replace(/:(\w+)/g, "{$1}");
    const operation = document.paths[path]?.[method.toLowerCase()];
    assert(operation !== undefined, `${method} ${route}`);
    ids.add(operation.operationId);
    assertEquals(operation.security.length, access === "public" ? 0 : 1, operation.operationId);
    const given = operation.parameters.filter((one) => one.in === "query").map(({ name }) => name);
    assertEquals(given, Object.keys(query));
    const inPath = operation.parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
    assertEquals(inPath, path.match(/\{\w+\}/g) ?? []);
    const described = operation.requestBody?.content["application/cbor"]?.schema;
    assertEquals(described, body === null ? undefined : schemaOf(REQUESTS[body]));
    assertEquals(operation.responses["200"]?.content["application/cbor"]?.schema, schemaOf(ANSWERS[answer]));
    const statuses: number[] = Object.values(PROBLEMS).map(([status]) => status);
    for (const status of Object.keys(operation.responses)) {
      assert(status === "200" || statuses.includes(Number(status)));
    }
  }
  assertEquals(ids.size, ENDPOINTS.length);
});

Deno.test("openApiDocument() tells which parameters may be left out", () => {
  const parameters = document.paths["/v1/{owner}/rows/{table}"]?.["get"]?.parameters ?? [];
  const required = parameters.filter((one) => one.in === "query" && one.required).map(({ name }) => name);
  assertEquals(required, ["epoch", "token"]);
});

Deno.test("schemaOf() says of byte strings how long they are, and refuses what it does not know", () => {
  assert(JSON.stringify(schemaOf(bytesOf(32))).includes("bstr .size 32"));
  assert(JSON.stringify(schemaOf(bytesUpTo(64, 1))).includes("bstr .size (1..64)"));
  const strange = v.custom<string>((value) => value === "strange", "must be strange");
  let thrown: unknown;
  try {
    schemaOf(strange);
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof TypeError && thrown.message.includes("must be strange"));
});
