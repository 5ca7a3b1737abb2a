import { toHex } from "../../../shared/bytes/encoding.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { makeRegistrationAnswer } from "../../../shared/manifest/registration_answer.ts";
import { readRegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { assert, assertEquals } from "../../assert.ts";
import { certified, signerOf } from "../../shared/cms/publisher.ts";
import { filled } from "../../shared/protocol/epoch.ts";
import { answers, CliWorld } from "./harness.ts";

/** A publisher that answers the requests of a world's instance into a file. */
async function publisher(world: CliWorld) {
  const now = world.clock.now();
  const validity = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
  const top = await certified("CN=root", undefined, { isCa: true, ...validity });
  const signer = signerOf(await certified("CN=release", top, validity), "Ed25519");
  return {
    root: toHex(top.certificate.fingerprint),
    async answer(product: string, forger?: typeof signer): Promise<void> {
      const bytes = parseRegistrationText("request", await world.text("instance", "request"));
      const read = await readRegistrationRequest(bytes);
      const registration = {
        ...{ product, root: top.certificate.der, entrySecret: new Redacted(filled(32, 1)), cover: null },
        sharedKeys: [],
      };
      const sign = (text: Uint8Array<ArrayBuffer>) => signDetached(text, forger ?? signer, now);
      const answer = await makeRegistrationAnswer({ bytes, read }, registration, sign);
      await world.write("answer.txt", registrationText("answer", answer));
    },
    signer,
  };
}

Deno.test("instance register takes an answer whose root its owner confirms, once, REG-05", async () => {
  await using world = await CliWorld.ready();
  const one = await publisher(world);
  await one.answer("postern");
  await world.fails(2, ["instance", "register", "answer.txt"]);
  await world.fails(2, ["instance", "register", "answer.txt", "--root-sha256", "12"]);
  await world.fails(65, ["instance", "register", "answer.txt", "--root-sha256", "00".repeat(32)]);
  await world.fails(65, ["instance", "register", "answer.txt"], { ask: answers({ confirm: false }) });
  const spelled = one.root.toUpperCase().replace(/(..)(?=.)/g, "$1:");
  const taken = await world.json("instance", "register", "answer.txt", "--root-sha256", spelled);
  const expected = { product: "postern", rootSha256: one.root, mdkVersion: 1, hasMemberKeys: false, sharedKeys: 0 };
  assertEquals(taken, expected);
  assertEquals(await world.json("instance", "register", "answer.txt"), expected);
  const text = await world.text("instance", "show");
  assert(text.includes("postern") && text.includes(one.root), text);
  const other = await publisher(world);
  await other.answer("postern");
  await world.fails(65, ["instance", "register", "answer.txt"]);
  await one.answer("second", other.signer);
  await world.fails(65, ["instance", "register", "answer.txt", "--root-sha256", one.root]);
  await world.json("key", "rotate");
  await one.answer("postern");
  assertEquals(await world.json("instance", "register", "answer.txt"), { ...expected, mdkVersion: 2 });
});
