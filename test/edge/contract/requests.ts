/** Signed requests: right, forged in every part, replayed, reordered, late (shared/spec/session.md). */
import { toBase64Url } from "../../../shared/bytes/encoding.ts";
import { contentDigest, HEADERS, signRequest } from "../../../shared/protocol/http_signature.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";
import { assertAlike } from "./alike.ts";
import { type Answer, type Ask, codeOf, type Forgery, type HeaderList, type RawClient, send } from "./client.ts";
import { Household } from "./household.ts";
import { nobody } from "./target.ts";

/** Replaces the value of one header. */
function header(name: string, change: (value: string) => string): Forgery {
  return { headers: (all) => all.map(([key, value]) => [key, key === name ? change(value) : value] as const) };
}

/** Leaves one header out, or sends it a second time. */
function without(name: string): Forgery {
  return { headers: (all) => all.filter(([key]) => key !== name) };
}
function twice(name: string): Forgery {
  return { headers: (all): HeaderList => [...all, ...all.filter(([key]) => key === name)] };
}

/** Changes a character in the middle into another one of its kind. */
function nudge(value: string): string {
  const at = Math.floor(value.length / 2);
  return value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
}

export async function requestContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const home = await Household.move(client);
  const session = await home.asDevice();
  const head: Ask = { route: "head" };
  const box = home.box();
  const rows: Ask = { route: "rows", path: { table: "messages" }, query: { ...box, from: 1 } };

  await t.step("requests are answered in any order and side by side, each under its own number (SESS-10)", async () => {
    const started = session.number;
    session.number += 200;
    const numbers = Array.from({ length: 100 }, (_, i) => started + 1 + ((i * 37) % 100));
    const exchanges = await Promise.all(numbers.map((number) => session.exchange(rows, { number })));
    assert(exchanges.every(({ answer, isSigned }) => answer.status === 200 && isSigned));
  });

  await t.step(
    "requests that are forged in any part get one answer that tells no cause (SESS-09, SESS-11, CONV-10)",
    async () => {
      const other = await home.asDevice(1);
      const foreign = await (await Household.move(client)).asDevice();
      const ping: Ask = { method: "POST", route: "logout" };
      const { input, digest, signature, session: token } = HEADERS;
      const at = client.at("head", { owner: session.owner });
      const cases: Readonly<Record<string, readonly [Ask, Forgery]>> = {
        "another path": [head, { sentTo: client.at("record", { owner: session.owner }) }],
        "another query": [rows, {
          sentTo: `${client.at("rows", { owner: session.owner, table: "messages" })}?epoch=1`,
        }],
        "a query added": [head, { sentTo: `${at}?limit=1` }],
        "another owner's path": [head, { sentTo: client.at("head", { owner: foreign.owner }) }],
        "another method": [{ ...head, method: "GET" }, {
          sentMethod: "DELETE",
          sentTo: client.at("tables", { owner: session.owner }),
        }],
        "a body added": [ping, { sentBody: nobody(10) }],
        "a body exchanged": [{ method: "POST", route: "inbox", body: { submission: nobody(40) } }, {
          sentBody: nobody(55),
        }],
        "a body and its digest exchanged": [ping, {
          ...header(digest, () => contentDigest(nobody(10))),
          sentBody: nobody(10),
        }],
        "a changed digest": [head, header(digest, nudge)],
        "a changed signature": [head, header(signature, nudge)],
        "a shorter signature": [head, header(signature, (value) => `${value.slice(0, 20)}:`)],
        "another label": [head, header(signature, (value) => value.replace("postern", "other"))],
        "another algorithm": [head, header(input, (value) => value.replace("hmac-sha256", "hmac-sha512"))],
        "a parameter more": [head, header(input, (value) => `${value};keyid="x"`)],
        "a component less": [head, header(input, (value) => value.replace(' "@query"', ""))],
        "another number": [head, header(input, (value) => value.replace(/"C-\d+"/, '"C-999999"'))],
        "the number of an answer": [head, header(input, (value) => value.replace('"C-', '"S-'))],
        "number zero": [head, { number: 0 }],
        "a changed token": [head, header(token, nudge)],
        "a cut token": [head, header(token, (value) => value.slice(4))],
        "a made-up token": [head, header(token, () => toBase64Url(nobody(180)))],
        "another session's token": [head, header(token, () => other.token)],
        "another owner's token": [head, header(token, () => foreign.token)],
        "no token": [head, without(token)],
        "no digest": [head, without(digest)],
        "no input": [head, without(input)],
        "no signature": [head, without(signature)],
        "two tokens": [head, twice(token)],
        "two digests": [head, twice(digest)],
        "two inputs": [head, twice(input)],
        "two signatures": [head, twice(signature)],
        "made a minute too early": [head, { createdOff: LIMITS.createdSkewSeconds + 3 }],
        "made a minute too late": [head, { createdOff: -LIMITS.createdSkewSeconds - 3 }],
        "made by a clock a day behind": [head, { createdOff: -86_400 }],
        "made by a clock a day ahead": [head, { createdOff: 86_400 }],
      };
      const answers: Record<string, Answer> = {};
      for (const [cause, [ask, forgery]] of Object.entries(cases)) {
        const { answer, isSigned } = await session.exchange(ask, forgery);
        assert(!isSigned, cause);
        answers[cause] = answer;
      }
      const { place, init } = session.prepare(head);
      await session.exchange(head, { number: session.number });
      answers["the same bytes again"] = await send(client.target, place, init);
      answers["signed with the other direction's key"] = await signedWithAnswersKey();
      answers["nothing at all"] = await send(client.target, at);
      assertAlike(answers);
      // None of it did any harm.
      await session.ask("head", head);

      async function signedWithAnswersKey(): Promise<Answer> {
        const { place, init } = session.prepare(head);
        const all = new Headers(init.headers);
        const stamp = { created: Number(/created=(\d+)/.exec(all.get(input) ?? "")?.[1]), number: session.number };
        const parts = { method: "GET", path: place, query: "?", digest: all.get(digest) ?? "", session: session.token };
        const forged = signRequest(session.keys.s2c, parts, stamp);
        all.set(signature, forged.signature);
        return await send(client.target, place, { headers: all });
      }
    },
  );

  await t.step("requests are taken within a minute of the edge's clock (SESS-11)", async () => {
    for (const createdOff of [-57, 57]) {
      const { answer } = await session.exchange(head, { createdOff });
      assertEquals(answer.status, 200, String(createdOff));
    }
  });

  await t.step(
    "requests that were seen are refused when they come again, whatever came between (SESS-11, SESS-12)",
    async () => {
      const { place, init } = session.prepare(head);
      const first = await send(client.target, place, init);
      assertEquals(first.status, 200);
      session.number += LIMITS.requestWindow - 1;
      await session.ask("head", head);
      assertEquals(codeOf(await send(client.target, place, init)), "unauthorized");
      session.number += 2;
      await session.ask("head", head);
      assertEquals(codeOf(await send(client.target, place, init)), "unauthorized");
      const both = session.prepare(head);
      const answers = await Promise.all([1, 2, 3].map(() => send(client.target, both.place, both.init)));
      assertEquals(answers.map(({ status }) => status).sort(), [200, 401, 401]);
    },
  );

  await t.step("logout ends the session, and no other one (SESS-14)", async () => {
    const [ending, staying] = [await home.asDevice(), await home.asDevice()];
    await ending.ask("empty", { method: "POST", route: "logout" });
    for (const ask of [head, rows, { route: "record" }, { method: "POST", route: "logout" }] as const) {
      assertEquals(await ending.refused(ask), "unauthorized", ask.route);
    }
    await staying.ask("head", head);
    const manager = await home.asManager();
    await manager.ask("empty", { method: "POST", route: "logout" });
    assertEquals(await manager.refused({ route: "push" }), "unauthorized");
    assertEquals(await staying.refused({ method: "POST", route: "logout", body: {} }), "malformed");
  });

  await t.step(
    "answers are signed whatever their status when the request is the session's (SESS-13, CONV-09)",
    async () => {
      assertEquals(await session.refused({ ...rows, query: { ...box, from: 1, epoch: 7 } }), "epoch_gone");
      assertEquals(await session.refused({ ...rows, query: "" }), "malformed");
      assertEquals(await session.refused({ route: "push" }), "forbidden");
      assertEquals(await session.refused({ route: "inboxPart", path: { hash: nobody(32) } }), "not_found");
      assertEquals(await session.refused({ method: "PATCH", route: "head" }), "not_found");
      const manager = await home.asManager();
      const body = { id: nobody(), base: 9, epoch: 9, incarnation: nobody(), full: true, chunks: 1 };
      assertEquals(await manager.refused({ method: "POST", route: "push", body }), "conflict");
      const large = { method: "POST", route: "push", bytes: nobody(LIMITS.maxBodyBytes + 1) } as const;
      assertEquals(await manager.refused(large), "too_large");
      const typed: Forgery = {
        headers: (all) => all.map(([key, value]) => [key, key === "content-type" ? "text/plain" : value]),
      };
      assertEquals(await manager.refused({ method: "POST", route: "push", body }, typed), "unsupported");
      const encoded: Forgery = { headers: (all) => [...all, ["content-encoding", "identity"]] };
      assertEquals(await manager.refused({ method: "POST", route: "push", body }, encoded), "unsupported");
    },
  );
}
