import { assertEquals, assertRejects } from "../../assert.ts";
import { type Bytes, concat } from "../../../shared/bytes/bytes.ts";
import { coordinateBytes, type Curve } from "../../../shared/crypto/ec_point.ts";
import { deriveEcdh, importEcdhPkcs8, importEcdhPoint } from "../../../shared/crypto/ecdh.ts";
import { openssl, withOpenssl } from "./openssl.ts";

const CURVES: readonly Curve[] = ["P-256", "P-384", "P-521"];

async function newSecret(curve: Curve): Promise<Bytes> {
  const { privateKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: curve }, true, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
}

for (const curve of CURVES) {
  Deno.test(`deriveEcdh() gives both sides the same secret on ${curve}`, async () => {
    const [a, b] = [
      await importEcdhPkcs8(curve, await newSecret(curve)),
      await importEcdhPkcs8(curve, await newSecret(curve)),
    ];
    const shared = await deriveEcdh(curve, a.privateKey, b.point);
    assertEquals(shared.length, coordinateBytes(curve));
    assertEquals(await deriveEcdh(curve, b.privateKey, a.point), shared);
    assertEquals(a.privateKey.extractable, false);
    const imported = await importEcdhPoint(curve, a.point);
    assertEquals(new Uint8Array(await crypto.subtle.exportKey("raw", imported)), a.point);
  });

  Deno.test(`deriveEcdh() throws malformed when the point is not on ${curve}`, async () => {
    const { privateKey, point } = await importEcdhPkcs8(curve, await newSecret(curve));
    for (const at of [1, point.length >> 1, point.length - 1]) {
      const changed = point.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await assertRejects(() => deriveEcdh(curve, privateKey, changed), "malformed");
      await assertRejects(() => importEcdhPoint(curve, changed), "malformed");
    }
    await assertRejects(() => deriveEcdh(curve, privateKey, point.slice(1)), "malformed");
    await assertRejects(() => deriveEcdh(curve, privateKey, new Uint8Array([0])), "malformed");
  });

  Deno.test(`importEcdhPkcs8() throws malformed unless the bytes are a private key on ${curve}`, async () => {
    const pkcs8 = await newSecret(curve);
    const other = await newSecret(curve === "P-256" ? "P-384" : "P-256");
    for (const bytes of [new Uint8Array(0), pkcs8.slice(0, -1), concat(pkcs8, new Uint8Array(1)), other]) {
      await assertRejects(() => importEcdhPkcs8(curve, bytes), "malformed");
    }
  });

  withOpenssl.test(`deriveEcdh() agrees with OpenSSL on ${curve}`, async () => {
    const make = `genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${curve} -out pem`;
    const key = await openssl([make, "pkcs8 -topk8 -nocrypt -in pem -outform DER -out out"]);
    const peerKey = await newSecret(curve);
    const peer = await openssl(["pkey -inform DER -in key -pubout -outform DER -out out"], { key: peerKey });
    const theirs = await openssl(["pkeyutl -derive -keyform DER -inkey key -peerform DER -peerkey peer -out out"], {
      key,
      peer,
    });
    const { privateKey } = await importEcdhPkcs8(curve, key);
    assertEquals(await deriveEcdh(curve, privateKey, (await importEcdhPkcs8(curve, peerKey)).point), theirs);
  });
}
