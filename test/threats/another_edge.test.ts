/** Promise: nobody without the edge's own key is taken for the edge, wherever he sits. */
import { EMPTY } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { deriveX25519, generateX25519, type X25519KeyPair } from "../../shared/crypto/x25519.ts";
import { contentDigest, HEADERS, signAnswer } from "../../shared/protocol/http_signature.ts";
import { loginTranscript, sessionKeys } from "../../shared/protocol/login.ts";
import { MEDIA } from "../../shared/protocol/wire.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { newEdgeIdentity, TestEdge } from "../fixtures/edge.ts";
import type { Interceptor, SentAnswer, SentRequest } from "../fixtures/traffic.ts";
import { pushedWorld, type Setting } from "./setting.ts";
import { bodyOf, isTo, withBody } from "./wire.ts";

/** What the client signed in a login request, with whatever the attacker wants to be true of the edge. */
function transcriptOf({ world, device }: Setting, request: SentRequest, edgeKey = world.edge.identity.name.key) {
  const { challenge, ephemeral } = bodyOf(request);
  assert(challenge instanceof Uint8Array && ephemeral instanceof Uint8Array);
  const { owner, device: id } = device.profile;
  const { origin } = world.edge.identity.name;
  const transcript = loginTranscript({ owner, origin, edgeKey, challenge, ephemeral, device: id, statement: null });
  return { transcript, ephemeral };
}

/** Answers a login as the edge would, but with keys of the attacker's in place of the edge's ephemeral and static ones. */
async function impersonate(
  setting: Setting,
  request: SentRequest,
  genuine: SentAnswer,
  keys: { readonly ephemeral: X25519KeyPair; readonly own: X25519KeyPair },
  claimed = setting.world.edge.identity.name.key,
): Promise<SentAnswer> {
  const { transcript, ephemeral } = transcriptOf(setting, request, claimed);
  const { s2c } = sessionKeys(
    transcript,
    keys.ephemeral.publicKey,
    await deriveX25519(keys.ephemeral.privateKey, ephemeral),
    await deriveX25519(keys.own.privateKey, ephemeral),
  );
  const body = encodeCbor({ ...bodyOf(genuine), ephemeral: keys.ephemeral.publicKey });
  const digest = contentDigest(body);
  const stamp = { created: Math.floor(setting.world.clock.now() / 1_000), number: 0 };
  const { input, signature } = signAnswer(s2c, { status: 200, digest, request: null }, stamp);
  const headers = new Headers({
    "content-type": MEDIA.cbor,
    ...{ [HEADERS.digest]: digest, [HEADERS.input]: input, [HEADERS.signature]: signature },
  });
  return { status: 200, headers, body };
}

Deno.test("PosternDevice.login() throws tampered when an edge that accepts anybody has another key (SESS-06)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const keys = { ephemeral: await generateX25519(), own: await generateX25519() };
  for (const claimed of [undefined, keys.own.publicKey]) {
    const fake: Interceptor = {
      answer: async (answer, request) =>
        isTo(request, "/login", "POST") ? await impersonate(setting, request, answer, keys, claimed) : answer,
    };
    await device.traffic.with(fake, async () => void await assertRejects(() => device.start().login(), "tampered"));
  }
  assertEquals((await device.start().login()).generation, 1);
});

Deno.test("PosternDevice.login() fails when somebody in the middle puts in ephemeral keys of his own (SESS-02, SESS-06)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const mine = await generateX25519();
  const towardsEdge: Interceptor = {
    request: (request) =>
      isTo(request, "/login", "POST") ? withBody(request, { ...bodyOf(request), ephemeral: mine.publicKey }) : request,
  };
  await device.traffic.with(towardsEdge, async () => {
    await assertRejects(() => device.start().login(), "unauthorized");
  });
  const towardsDevice: Interceptor = {
    answer: async (answer, request) => {
      if (!isTo(request, "/login", "POST")) return answer;
      // The best he can do: he knows his ephemeral key, and not the edge's static one.
      return await impersonate(setting, request, answer, { ephemeral: mine, own: mine });
    },
  };
  await device.traffic.with(towardsDevice, async () => {
    await assertRejects(() => device.start().login(), "tampered");
  });
});

Deno.test("PosternDevice.login() throws unauthorized when the edge's database is served under another key (SESS-02)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const file = `${world.folder}/stolen.db`;
  await world.edge.database.execute({ sql: "VACUUM INTO ?", params: [file] });
  const thief = await newEdgeIdentity(world.edge.identity.name.origin);
  await using stolen = await TestEdge.open(thief, world.edge.owners, file, world.clock);
  const edge = world.replaceEdge(stolen);
  await assertRejects(() => device.client.login(), "unauthorized");
  await assertRejects(() => world.manager.sync(), "unauthorized");
  world.replaceEdge(edge);
  assertEquals((await device.client.login()).generation, 1);
});

Deno.test("Manager.sync() throws tampered when an edge that accepts anybody has another key (SESS-06)", async () => {
  await using setting = await pushedWorld();
  const { world: { manager } } = setting;
  const nobody: Interceptor = {
    answer: async (answer, request) => {
      if (!isTo(request, "/login", "POST")) return answer;
      const own = await generateX25519();
      return await impersonate(setting, request, answer, { ephemeral: own, own });
    },
  };
  await manager.traffic.with(nobody, async () => void await assertRejects(() => manager.sync(), "tampered"));
});

Deno.test("PosternDevice.login() throws malformed or network when what answers is no edge at all", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const page = new TextEncoder().encode("<html>Please accept the terms of this hotel</html>");
  const portal = (status: number): Interceptor => ({
    answer: () => ({ status, headers: new Headers({ "content-type": "text/html" }), body: page }),
  });
  await device.traffic.with(
    portal(200),
    async () => void await assertRejects(() => device.client.login(), "malformed"),
  );
  await device.traffic.with(portal(302), async () => void await assertRejects(() => device.client.login(), "network"));
  const noise: Interceptor = {
    answer: () => ({ status: 200, headers: new Headers(), body: webCryptoRandom(100) }),
  };
  await device.traffic.with(noise, async () => void await assertRejects(() => device.client.login(), "malformed"));
  const nothing: Interceptor = { answer: () => ({ status: 204, headers: new Headers(), body: EMPTY }) };
  await device.traffic.with(nothing, async () => void await assertRejects(() => device.client.login(), "network"));
});
