import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { pairCli } from "./devices.ts";
import { answers, CliWorld } from "./harness.ts";

interface Shown {
  readonly generation: number;
  readonly owner: string;
  readonly openedBy: readonly string[];
  readonly devices: readonly { readonly name: string; readonly state: string }[];
  readonly rows: Readonly<Record<string, number>>;
}

interface RestoredShown {
  readonly incarnation: string;
  readonly devices: readonly { readonly name: string; readonly new: boolean }[];
  readonly revoked: readonly { readonly name: string }[];
  readonly lost: { readonly edge: string; readonly generations: number };
  readonly held: number;
}

Deno.test("backup create, verify and restore bring a household back, and message release sends what was held", async () => {
  await using world = await CliWorld.ready();
  const [phone, laptop] = [await pairCli(world, "phone"), await pairCli(world, "laptop")];
  await world.write("letter.eml", "From: me@example\r\nTo: you@example\r\nSubject: hi\r\n\r\nHi");
  await world.json("message", "send", "letter.eml");
  await world.json("sync");
  await phone.login();
  await laptop.login();

  const created = await world.json("backup", "create", "one.backup") as Shown;
  assertEquals([created.generation, created.openedBy, created.rows["messages"]], [1, ["recovery"], 1]);
  const verified = await world.json("backup", "verify", "one.backup", "--recovery-file", "recovery.txt") as Shown;
  assertEquals(verified.devices.map(({ name, state }) => `${name} ${state}`), ["phone active", "laptop active"]);
  world.clock.advance(3 * 86_400_000);
  const text = await world.text("backup", "verify", "one.backup", "--recovery-file", "recovery.txt");
  for (const words of ["3 days ago", "generation 1", "phone, laptop", "Every byte"]) assert(text.includes(words), text);

  await world.json("device", "revoke", "laptop", "--yes");
  const tablet = await pairCli(world, "tablet");
  await world.json("sync");
  await phone.head();
  await tablet.login();
  await Deno.remove(world.manager, { recursive: true });

  const opened = ["backup", "restore", "one.backup", "--recovery-file", "recovery.txt", "--key-file", "new.key"];
  const restored = await world.json(...opened, "--devices", "all") as RestoredShown;
  assertEquals(restored.devices.map(({ name, new: isNew }) => `${name} ${isNew}`), ["phone false", "tablet true"]);
  assertEquals(restored.revoked.map(({ name }) => name), ["laptop"]);
  assertEquals([restored.lost.edge, restored.lost.generations, restored.held], ["newer", 1, 1]);
  assert((await world.text("alarm", "list")).includes("Restored from a backup"));
  await world.json("sync");
  for (const device of [phone, tablet]) {
    await assertRejects(() => device.head(), "restored");
    assert(device.restore !== null);
    await device.confirmRestore(device.restore.incarnation);
    assertEquals((await device.messages.list("sent")).messages.length, 1);
  }
  // The statement is there for everybody to read; the edge admits the laptop no more than before.
  await assertRejects(() => laptop.head(), "restored");
  assert(laptop.restore !== null);
  await laptop.confirmRestore(laptop.restore.incarnation);
  await assertRejects(() => laptop.head(), "unauthorized");

  const queue = async () =>
    (await world.json("message", "list", "--outgoing") as { outgoing: { id: string; state: string }[] }).outgoing;
  const [held] = await queue();
  assertEquals(held?.state, "held");
  assertEquals(await world.json("message", "release", held?.id.slice(0, 8) ?? ""), { released: 1 });
  assertEquals((await queue()).map(({ state }) => state), ["queued"]);
  assert((await world.fails(73, ["message", "release", held?.id.slice(0, 8) ?? ""])).includes("None of these"));
  assertEquals(await world.json("message", "release", "--all"), { released: 0 });
  await world.fails(2, ["message", "release"]);
});

Deno.test("backup verify says by its exit code what is wrong with a file", async () => {
  await using world = await CliWorld.ready();
  await world.json("backup", "create", "one.backup");
  const whole = await Deno.readFile(world.path("one.backup"));
  const recovery = ["--recovery-file", "recovery.txt"];
  whole[whole.length - 1] = (whole.at(-1) ?? 0) ^ 1;
  await world.write("changed.backup", whole);
  await world.fails(76, ["backup", "verify", "changed.backup", ...recovery]);
  await world.write("photo.jpg", "not a backup, but long enough to be one if it were one");
  await world.fails(65, ["backup", "verify", "photo.jpg", ...recovery]);
  await world.fails(66, ["backup", "verify", "nowhere.backup", ...recovery]);
  // Nobody is there to be asked.
  assert((await world.fails(2, ["backup", "verify", "one.backup"])).includes("--recovery-file"));
  await world.write("other.txt", "aaaa-bbbb");
  await world.fails(65, ["backup", "verify", "one.backup", "--recovery-file", "other.txt"]);
  // As somebody types the recovery key in.
  const line = (await Deno.readTextFile(world.path("recovery.txt"))).split("\n")[1] ?? "";
  await world.jsonWith(["backup", "verify", "one.backup"], { ask: answers({ passphrase: line.toUpperCase() }) });
});

Deno.test("backup restore asks who goes on, refuses a folder that is in use, and needs an edge or the word that there is none", async () => {
  await using world = await CliWorld.ready();
  await pairCli(world, "phone");
  await pairCli(world, "tv set");
  await world.json("sync");
  await world.json("backup", "create", "one.backup");
  const opened = ["backup", "restore", "one.backup", "--recovery-file", "recovery.txt", "--key-file", "new.key"];
  await world.fails(73, [...opened, "--devices", "all"]);

  const elsewhere = (name: string) => [...opened, "--data", world.path(name)];
  const unasked = await world.run(elsewhere("new"));
  assertEquals(unasked.code, 2);
  assert(unasked.err.includes("tv set") && unasked.err.includes("--devices"), unasked.err);
  const unknown = await world.run([...elsewhere("new"), "--devices", "phone,fridge"]);
  assertEquals(unknown.code, 2);
  assert(unknown.err.includes("'fridge'"));
  const named = await world.json(...elsewhere("new"), "--devices", "tv set") as RestoredShown & {
    startedOver: boolean;
  };
  assertEquals([named.devices.map(({ name }) => name), named.startedOver], [["tv set"], true]);
  assertEquals((await Deno.stat(join(world.path("new"), "manager.db"))).mode === null, Deno.build.os === "windows");

  const asked = await world.jsonWith(elsewhere("asked"), { ask: answers({ confirm: true }) }) as RestoredShown;
  assertEquals(asked.devices.length, 2);
  const none = await world.json(...elsewhere("none"), "--devices", "none", "--offline") as RestoredShown;
  assertEquals([none.devices, none.lost.edge], [[], "none"]);
});
