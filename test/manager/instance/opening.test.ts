import { encryptForRecipients, encryptSchema1, encryptToCover } from "../../../shared/manifest/encrypt.ts";
import type { Wrap } from "../../../shared/manifest/envelope.ts";
import { readRegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { revokeMdk, rotateMdk } from "../../../manager/instance/instance.ts";
import { keysForRelease, openingKeys } from "../../../manager/instance/opening.ts";
import { currentRequest } from "../../../manager/instance/register.ts";
import { assertEquals, assertRejects } from "../../assert.ts";
import { COVER, LEAF, openUnsigned } from "../../shared/manifest/envelopes.ts";
import { encryption, KEY, manifest } from "../../shared/manifest/fixture.ts";
import { memberKeys } from "../../../shared/cover/member.ts";
import { NOW, register, registrationOf, withDatabase } from "./instances.ts";

Deno.test("openingKeys() open what a publisher seals to the request, in every schema, unless it is revoked, REG-02", () =>
  withDatabase(async (db) => {
    const symmetric = webCryptoRandom(32);
    const { entrySecret } = await register(
      db,
      registrationOf("postern", {
        cover: new Redacted(memberKeys(COVER, LEAF).encode()),
        sharedKeys: [{ ...KEY, key: new Redacted(symmetric) }],
      }),
    );
    const sealed = async (wrap: Wrap) => {
      const { keys } = await readRegistrationRequest(await currentRequest(db, NOW, webCryptoRandom));
      const recipient = { entrySecret: reveal(entrySecret), mdkVersion: keys.version, publicKey: keys[wrap] };
      return await encryptForRecipients(encryption(), wrap, [recipient]);
    };
    const byVersionOne = [await sealed("xwing"), await sealed("x25519")];
    await rotateMdk(db, NOW, webCryptoRandom);
    const byVersionTwo = [await sealed("xwing"), await sealed("x25519")];
    const others = [await encryptToCover(encryption(), COVER, []), await encryptSchema1(encryption(), symmetric)];
    const both = await openingKeys(db, "postern");
    for (const envelope of [...byVersionOne, ...byVersionTwo, ...others]) {
      assertEquals(await openUnsigned(envelope, both), manifest());
    }
    await revokeMdk(db, 1, NOW + 1, webCryptoRandom);
    const keys = await openingKeys(db, "postern");
    for (const envelope of byVersionOne) {
      assertEquals(await openUnsigned(envelope, keysForRelease(keys, NOW)), manifest());
      await assertRejects(() => openUnsigned(envelope, keysForRelease(keys, NOW + 2)), "revoked");
    }
    for (const envelope of byVersionTwo) {
      assertEquals(await openUnsigned(envelope, keysForRelease(keys, NOW + 2)), manifest());
    }
  }));
