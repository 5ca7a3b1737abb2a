/** What every answer has, and what browsers, monitors and people ask (shared/spec/conventions.md, "Transport"). */
import { LIMITS } from "../../../shared/limits.ts";
import { HEADERS } from "../../../shared/protocol/http_signature.ts";
import { ROUTES } from "../../../shared/protocol/paths.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type Answer, codeOf, type RawClient, send } from "./client.ts";
import { Household } from "./household.ts";
import { nobody, type Target } from "./target.ts";

const ORIGIN = { origin: "https://app.example" };

export async function transportContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const { target, cast } = client;
  const home = await Household.move(client);
  const session = await home.asDevice();

  await t.step("browsers may ask from any site, and read what they need of the answer (CONV-08)", async () => {
    const path = client.at("head", { owner: home.owner.id });
    const preflight = await send(target, path, {
      method: "OPTIONS",
      headers: { ...ORIGIN, "access-control-request-method": "GET", "access-control-request-headers": HEADERS.session },
    });
    assertEquals([preflight.status, preflight.body.length], [204, 0]);
    assertEquals(preflight.headers.get("access-control-allow-origin"), "*");
    assertEquals(preflight.headers.get("access-control-allow-credentials"), null);
    assertEquals(preflight.headers.get("access-control-allow-methods"), "GET, POST, PUT, DELETE");
    const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ") ?? [];
    for (const name of ["content-type", ...Object.values(HEADERS)]) assert(allowed.includes(name), name);
    assert(Number(preflight.headers.get("access-control-max-age")) >= 3_600);

    const good = await session.exchange({ route: "head" }, { headers: (all) => [...all, ["origin", ORIGIN.origin]] });
    const refused = await send(target, path, { headers: ORIGIN });
    for (const { status, headers } of [good.answer, refused]) {
      assertEquals(headers.get("access-control-allow-origin"), "*", String(status));
      const exposed = headers.get("access-control-expose-headers")?.split(", ") ?? [];
      for (const name of [HEADERS.digest, HEADERS.signature, HEADERS.input, "retry-after"]) {
        assert(exposed.includes(name), name);
      }
    }
    assert(good.isSigned && good.answer.status === 200 && refused.status === 401);
    const forbidden = await session.exchange({ route: "push" });
    for (const { headers } of [good.answer, refused, forbidden.answer]) assertEquals(headers.get("retry-after"), null);
  });

  await t.step("answers are never cached, changed on the way, or taken for something else (CONV-08)", async () => {
    const { answer } = await session.exchange({ route: "record" }, {
      headers: (all) => [...all, ["accept-encoding", "gzip, br"]],
    });
    for (const one of [answer, await send(target, client.at("challenge", { owner: nobody(32) }))]) {
      assertEquals(one.headers.get("cache-control"), "no-store, no-transform");
      assertEquals(one.headers.get("x-content-type-options"), "nosniff");
      assertEquals(one.headers.get("content-encoding"), null);
      assertEquals(one.headers.get("set-cookie"), null);
    }
  });

  await t.step(
    "bodies are read to their limit and no further, whether a length is declared or not (CONV-08)",
    async () => {
      const path = client.at("login", { owner: home.owner.id });
      const type = { "content-type": "application/cbor" };
      let pulled = 0;
      let isAnswered = false;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          // A client goes on sending even when nobody wants it any more.
          if (isAnswered) return controller.error(new Error("answered"));
          pulled += 65_536;
          controller.enqueue(new Uint8Array(65_536));
        },
      });
      const streamed = await sendTooMuch(target, path, { method: "POST", body: endless, headers: type });
      isAnswered = true;
      if (streamed !== null) assertEquals([streamed.status, codeOf(streamed)], [413, "too_large"]);
      assert(pulled < 64 * LIMITS.maxBodyBytes, `${pulled} bytes were taken`);
      const declared = await sendTooMuch(target, path, {
        method: "POST",
        body: nobody(LIMITS.maxBodyBytes + 1),
        headers: type,
      });
      if (declared !== null) assertEquals(codeOf(declared), "too_large");
      const largest = await send(target, path, { method: "POST", body: nobody(LIMITS.maxBodyBytes), headers: type });
      assertEquals(codeOf(largest), "malformed");
    },
  );

  await t.step(
    "paths that are nobody's are not found, and neither is what lies outside of the base path (CONV-09)",
    async () => {
      const owner = home.owner.id;
      const paths = [
        `${cast.basePath}/`,
        `${cast.basePath}/v1`,
        `${cast.basePath}/v2${client.at("head", { owner }).slice(cast.basePath.length + 3)}`,
        `${client.at("head", { owner })}/`,
        `${client.at("head", { owner })}x`,
        `/elsewhere${client.at("challenge", { owner })}`,
        client.at("challenge", { owner }).replace("/challenge", "//challenge"),
        ...(cast.basePath === "" ? [] : [client.at("challenge", { owner }).slice(cast.basePath.length), "/health"]),
      ];
      for (const path of paths) {
        const answer = await send(target, path);
        assertEquals([answer.status, codeOf(answer)], [404, "not_found"], path);
      }
      const method = await send(target, client.at("challenge", { owner }), { method: "PUT", body: nobody() });
      assertEquals(codeOf(method), "not_found");
      assertEquals(await session.refused({ route: "challenge", method: "DELETE" }), "not_found");
    },
  );

  await t.step("health tells monitors whether the database answers (CONV-09)", async () => {
    const answer = await send(target, client.at("health"));
    const { ok, time } = JSON.parse(new TextDecoder().decode(answer.body)) as { ok: boolean; time: number };
    assertEquals([answer.status, ok, answer.headers.get("content-type")], [200, true, "application/json"]);
    assert(time > 1_700_000_000_000);
    assertEquals((await send(target, client.at("health"), { method: "HEAD" })).status, 200);
  });

  await t.step(
    "the OpenAPI document names every route, its parameters, and the length of its byte strings",
    async () => {
      const answer = await send(target, client.at("openapi"));
      const document = JSON.parse(new TextDecoder().decode(answer.body)) as {
        openapi: string;
        servers: { url: string }[];
        paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
      };
      assertEquals([document.openapi, document.servers[0]?.url], ["3.1.0", cast.edge.origin]);
      const patterns = Object.values(ROUTES).map((pattern) => pattern.replace(/:(\w+)/g, "{$1}"));
      assertEquals(Object.keys(document.paths).sort(), patterns.sort());
      const rows = document.paths["/v1/{owner}/rows/{table}"]?.["get"]?.parameters?.map(({ name }) => name) ?? [];
      for (const name of ["owner", "table", "epoch", "token", "from", "before", "limit"]) {
        assert(
          rows.includes(name),
          name,
        );
      }
      assert(new TextDecoder().decode(answer.body).includes("bstr .size 64"));
    },
  );
}

/**
 * Sends a body that is refused before its end. A server may then hang up, and a client that was still sending sees a broken
 * connection instead of the answer (RFC 9112 section 9.6): null. In one process there is no connection to break.
 */
async function sendTooMuch(target: Target, path: string, init: RequestInit): Promise<Answer | null> {
  try {
    return await send(target, path, init);
  } catch (error) {
    if (target.clock === null && error instanceof TypeError) return null;
    throw error;
  }
}
