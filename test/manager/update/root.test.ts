import { join } from "node:path";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "../cli/harness.ts";
import { Workshop } from "../../scripts/publisher/workshop.ts";

const CA = "--root root.pem --root-key root.key";
const SIGNER = "--cert release_cert.pem --key release_key.pem";

Deno.test("CMS-23 update check follows the publisher to another root, and then needs the old one no more", async () => {
  await using world = await CliWorld.ready();
  await using workshop = await Workshop.make();
  workshop.now = world.clock.now();
  const path = (name: string) => join(workshop.path, name);
  await workshop.ok("publisher_ca init --root root.pem --root-key root.key");
  await workshop.ok(`publisher_ca issue ${CA} ${SIGNER}`);
  await workshop.ok(`publisher_ca crl ${CA} --crl root.crl --anew`);
  await workshop.ok("instance init");
  await world.text("instance", "request", "--out", path("request.txt"));
  const register = `instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`;
  const { rootSha256 } = (await workshop.ok(register)).json;
  await world.json("instance", "register", path("answer.txt"), "--root-sha256", String(rootSha256));
  await world.json("update", "configure", "--folder", path("public"));
  await workshop.ok(`publish_release --to public --root root.pem ${SIGNER} --crl root.crl --anew`);
  await world.json("update", "check");
  const rotated = (await workshop.ok(
    `publisher_ca rotate-root ${CA} --new-root root2.pem --new-root-key root2.key --cert cert2.pem --key key2.pem --crl root.crl --new-crl root2.crl`,
  )).json["rootCertificate"] as { fingerprint: string };
  const next = "publish_release --to public --cert cert2.pem --key key2.pem";
  await workshop.ok(`${next} --root root.pem --new-root root2.pem --crl root.crl root2.crl`);
  // What is no root, or a stranger's, is noted and changes nothing.
  const root = await workshop.read("public/root.pem");
  await workshop.write("public/root.pem", "no root");
  await world.json("update", "check");
  await workshop.write("public/root.pem", await workshop.read("release_cert.pem"));
  await world.json("update", "check");
  assertEquals(await pinned(world), [rootSha256]);
  await workshop.write("public/root.pem", root);
  await world.json("update", "check");
  assertEquals(await pinned(world), [rotated.fingerprint]);
  // Without the old root's word, only who has followed goes on.
  const [leaf = ""] = new TextDecoder().decode(await workshop.read("cert2.pem")).split(
    /(?<=-----END CERTIFICATE-----\n)/,
  );
  await workshop.write("leaf.pem", leaf);
  await workshop.ok(
    "publish_release --to public --cert leaf.pem --key key2.pem --root root2.pem root.pem --crl root2.crl",
  );
  await world.json("update", "check");
});

async function pinned(world: CliWorld): Promise<string[]> {
  const shown = JSON.stringify(await world.json("instance", "show"));
  const found = [...shown.matchAll(/"rootSha256":"([0-9a-f]{64})"/g)].map(([, hex = ""]) => hex);
  assert(found.length > 0, shown);
  return found;
}
