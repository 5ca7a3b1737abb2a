import { utf8 } from "../../../shared/bytes/bytes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { needsShared } from "../../tools/needs.ts";
import { CliWorld } from "./harness.ts";

const LETTER =
  "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Hello\r\nDate: Tue, 1 Jan 2030 10:00:00 +0000\r\n\r\nHi\r\n";

interface Line {
  readonly id: string;
  readonly channel: string;
  readonly direction: string;
  readonly subject: string;
}

Deno.test("message import takes each message once, and folders become channels", async () => {
  await using world = await CliWorld.ready();
  for (const folder of ["Maildir/cur", "Maildir/new", "Maildir/tmp", "Maildir/.Work.Old/cur"]) {
    await Deno.mkdir(world.path(folder), { recursive: true });
  }
  await world.write("Maildir/cur/1:2,S", LETTER);
  await world.write("Maildir/new/2", LETTER.replace("Hello", "Second"));
  await world.write("Maildir/.Work.Old/cur/3:2,", LETTER.replace("Hello", "Third"));
  await world.write("Maildir/cur/4:2,", "");
  const imported = await world.json("message", "import", "Maildir") as Record<string, unknown>;
  assertEquals([imported.added, imported.known, imported.channels], [3, 0, { inbox: 2, "Work/Old": 1 }]);
  assertEquals((imported.problems as unknown[]).length, 1);
  assertEquals((await world.json("message", "import", "Maildir") as Record<string, unknown>).known, 3);
  const { messages } = await world.json("message", "list", "--channel", "inbox") as { messages: Line[] };
  assertEquals(messages.map(({ subject }) => subject).sort(), ["Hello", "Second"]);
  assert((await world.text("message", "list", "--channels")).includes("Work/Old"));
});

Deno.test("message import and send refuse what is obviously no mail, by name, and go on with the others", async () => {
  await using world = await CliWorld.ready();
  await world.write("picture.eml", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x3a));
  await world.write("zero.eml", "Subject: a\0b\r\n\r\nHi");
  await world.write("notes", "Eggs\nMilk\n\nSubject: not a header any more\n");
  await world.write("blank.eml", "\r\n\r\nno header");
  await world.write("letter.eml", LETTER);
  await world.write("odd.eml", `From ann Thu Nov 13 10:22:33 2023\nsubject : x\n\nzero \0 in the body\n`);
  const files = ["picture.eml", "zero.eml", "notes", "blank.eml", "letter.eml", "odd.eml"];
  const { out } = await world.run(["message", "import", ...files, "--json"]);
  const { added, problems } = JSON.parse(out) as { added: number; problems: { source: string; code: string }[] };
  assertEquals(added, 2);
  assertEquals(
    problems.map(({ source, code }) => [source, code]),
    files.slice(0, 4).map((name) => {
      return [world.path(name), "malformed"];
    }),
  );
  assert((await world.fails(65, ["message", "send", "picture.eml"])).includes("picture.eml is no message"));
  await world.fails(65, ["message", "send", "-"], { input: utf8("Eggs\n") });
});

Deno.test("message send queues a message, and show gives back its very bytes", async () => {
  await using world = await CliWorld.ready();
  const { id } = await world.jsonWith(["message", "send", "-"], { input: utf8(LETTER) }) as { id: string };
  const { outgoing } = await world.json("message", "list", "--outgoing") as {
    outgoing: { id: string; state: string }[];
  };
  assertEquals(outgoing.map((one) => [one.id, one.state]), [[id, "queued"]]);
  const shown = await world.json("message", "show", id.slice(0, 8), "--out", "copy.eml") as Line;
  assertEquals([shown.direction, shown.channel], ["out", "sent"]);
  assertEquals(await Deno.readTextFile(world.path("copy.eml")), LETTER);
  await world.fails(73, ["message", "show", id.slice(0, 8), "--out", "copy.eml"]);
  await world.fails(66, ["message", "show", "ffffffff"]);
  await world.fails(2, ["message", "send", "-"], { input: utf8("") });
  await world.fails(66, ["message", "send", "nothing.eml"]);
});

Deno.test("message list shows no control characters of a hostile subject", async () => {
  await using world = await CliWorld.ready();
  await world.write("evil.eml", `From: a@b\r\nSubject: =?utf-8?B?${btoa("\x1b[2Jgone\x07")}?=\r\n\r\n.`);
  await world.json("message", "import", "evil.eml");
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f]/.test(await world.text("message", "list")));
});

const mail = needsShared("data/mail");
mail.test("message import takes all kinds of broken mail, and gives each back byte for byte", async () => {
  await using world = await CliWorld.ready();
  const imported = await world.json("message", "import", mail.path, "--channel", "all") as Record<string, unknown>;
  const names = [...Deno.readDirSync(mail.path)].map(({ name }) => name).filter((name) => name.endsWith(".eml"));
  assertEquals(Number(imported.added) + Number(imported.known), names.length);
  const { messages } = await world.json("message", "list", "--limit", "1000") as {
    messages: (Line & { sha256: string })[];
  };
  const digests = new Set(messages.map(({ sha256 }) => sha256));
  for (const name of names) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(`${mail.path}/${name}`)));
    assert(digests.has(digest.toHex()), name);
  }
});
