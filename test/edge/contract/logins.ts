/** Challenges and logins, right and wrong (shared/spec/session.md). */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { generateX25519 } from "../../../shared/crypto/x25519.ts";
import { MANAGER_DEVICE } from "../../../shared/protocol/login.ts";
import { assert, assertEquals } from "../../assert.ts";
import { OwnerFixture, signingKey } from "../../fixtures/owner.ts";
import { deviceEntry } from "../../fixtures/pushes.ts";
import { assertAlike, visible } from "./alike.ts";
import { type Answer, codeOf, deviceLogin, type LoginParts, managerLogin, type RawClient, send } from "./client.ts";
import { Household, sendPush } from "./household.ts";
import { nobody } from "./target.ts";

/** Points of small order (RFC 7748 section 6.1); every result with them is zero. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

export async function loginContract(t: Deno.TestContext, client: RawClient): Promise<void> {
  const home = await Household.move(client);
  const { owner } = home;
  const device = home.device();
  const right = deviceLogin(owner, device);
  const attempt = async (parts: Partial<LoginParts>) => (await client.tryLogin({ ...right, ...parts })).answer;

  await t.step(
    "login answers with statement, head and record, and proves the edge, when a device logs in (SESS-02, SESS-06)",
    async () => {
      for (const [index, one] of home.devices.entries()) {
        const { answer, session } = await client.login(deviceLogin(owner, one));
        assertEquals([answer.generation, answer.epoch], [1, 1]);
        assertEquals(answer.head, home.manager.head?.signed ?? null);
        assertEquals(answer.statement, owner.statement.signed);
        const records = home.manager.rows(1);
        assert(records.some((row) => String(row) === String(answer.record)), `no row of device ${index}`);
        assertEquals(answer.expires - answer.time, 3_600_000);
        assertEquals((await session.ask("record", { route: "record" })).record, answer.record);
      }
    },
  );

  await t.step("login answers with nothing when a manager comes before the first push (SESS-03)", async () => {
    const fresh = client.cast.takeOwner();
    const { answer, session } = await client.login(managerLogin(fresh));
    const { statement, generation, epoch, head, record } = answer;
    assertEquals([statement, generation, epoch, head, record], [null, null, null, null, null]);
    assertEquals(await session.ask("head", { route: "head" }), { generation: 0, epoch: 0, head: null, history: null });
    assertEquals((await client.tryLogin(deviceLogin(fresh, device))).answer.status, 401);
  });

  await t.step("challenge is the same for an owner whom the edge does not know (SESS-01)", async () => {
    const known = await send(client.target, client.at("challenge", { owner: owner.id }));
    const unknown = await send(client.target, client.at("challenge", { owner: nobody(32) }));
    const stranger = await send(client.target, client.at("challenge", { owner: client.cast.stranger.id }));
    const form = (answer: Answer) => visible({ ...answer, body: answer.body.slice(0, 0) }) + answer.body.length;
    assertEquals([form(unknown), form(stranger)], [form(known), form(known)]);
    assertEquals((await client.challenge(nobody(32))).challenge.length, 64);
  });

  await t.step("login refuses everybody else with one answer that tells no cause (CONV-10, SESS-02)", async () => {
    const other = await signingKey();
    const { stranger } = client.cast;
    const { challenge: foreign } = await client.challenge(nobody(32));
    const changed = (await client.challenge(owner.id)).challenge.map((byte, at) => at === 40 ? byte ^ 1 : byte);
    const { edge } = client.cast;
    assertAlike({
      "unknown owner": await attempt({ owner: nobody(32) }),
      "owner not in the configuration": await attempt({ owner: stranger.id }),
      "unknown device": await attempt({ device: nobody() }),
      "recovery key": await attempt({ device: new Uint8Array(16).fill(0xff) }),
      "signature by another key": await attempt({ sign: other.sign }),
      "signature by another device": await attempt({ sign: home.device(1).signing.sign }),
      "signature by the manager": await attempt({ sign: owner.manager.sign }),
      "signature over nothing": await attempt({ sign: () => device.signing.sign(new Uint8Array(0)) }),
      "signature cut": await attempt({ sign: async (m) => (await device.signing.sign(m)).slice(1) }),
      "transcript of another owner": await attempt({ signedOwner: nobody(32) }),
      "login meant for another origin": await attempt({ edge: { ...edge, origin: `${edge.origin}x` } }),
      "login meant for another key": await attempt({ edge: { ...edge, key: nobody(32) } }),
      "made-up challenge": await attempt({ challenge: webCryptoRandom(64) }),
      "changed challenge": await attempt({ challenge: changed }),
      "another owner's challenge": await attempt({ challenge: foreign }),
      "manager of a stranger": (await client.tryLogin(managerLogin(stranger))).answer,
      "manager with a stranger's statement": await attempt({ ...managerLogin(stranger), owner: owner.id }),
      "manager with a wrong key": await attempt({ ...managerLogin(owner), sign: other.sign }),
      "manager with a made-up statement": await attempt({ ...managerLogin(owner), statement: nobody(400) }),
    });
  });

  await t.step(
    "login takes a challenge once when it is sent again, also at the same time (SESS-01, SESS-04)",
    async () => {
      const { challenge } = await client.challenge(owner.id);
      const answers = await Promise.all(Array.from({ length: 8 }, () => attempt({ challenge })));
      assertEquals(answers.map(({ status }) => status).sort(), [200, ...Array<number>(7).fill(401)]);
      assertEquals(codeOf(await attempt({ challenge })), "unauthorized");
      // The very same bytes again.
      const { body } = await client.loginBody(right, await generateX25519());
      const bytes = encodeCbor(body);
      assertEquals((await client.postLogin(owner.id, bytes)).status, 200);
      assertEquals(codeOf(await client.postLogin(owner.id, bytes)), "unauthorized");
      const manager = managerLogin(owner);
      const { challenge: managers } = await client.challenge(owner.id);
      const both = await Promise.all([1, 2].map(() => attempt({ ...manager, challenge: managers })));
      assertEquals(both.map(({ status }) => status).sort(), [200, 401]);
    },
  );

  await t.step("login leaves a challenge good when the signature was wrong (SESS-01)", async () => {
    const { challenge } = await client.challenge(owner.id);
    const other = await signingKey();
    assertEquals((await attempt({ challenge, sign: other.sign })).status, 401);
    assertEquals((await attempt({ challenge })).status, 200);
  });

  await t.step("login refuses a key that makes the shared secret zero (SESS-05)", async () => {
    const answers = await Promise.all(SMALL_ORDER.map((point) => attempt({ ephemeral: fromHex(point) })));
    assertAlike({ ...Object.fromEntries(answers.entries()), "unknown device": await attempt({ device: nobody() }) });
  });

  await t.step("login refuses a challenge after a minute, and a session after an hour (SESS-01)", async () => {
    const { clock } = client.target;
    if (clock === null) return;
    const { challenge } = await client.challenge(owner.id);
    clock.advance(60_000);
    assertEquals((await attempt({ challenge })).status, 200);
    const { challenge: late } = await client.challenge(owner.id);
    clock.advance(60_001);
    assertEquals(codeOf(await attempt({ challenge: late })), "unauthorized");
    const session = await home.asDevice();
    clock.advance(3_599_999);
    await session.ask("head", { route: "head" });
    clock.advance(1);
    const { answer, isSigned } = await session.exchange({ route: "head" });
    assertEquals([codeOf(answer), isSigned], ["unauthorized", false]);
  });

  await t.step(
    "login tells another ephemeral key after a minute, and no challenge is stored for it (SESS-07)",
    async () => {
      const { clock } = client.target;
      if (clock === null) return;
      const [one, two] = [await client.login(right), await client.login(right)];
      assertEquals(one.answer.ephemeral, two.answer.ephemeral);
      clock.advance(60_000);
      const three = await client.login(right);
      assert(String(three.answer.ephemeral) !== String(one.answer.ephemeral));
    },
  );

  await t.step(
    "login refuses a manager whose statement is older than the one adopted, or another of its number (SESS-03)",
    async () => {
      const mine = await Household.move(client);
      const old = managerLogin(mine.owner);
      const session = await mine.asManager();
      const before = mine.owner.statement;
      await mine.owner.restate();
      const raised = await mine.asManager();
      // Not adopted by a login: the first one still counts.
      assertEquals((await client.tryLogin(old)).answer.status, 200);
      await session.ask("head", { route: "head" });
      await sendPush(raised, await mine.manager.delta([]));
      assertEquals(codeOf((await client.tryLogin(old)).answer), "unauthorized");
      assertEquals(await session.refused({ route: "head" }), "unauthorized");
      await raised.ask("head", { route: "head" });
      await mine.owner.restate({ number: mine.owner.statement.number, time: before.time + 1 });
      assertEquals(codeOf((await client.tryLogin(managerLogin(mine.owner))).answer), "unauthorized");
    },
  );

  await t.step("login refuses a manager whose statement does not name this edge (SESS-03, STMT-04)", async () => {
    const { edge } = client.cast;
    for (const other of [{ ...edge, key: nobody(32) }, { ...edge, origin: "https://elsewhere.example" }]) {
      const owner = await OwnerFixture.create(other);
      assertEquals(codeOf((await client.tryLogin(managerLogin(owner))).answer), "unauthorized");
    }
  });

  await t.step("login refuses a device that was removed, and ends its session (CONV-10)", async () => {
    const mine = await Household.move(client);
    const session = await mine.asDevice(1);
    const gone = deviceEntry(mine.device(1));
    await sendPush(await mine.asManager(), await mine.manager.delta([], [gone]));
    assertAlike({
      "removed device": (await client.tryLogin(deviceLogin(mine.owner, mine.device(1)))).answer,
      "unknown device": await attempt({ device: nobody() }),
    });
    assertEquals(await session.refused({ route: "head" }), "unauthorized");
    // Registered anew, it is another registration: the old session stays over.
    const again = { ...mine.device(1), registration: 77 };
    await sendPush(await mine.asManager(), await mine.manager.delta([deviceEntry(again)]));
    await client.login(deviceLogin(mine.owner, again));
    assertEquals(await session.refused({ route: "head" }), "unauthorized");
  });

  await t.step("login refuses a body that is not exactly a login (CONV-02, CONV-05, CONV-08)", async () => {
    const { body } = await client.loginBody(right, await generateX25519());
    const bytes = encodeCbor(body);
    const post = async (sent: Bytes, type?: string) => codeOf(await client.postLogin(owner.id, sent, type));
    const { signature: _, ...unsigned } = body;
    const cases: Readonly<Record<string, Bytes>> = {
      "an unknown key": encodeCbor({ ...body, extra: null }),
      "a key missing": encodeCbor(unsigned),
      "a short device id": encodeCbor({ ...body, device: nobody(15) }),
      "a long challenge": encodeCbor({ ...body, challenge: nobody(65) }),
      "an empty signature": encodeCbor({ ...body, signature: nobody(0) }),
      "a text for bytes": encodeCbor({ ...body, device: "0".repeat(16) }),
      "a statement of a device": encodeCbor({ ...body, statement: owner.statement.signed }),
      "a manager without statement": encodeCbor({ ...body, device: MANAGER_DEVICE }),
      "no map": encodeCbor([body]),
      "bytes after the end": new Uint8Array([...bytes, 0]),
      "an end too early": bytes.slice(0, -1),
      "nothing": new Uint8Array(0),
      "JSON": new TextEncoder().encode(JSON.stringify({ device: "x" })),
      "an indefinite length": new Uint8Array([0xbf, ...bytes.slice(1), 0xff]),
      "a key twice": new Uint8Array([0xa5, ...bytes.slice(1), 0x66, ...new TextEncoder().encode("device"), 0x40]),
      "a length spelt long": new Uint8Array([0xb8, 4, ...bytes.slice(1)]),
    };
    for (const [what, sent] of Object.entries(cases)) assertEquals(await post(sent), "malformed", what);
    assertEquals(await post(bytes, "application/json"), "unsupported");
    assertEquals(await post(bytes, "application/cbor; charset=utf-8"), "unsupported");
    assertEquals(await post(new Uint8Array(1_048_577)), "too_large");
    assertEquals((await client.postLogin(owner.id, bytes)).status, 200);
  });
}
