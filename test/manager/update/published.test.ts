/** The whole way, each step as people do it: the publisher's scripts on one side, `postern` on the other. */
import { join } from "node:path";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "../cli/harness.ts";
import { FakeGithub, TOKEN } from "../../scripts/publisher/github.ts";
import { serveFolder } from "./server.ts";
import { Workshop } from "../../scripts/publisher/workshop.ts";

const DAY = 86_400_000;
const SIGNER = "--cert release_cert.pem --key release_key.pem";
const CA = "--root root.pem --root-key root.key";
const FILES = "--release-dir release --manifest manifest.json --envelope encrypted_manifest.json";

/** A publisher with a registry, and how it releases. */
async function makePublisher(now: number) {
  const workshop = await Workshop.make();
  workshop.now = now;
  await workshop.ok("publisher_ca init --root root.pem --root-key root.key");
  await workshop.ok(`publisher_ca issue ${CA} --cert release_cert.pem --key release_key.pem`);
  await workshop.ok(`publisher_ca crl ${CA} --crl root.crl --anew`);
  await workshop.ok("instance init");
  await Deno.mkdir(join(workshop.path, "release"));
  const release = async (version: string, schema: number, to: string) => {
    await workshop.write("release/postern", `#!/bin/sh\necho ${version}\n`, 0o755);
    const date = new Date(workshop.now - DAY).toISOString().slice(0, 10);
    await workshop.ok(
      `generate_manifest --version ${version} --release-dir release --output manifest.json --date ${date}`,
    );
    await workshop.ok(
      `encrypt_manifest --input manifest.json --output encrypted_manifest.json --key-id fleet --schema ${schema}`,
    );
    await workshop.ok(`sign_manifest --input encrypted_manifest.json ${SIGNER}`);
    await workshop.ok(`publish_release --root root.pem ${SIGNER} ${FILES} --crl root.crl ${to}`);
  };
  return { workshop, release };
}

Deno.test("an instance follows a publisher's scripts through a folder, and is left out once it was revoked", async () => {
  await using world = await CliWorld.ready();
  const { workshop, release } = await makePublisher(world.clock.now());
  await using _ = workshop;
  await world.text("instance", "request", "--out", join(workshop.path, "request.txt"));
  const register = `instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`;
  const { json } = await workshop.ok(register);
  const answer = join(workshop.path, "answer.txt");
  await world.json("instance", "register", answer, "--root-sha256", String(json["rootSha256"]));
  await world.json("update", "configure", "--folder", join(workshop.path, "public"), "--install", "app");
  await world.json("update", "configure", "--health-check", "./postern");
  await release("1.0.0", 2, "--to public --anew");
  assertEquals(await world.json("update", "apply"), { outcome: "applied", from: null, to: "1.0.0" });
  await release("1.1.0", 3, "--to public");
  assertEquals(await world.json("update", "apply"), { outcome: "applied", from: "1.0.0", to: "1.1.0" });
  const ran = await new Deno.Command(join(world.path("app"), "current/postern")).output();
  assertEquals(new TextDecoder().decode(ran.stdout), "1.1.0\n");
  await workshop.ok(`instance revoke ${json["instance"]}`);
  await release("1.2.0", 3, "--to public");
  const refused = await world.fails(76, ["update", "apply"]);
  assert(refused.includes("[revoked]"), refused);
  // A list that revokes the certificate.
  await workshop.ok(`publisher_ca crl ${CA} --crl root.crl --revoke release_cert.pem --reason keyCompromise`);
  await Deno.copyFile(join(workshop.path, "root.crl"), join(workshop.path, "public/release.crl"));
  assert((await world.fails(76, ["update", "check"])).includes("[revoked]"));
  // Nor does it sign answers from then on.
  assert((await world.fails(76, ["instance", "register", answer])).includes("[revoked]"));
  assertEquals(await Deno.readLink(join(world.path("app"), "current")), "releases/1.1.0");
});

Deno.test("an instance follows a publisher's scripts through the assets of GitHub's releases", async () => {
  await using world = await CliWorld.ready();
  const { workshop, release } = await makePublisher(world.clock.now());
  await using _ = workshop;
  await using github = new FakeGithub();
  workshop.env = { GITHUB_TOKEN: TOKEN };
  await using server = serveFolder(workshop.path);
  // The public side of what the API keeps.
  server.misbehave = (path) => {
    const [, tag = "", name = ""] = /^acme\/tool\/releases\/download\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    const bytes = github.file(tag, name);
    return bytes === undefined ? new Response("Not Found", { status: 404 }) : new Response(bytes);
  };
  await world.text("instance", "request", "--out", join(workshop.path, "request.txt"));
  const register = `instance register --request request.txt --answer answer.txt --root root.pem ${SIGNER}`;
  const { json } = await workshop.ok(register);
  const answer = join(workshop.path, "answer.txt");
  await world.json("instance", "register", answer, "--root-sha256", String(json["rootSha256"]));
  await release("1.0.0", 3, `--github acme/tool --github-api ${github.url} --anew`);
  await world.json("update", "configure", "--github", "acme/tool", "--github-url", server.url, "--install", "app");
  const applied = await world.jsonWith(["update", "apply"], { fetch });
  assertEquals(applied, { outcome: "applied", from: null, to: "1.0.0" });
  await world.fails(69, ["update", "check"]);
});
