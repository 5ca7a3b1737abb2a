import { edgePublicKey, readEdgeSecret } from "../../../shared/protocol/edge_key.ts";
import { readConfig } from "../../../edge/config.ts";
import { readEnvFile } from "../../../manager/cli/env_file.ts";
import { readEdgeKey } from "../../../manager/cli/texts/edge_key.ts";
import { assert, assertEquals } from "../../assert.ts";
import { CliWorld } from "./harness.ts";

Deno.test("edge keygen writes settings that the edge takes, and keeps the secret off the terminal", async () => {
  await using world = await CliWorld.empty();
  const owner = "ab".repeat(32);
  const args = ["edge", "keygen", "--url", "https://edge.example/postern/", "--owner", owner, "--env-file", "edge.env"];
  const { code, out, err } = await world.run(args);
  assertEquals([code, err], [0, ""]);
  const text = await Deno.readTextFile(world.path("edge.env"));
  const settings = readEnvFile(text);
  const config = readConfig(settings);
  assertEquals(config.origin, "https://edge.example/postern");
  const secret = settings.POSTERN_EDGE_KEY ?? "";
  assert(secret.length === 43 && !out.includes(secret));
  const shown = /postern-edge:[\w-]+/.exec(out)?.[0] ?? "";
  assertEquals(readEdgeKey(shown), await edgePublicKey(readEdgeSecret(secret)));
  assertEquals(((await Deno.stat(world.path("edge.env"))).mode ?? 0) & 0o777, 0o600);
  await world.fails(73, args);
});

Deno.test("edge url moves the owner to another edge by a new statement", async () => {
  await using world = await CliWorld.ready();
  const before = await world.json("edge", "url") as { url: string; key: string };
  assertEquals(before.url, world.identity.name.origin);
  const { publicKey } = await world.json("edge", "keygen") as { publicKey: string };
  await world.json("edge", "url", "https://new.example", "--edge-key", publicKey);
  assertEquals(await world.json("edge", "url"), { url: "https://new.example", key: publicKey });
  assertEquals((await world.json("status") as { statement: number }).statement, 2);
  await world.fails(2, ["edge", "url", "ftp://new.example"]);
});
