/** The worked example of cms.md, read as a stranger would. */
import { fromHex, toHex } from "../../../shared/bytes/encoding.ts";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readCrl } from "../../../shared/x509/crl.ts";
import { assertEquals } from "../../assert.ts";
import { PROJECT_ROOT } from "../../../scripts/files.ts";

interface Step {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string | number>>;
  readonly outputs: Readonly<Record<string, string | number>>;
}

Deno.test("the worked example of cms.md comes out as it says", async () => {
  const path = `${PROJECT_ROOT}/shared/spec/vectors/cms.json`;
  const steps = JSON.parse(await Deno.readTextFile(path)).steps as readonly Step[];
  const [certificates, signature, ...cases] = steps;
  const bytes = (hex: string | number | undefined) => fromHex(String(hex));
  const roots = [readCertificate(bytes(certificates?.outputs["root"]))];
  assertEquals(cases.map(({ name }) => name), ["verified", "revoked", "stale", "changed"]);
  for (const { name, inputs, outputs } of cases) {
    const trust = { roots, crls: [readCrl(bytes(inputs["crl"]))], requireCrl: true, now: Number(inputs["now"]) };
    let result: string = "ok";
    try {
      const signer = await verifyDetached(bytes(inputs["content"]), bytes(signature?.outputs["signature"]), trust);
      assertEquals(toHex(signer.certificate.fingerprint), outputs["signer"]);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      result = error.code;
    }
    assertEquals(result, outputs["result"], name);
  }
});
