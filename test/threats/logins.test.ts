/** Promise: nobody else can log in, and nobody can change or repeat a login. */
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { HEADERS } from "../../shared/protocol/http_signature.ts";
import { MANAGER_DEVICE } from "../../shared/protocol/login.ts";
import { type LoginIdentity, openSession } from "../../shared/client/session/open_session.ts";
import { LIMITS } from "../../shared/limits.ts";
import { currentStatement } from "../../manager/owner/statement.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { TestDevice } from "../fixtures/device.ts";
import { type Interceptor, withHeader } from "../fixtures/traffic.ts";
import { managersSigner } from "./forge.ts";
import { pushedWorld, type Setting } from "./setting.ts";
import { bodyOf, codeOf, isSigned, isTo, lastTo, slightlyOff, withBody } from "./wire.ts";

function identityOf({ world }: Setting, { profile, keys }: TestDevice): LoginIdentity {
  const { owner, device } = profile;
  return { owner, edge: world.edge.identity.name, device, statement: null, sign: keys.sign };
}

/** Changes requests to log in. */
const onLogin = (change: NonNullable<Interceptor["request"]>): Interceptor => ({
  request: (request) => isTo(request, "/login", "POST") ? change(request) : request,
});

Deno.test("The edge refuses a login that is repeated to the byte, in another isolate too (SESS-04)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  await device.client.login();
  const { request } = lastTo(device.traffic.exchanges, "/login", "POST");
  for (let isolate = 0; isolate < 2; isolate++) {
    const again = await device.traffic.send(request);
    assertEquals([again.status, codeOf(again), isSigned(again)], [401, "unauthorized", false]);
    await world.edge.restart();
  }
});

Deno.test("The edge refuses a manager's login that is repeated to the byte (SESS-04)", async () => {
  await using setting = await pushedWorld();
  const { world: { manager } } = setting;
  const { request } = lastTo(manager.traffic.exchanges, "/login", "POST");
  assertEquals(codeOf(await manager.traffic.send(request)), "unauthorized");
});

Deno.test("openSession() throws unauthorized when the challenge was signed too late (SESS-01)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const late = onLogin((request) => {
    world.clock.advance(LIMITS.challengeMillis + 1);
    return request;
  });
  await device.traffic.with(late, async () => {
    await assertRejects(() => openSession(identityOf(setting, device), device.surroundings), "unauthorized");
  });
});

Deno.test("openSession() throws unauthorized when the challenge is another owner's, used, or made up (SESS-01)", async () => {
  await using setting = await pushedWorld({ owners: 2 });
  const { device, world } = setting;
  const foreign = device.traffic.exchanges.length;
  await device.client.login();
  const used = bodyOf(lastTo(device.traffic.exchanges.slice(foreign), "/challenge").answer).challenge;
  const stranger = world.managers[1];
  assert(stranger !== undefined);
  await stranger.sync();
  const theirs = await stranger.traffic.send({
    ...lastTo(stranger.traffic.exchanges, "/challenge").request,
  });
  const challenges = [bodyOf(theirs).challenge, used, webCryptoRandom(64), slightlyOff(used ?? null)];
  for (const challenge of challenges) {
    const swapped: Interceptor = {
      answer: (answer, request) =>
        isTo(request, "/challenge") ? withBody(answer, { ...bodyOf(answer), challenge: challenge ?? null }) : answer,
    };
    await device.traffic.with(swapped, async () => {
      await assertRejects(() => openSession(identityOf(setting, device), device.surroundings), "unauthorized");
    });
  }
});

Deno.test("openSession() throws unauthorized when anything of a login is changed on its way (SESS-02)", async (t) => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const step = (field: string) =>
    t.step(field, async () => {
      const change = onLogin((request) => {
        const body = bodyOf(request);
        return withBody(request, { ...body, [field]: slightlyOff(body[field] ?? null) });
      });
      await device.traffic.with(change, async () => {
        await assertRejects(() => openSession(identityOf(setting, device), device.surroundings), "unauthorized");
      });
    });
  for (const field of ["device", "ephemeral", "challenge", "signature"]) await step(field);
});

Deno.test("openSession() throws unauthorized when somebody signs with another key than the device's (SESS-02)", async () => {
  await using setting = await pushedWorld();
  const { device, other, world } = setting;
  const identity = identityOf(setting, device);
  for (
    const sign of [other.keys.sign, await managersSigner(world.manager), () => Promise.resolve(webCryptoRandom(64))]
  ) {
    await assertRejects(() => openSession({ ...identity, sign }, device.surroundings), "unauthorized");
  }
  const unknown = { ...identity, device: webCryptoRandom(16) };
  await assertRejects(() => openSession(unknown, device.surroundings), "unauthorized");
  const nobodys = { ...identity, owner: webCryptoRandom(32) };
  await assertRejects(() => openSession(nobodys, device.surroundings), "unauthorized");
});

