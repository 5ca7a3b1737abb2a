import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { readRecoveryKey } from "../../../manager/cli/texts/recovery_key.ts";
import { assert, assertEquals } from "../../assert.ts";
import { answers, CliWorld } from "./harness.ts";

Deno.test("init makes an owner, with a recovery key that is written once and private files", async () => {
  await using world = await CliWorld.empty();
  const made = await world.json("init", ...world.edgeArgs, "--key-file", "kek.key", "--recovery-file", "r.txt") as {
    owner: string;
  };
  assert(/^[0-9a-f]{64}$/.test(made.owner));
  const [first = "", key = ""] = (await Deno.readTextFile(world.path("r.txt"))).split("\n");
  assert(first.includes(made.owner));
  assertEquals(readRecoveryKey(key).length, 32);
  for (const name of ["r.txt", "kek.key", "manager/database.key", "manager/settings.json", "manager/manager.db"]) {
    assertEquals(((await Deno.stat(world.path(name))).mode ?? 0) & 0o777, 0o600, name);
  }
  assertEquals(((await Deno.stat(world.manager)).mode ?? 0) & 0o777, 0o700);
});

Deno.test("init refuses to hide the recovery key, a second owner, a foreign folder, and a taken recovery file", async () => {
  await using world = await CliWorld.empty();
  const init = ["init", ...world.edgeArgs, "--key-file", "kek.key"];
  assert((await world.fails(2, init)).includes("--recovery-file"));
  await world.write("taken.txt", "mine");
  await world.fails(73, [...init, "--recovery-file", "taken.txt"]);
  assertEquals(await Deno.readTextFile(world.path("taken.txt")), "mine");
  // What that attempt left behind is started over.
  await world.text(...init, "--recovery-file", "r.txt");
  assert((await world.fails(73, [...init, "--recovery-file", "r2.txt"])).includes("holds a manager already"));
  await Deno.mkdir(world.path("home"));
  await world.write("home/letter.txt", "mine");
  const foreign = await world.fails(73, [...init, "--recovery-file", "r3.txt", "--data", world.path("home")]);
  assert(foreign.includes("not Postern's"));
});

Deno.test("init refuses an edge's secret in the place of its public key, and never repeats it", async () => {
  await using world = await CliWorld.empty();
  const { secret } = world.identity;
  const said = await world.fails(2, [
    "init",
    "--edge-url",
    "https://e.test",
    "--edge-key",
    secret,
    "--recovery-file",
    "r",
  ]);
  assert(said.includes("postern-edge:") && !said.includes(secret));
  await world.fails(2, ["init", "--edge-url", "http://e.test", ...world.edgeArgs.slice(2), "--recovery-file", "r"]);
});

Deno.test("init asks which KEK to use when no option names one", async () => {
  await using world = await CliWorld.empty();
  const init = ["init", ...world.edgeArgs, "--recovery-file", "r.txt"];
  assert((await world.fails(2, init)).includes("--passphrase-file"));
  await world.jsonWith(init, { ask: answers({ choose: "passphrase", passphrase: "six quiet words on a page" }) });
  await world.fails(77, ["status"], { ask: answers({ passphrase: "six loud words on a page" }) });
  const { code } = await world.run(["status"], { ask: answers({ passphrase: "six quiet words on a page" }) });
  assertEquals(code, 0);
});

Deno.test("init takes a root of another algorithm and another interval", async () => {
  await using world = await CliWorld.empty();
  const args = ["init", ...world.edgeArgs, "--key-file", "k", "--recovery-file", "r.txt"];
  await world.fails(2, [...args, "--root-algorithm", "rsa"]);
  await world.fails(2, [...args, "--interval", "5"]);
  await world.fails(2, [...args, "--interval", "1s"]);
  await world.json(...args, "--root-algorithm", "p256", "--interval", "10m");
  const status = await world.json("status") as { intervalSeconds: number; owner: string };
  assertEquals(status.intervalSeconds, 600);
  assert(status.owner !== toHex(sha256(new Uint8Array(0))));
});
