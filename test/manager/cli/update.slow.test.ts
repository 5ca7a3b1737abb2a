import { join } from "node:path";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { parseRegistrationText, registrationText } from "../../../shared/manifest/registration.ts";
import { assert, assertEquals } from "../../assert.ts";
import { writeJournal } from "../../../manager/update/install_folder.ts";
import { DAY, TestPublisher } from "../update/publisher.ts";
import { CliWorld } from "./harness.ts";

/** A world whose instance is registered with a publisher. */
async function registered(world: CliWorld): Promise<TestPublisher> {
  const publisher = await TestPublisher.create(world.path("public"), world.clock.now());
  const request = parseRegistrationText("request", await world.text("instance", "request"));
  await world.write("answer.txt", registrationText("answer", await publisher.register(request)));
  await world.json(
    "instance",
    "register",
    "answer.txt",
    "--root-sha256",
    toHex(publisher.root.certificate.fingerprint),
  );
  return publisher;
}

Deno.test("postern update: configure, check, download, apply, history, show, rollback, status", async () => {
  await using world = await CliWorld.ready();
  await world.fails(78, ["update", "configure", "--folder", "public"]);
  const publisher = await registered(world);
  await world.fails(78, ["update", "check"]);
  await world.fails(2, ["update", "configure", "--auto", "apply"]);
  const bad = [["--url", "http://example.org/x"], ["--url", "https://user@example.org"], ["--github", "a/b/c"]];
  const worse = [["--github", "a/.."], ["--url", "https://x.org", "--folder", "x"], ["--github-url", "https://x.org"]];
  for (const args of [...bad, ...worse]) await world.fails(2, ["update", "configure", ...args]);
  await world.fails(2, ["update", "configure", "--folder", "public", "--auto", "apply"]);
  const configure = ["update", "configure", "--folder", "public", "--install", "app", "--health-check", "bin/run"];
  const config = await world.json(...configure) as Record<string, unknown>;
  assertEquals([config["install"], config["health"], config["requiresLists"]], [world.path("app"), ["bin/run"], true]);
  await world.json("update", "configure", "--allow-public");
  const policy = await world.text("log", "--kind", "update.configured");
  assert(/allowsPublic=true.*requiresLists|requiresLists.*allowsPublic=true/.test(policy), policy);
  for (
    const args of [["--window", "2-4"], ["--window", "02:00-02:00"], ["--auto", "x"], ["--critical", "x"], [
      "--keep",
      "1",
    ]]
  ) {
    await world.fails(2, ["update", "configure", ...args]);
  }
  await world.fails(2, ["update", "configure", "--health-check", "[1]"]);
  await publisher.release("1.0.0", { manifest: { notes: "Hello \u{1b}[31mred\n" } });
  assertEquals((await world.json("update", "check") as { found: string }).found, "1.0.0");
  assertEquals((await world.json("update", "download") as { version: string }).version, "1.0.0");
  assertEquals(await world.json("update", "apply"), { outcome: "applied", from: null, to: "1.0.0" });
  await publisher.release("1.1.0", { files: { "bin/run": "#!/bin/sh\nexit 1\n" } });
  const failed = await world.run(["update", "apply", "--json"]);
  assertEquals([failed.code, JSON.parse(failed.out).outcome], [3, "returned"]);
  await publisher.release("1.2.0");
  await world.text("update", "apply");
  assertEquals(await world.json("update", "apply"), { outcome: "current", why: "nothing newer" });
  assert((await world.text("update", "check")).includes("Nothing newer: 1.2.0"));
  const history = await world.json("update", "history") as { releases: { version: string; returned: string | null }[] };
  assertEquals(history.releases.map(({ version }) => version), ["1.2.0", "1.1.0", "1.0.0"]);
  const found = await world.json("update", "history", "--search", "hello") as typeof history;
  assertEquals(found.releases.map(({ version }) => version), ["1.0.0"]);
  assert((await world.text("update", "history", "--search", "bin/")).includes("bin/run"));
  const shown = await world.text("update", "show", "1.0.0");
  assert(shown.includes("lib/data") && shown.includes("red") && !shown.includes("\u{1b}"), shown);
  await world.fails(66, ["update", "show", "9.9.9"]);
  assertEquals(await world.json("update", "rollback", "1.0.0"), { outcome: "applied", from: "1.2.0", to: "1.0.0" });
  await world.fails(66, ["update", "rollback"]);
  // The index ends, and nothing but that changes.
  world.clock.advance(8 * DAY);
  const stale = await world.fails(76, ["update", "apply"]);
  assert(stale.includes("[stale]"), stale);
  const status = await world.text("update", "status");
  assert(status.includes("1.0.0") && status.includes("[stale]; what runs keeps running"), status);
  assertEquals(await Deno.readLink(join(world.path("app"), "current")), "releases/1.0.0");
  assert((await world.text("log", "--kind", "update")).includes("update.refused"));
  assert((await world.text("update", "configure")).includes("bin/run"));
  await world.json(
    "update",
    "configure",
    "--health-check",
    "none",
    "--install",
    "none",
    "--no-restart",
    "--allow-public",
  );
});