Deno.test("openSession() throws unauthorized when a device asks for the manager's session (SESS-03)", async () => {
  await using setting = await pushedWorld();
  const { device, world } = setting;
  const { signed } = await currentStatement(world.manager.db);
  const asManager = { ...identityOf(setting, device), device: MANAGER_DEVICE, statement: signed };
  await assertRejects(() => openSession(asManager, device.surroundings), "unauthorized");
});

Deno.test("openSession() throws unauthorized when the login was signed for another edge (SESS-02)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const identity = identityOf(setting, device);
  const { origin } = identity.edge;
  const key = webCryptoRandom(32);
  key[31] = (key[31] ?? 0) & 127;
  await assertRejects(() => openSession({ ...identity, edge: { origin, key } }, device.surroundings), "unauthorized");
});

Deno.test("openSession() throws unauthorized or tampered when an ephemeral key is one of small order (SESS-05)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const zeros = new Uint8Array(32);
  const mine = onLogin((request) => withBody(request, { ...bodyOf(request), ephemeral: zeros }));
  await device.traffic.with(mine, async () => {
    await assertRejects(() => openSession(identityOf(setting, device), device.surroundings), "unauthorized");
  });
  const theirs: Interceptor = {
    answer: (answer, request) =>
      isTo(request, "/login", "POST") ? withBody(answer, { ...bodyOf(answer), ephemeral: zeros }) : answer,
  };
  await device.traffic.with(theirs, async () => {
    await assertRejects(() => openSession(identityOf(setting, device), device.surroundings), "tampered");
  });
});

const ANSWER_FIELDS = [
  ...["session", "ephemeral", "time", "expires", "statement", "generation", "epoch", "head", "record"],
  "something new",
];

Deno.test("PosternDevice.login() throws tampered when anything of the answer is changed on its way (SESS-06)", async (t) => {
  await using setting = await pushedWorld();
  const { device } = setting;
  const step = (field: string) =>
    t.step(field, async () => {
      const change: Interceptor = {
        answer: (answer, request) => {
          if (!isTo(request, "/login", "POST")) return answer;
          const body = bodyOf(answer);
          return withBody(answer, { ...body, [field]: slightlyOff(body[field] ?? null) });
        },
      };
      await device.traffic.with(change, async () => void await assertRejects(() => device.client.login(), "tampered"));
      await device.start().login();
    });
  for (const field of ANSWER_FIELDS) await step(field);
});

Deno.test("PosternDevice.login() throws tampered when digest or signature of the answer are changed (SESS-06)", async () => {
  await using setting = await pushedWorld();
  const { device } = setting;
  await device.client.login();
  const before = lastTo(device.traffic.exchanges, "/login", "POST").answer;
  const edit = (name: string, change: (text: string) => string): NonNullable<Interceptor["answer"]> => (answer) =>
    withHeader(answer, name, change(answer.headers.get(name) ?? ""));
  const changes: readonly NonNullable<Interceptor["answer"]>[] = [
    // An answer to an earlier login of this very device.
    () => before,
    (answer) => ({ ...answer, body: before.body }),
    edit(HEADERS.digest, () => before.headers.get(HEADERS.digest) ?? ""),
    edit(HEADERS.signature, () => before.headers.get(HEADERS.signature) ?? ""),
    edit(HEADERS.signature, (text) => text.replace(/:$/, "")),
    edit(HEADERS.input, (text) => text.replace('nonce="S-0"', 'nonce="S-1"')),
    edit(HEADERS.input, (text) => text.replace('nonce="S-0"', 'nonce="C-0"')),
    edit(HEADERS.input, (text) => text.replace("hmac-sha256", "hmac-sha512")),
    edit(HEADERS.input, (text) => text.replace(';alg="hmac-sha256"', "")),
    edit(HEADERS.input, (text) => text.replace('"@status" ', "")),
    edit(HEADERS.input, (text) => text.replace(/created=\d+/, "created=1")),
  ];
  for (const change of changes) {
    const interceptor: Interceptor = {
      answer: (answer, request) => isTo(request, "/login", "POST") ? change(answer, request) : answer,
    };
    await device.traffic.with(
      interceptor,
      async () => void await assertRejects(() => device.start().login(), "tampered"),
    );
  }
  for (const name of [HEADERS.signature, HEADERS.input, HEADERS.digest]) {
    const removed: Interceptor = {
      answer: (answer, request) => isTo(request, "/login", "POST") ? withHeader(answer, name, null) : answer,
    };
    await device.traffic.with(removed, async () => void await assertRejects(() => device.start().login(), "tampered"));
  }
});