Deno.test("postern update check, download, apply and status say why there is nothing, and what is unfinished", async () => {
  await using world = await CliWorld.ready();
  const publisher = await registered(world);
  await world.json("update", "configure", "--folder", "public", "--install", "app");
  await publisher.release("1.0.0");
  await world.json("update", "apply");
  await publisher.release("1.1.0", { entry: { rollout: 0 } });
  const why = "1.1.0 is there: it is rolled out in steps, and it is not this instance's turn yet";
  for (const command of ["check", "download", "apply", "status"]) {
    const text = await world.text("update", command);
    assert(text.includes(why) && !text.includes("cut off"), text);
  }
  assertEquals((await world.json("update", "check", "--early") as { found: string }).found, "1.1.0");
  assertEquals(await world.json("alarm", "list"), { alarms: [] });
  // The publisher takes back what is installed, and sets a floor above the next one.
  await publisher.release("1.0.0", { entry: { isRevoked: true } });
  await publisher.publishIndex({ floor: "2.0.0" });
  await writeJournal(world.path("app"), { product: "postern", from: null, to: "1.0.0", step: "switching" });
  const checked = await world.json("update", "check") as Record<string, unknown>;
  assertEquals([checked["passedOver"], checked["isTakenBack"], checked["isUnderWay"]], [
    [{ version: "1.1.0", why: "floor" }],
    true,
    true,
  ]);
  const text = await world.text("update", "download");
  assert(/below a floor.*took back the version.*\nA switch was cut off/.test(text), text);
  assert((await world.text("alarm", "list")).includes("its publisher took back the version that is installed"));
});

Deno.test("postern run keeps software up to date within its window, and ends to be started anew", async () => {
  await using world = await CliWorld.ready();
  const publisher = await registered(world);
  const at = (hour: number) => `${String((new Date(world.clock.now()).getUTCHours() + hour) % 24).padStart(2, "0")}:00`;
  const app = world.path("app");
  await world.json(
    "update",
    "configure",
    "--folder",
    "public",
    "--install",
    "app",
    "--auto",
    "apply",
    "--interval",
    "1h",
  );
  await world.json("update", "configure", "--window", `${at(2)}-${at(3)}`, "--critical", "at-once", "--restart");
  await publisher.release("1.0.0");
  const service = async (turns: number) => {
    const ending = new AbortController();
    const running = world.run(["run", "--json"], { stop: ending.signal, waitMillis: 100 });
    if (turns > 0) setTimeout(() => ending.abort(), 1_500);
    return await running;
  };
  const before = await service(1);
  assertEquals(before.code, 0, before.err);
  const updates = (out: string) =>
    out.split("\n").filter((line) => line.includes('"update"')).map((line) => JSON.parse(line).text);
  assertEquals(updates(before.out), ["release 1.0.0 is downloaded"]);
  world.clock.advance(2 * 3_600_000);
  const within = await service(0);
  assertEquals([within.code, updates(within.out)], [75, ["switched from nothing to 1.0.0"]]);
  assertEquals(await Deno.readLink(join(app, "current")), "releases/1.0.0");
  // A source that is gone or lies: said, alarmed for a lie, and nothing changes.
  world.clock.advance(3_600_000);
  await Deno.writeTextFile(publisher.path("index.json"), "{}");
  const lied = await service(1);
  assert(updates(lied.out)[0].includes("what runs keeps running"), lied.out);
  assert((await world.text("alarm", "list")).includes("signature"));
  assertEquals(await Deno.readLink(join(app, "current")), "releases/1.0.0");
});
