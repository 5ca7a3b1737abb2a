import { assert, assertEquals } from "../../assert.ts";
import { FakeGithub, type Fault, TOKEN } from "./github.ts";
import { makeRelease, makeWorkshop, PUBLISH, RELEASE } from "./releases.ts";
import type { Workshop } from "./workshop.ts";

const INDEX = ["index.json", "index.json.sig"];

async function withGithub(use: (workshop: Workshop, github: FakeGithub, line: string) => Promise<void>): Promise<void> {
  await using github = new FakeGithub();
  await using workshop = await makeWorkshop();
  workshop.env = { GITHUB_TOKEN: TOKEN };
  await makeRelease(workshop, "1.0.0");
  await use(workshop, github, `${PUBLISH} --github acme/tool --github-api ${github.url} ${RELEASE}`);
  assertEquals(github.complaints, []);
}

/** Each of these once, at the first request that it fits. */
function once(...faults: readonly (readonly [RegExp, Fault])[]): (what: string) => Fault {
  const left = [...faults];
  return (what) => {
    const at = left.findIndex(([pattern]) => pattern.test(what));
    return at === -1 ? null : left.splice(at, 1)[0]?.[1] ?? null;
  };
}

const limited = (headers: Record<string, string>, message = "API rate limit exceeded", status = 403) =>
  Response.json({ message }, { status, headers });

Deno.test("publish_release makes a GitHub release whose assets are the files, and the index beside it", () =>
  withGithub(async (workshop, github, line) => {
    const { json, out, err } = await workshop.ok(`${line} --anew --rollout 10`);
    assertEquals([json["number"], json["sent"]], [1, 4]);
    assertEquals(github.names("index"), INDEX);
    assertEquals(github.names("v1.0.0").filter((name) => !/^[0-9a-f]{64}$/.test(name)), [
      "encrypted_manifest.json",
      "encrypted_manifest.json.sig",
    ]);
    assertEquals(github.file("v1.0.0", "encrypted_manifest.json"), await workshop.read("encrypted_manifest.json"));
    assertEquals(github.releases.map(({ tag, isPrerelease }) => [tag, isPrerelease]), [["index", true], [
      "v1.0.0",
      false,
    ]]);
    assert(!`${out}${err}`.includes(TOKEN));
    // Once more: nothing but the index is sent again.
    workshop.now += 1_000;
    const again = (await workshop.ok(`${line} --rollout 20`)).json;
    assertEquals([again["number"], again["sent"], again["there"]], [2, 0, 4]);
    assertEquals(github.uploaded.filter((name) => !name.startsWith("index.")).length, 4);
    assertEquals(github.names("index"), INDEX);
  }));

Deno.test("publish_release to GitHub waits out limits, and sends half uploads and lost answers again", () =>
  withGithub(async (workshop, github, line) => {
    const reset = Math.floor(workshop.now / 1_000) + 100;
    github.fault = once(
      [/^GET .*\/tags\//, Response.json({ message: "Server Error" }, { status: 500 })],
      [/^POST .*\/releases$/, "lost"],
      [/^POST .*\/assets/, "half"],
      [/^POST .*\/assets/, limited({ "retry-after": "7" }, "You have exceeded a secondary rate limit")],
      [/^POST .*\/assets/, limited({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${reset}` })],
      [/^POST .*\/assets/, limited({}, "You have exceeded a secondary rate limit", 429)],
      [/^POST .*\/assets/, "lost"],
      [/^PATCH /, new Response("not JSON", { status: 502 })],
      [/^DELETE /, new Response(null, { status: 503 })],
    );
    await workshop.ok(`${line} --anew`);
    assertEquals(github.names("index"), INDEX);
    assertEquals(github.names("v1.0.0").length, 4);
    assertEquals(new Set(github.uploaded).size, github.uploaded.length, "nothing whole is sent twice");
    assert(workshop.slept.includes(7_000) && workshop.slept.includes(60_000), `${workshop.slept}`);
    assert(workshop.slept.some((millis) => millis > 61_000 && millis <= 100_000), `${workshop.slept}`);
  }));

Deno.test("publish_release asks again when GitHub does not answer, and gives up when it never does", () =>
  withGithub(async (workshop, github, line) => {
    workshop.patience = 150;
    github.fault = once([/^GET .*\/tags\//, "silent"], [/^POST .*\/assets/, "silent"]);
    await workshop.ok(`${line} --anew`);
    assertEquals(github.names("v1.0.0").length, 4);
    workshop.patience = 10;
    github.fault = () => "silent";
    assertEquals(await workshop.code(`${line} --anew`), "network");
  }));

Deno.test("publish_release to GitHub goes on wherever a run before it was cut off", () =>
  withGithub(async (workshop) => {
    let cuts = 0;
    for (let writes = 0; cuts === writes; writes++) {
      await using github = new FakeGithub();
      const line = `${PUBLISH} --github acme/tool --github-api ${github.url} ${RELEASE}`;
      // From some write on, nothing gets through any more: in the first run, and in the one that renews the index.
      const cut = async (command: string) => {
        let left = writes;
        github.fault = (what) => what.startsWith("GET ") || left-- > 0 ? null : new Response(null, { status: 400 });
        workshop.now += 1_000;
        const { exit } = await workshop.run(command);
        github.fault = () => null;
        workshop.now += 1_000;
        return exit !== 0;
      };
      if (await cut(`${line} --anew`)) {
        cuts++;
        await workshop.ok(`${line} --anew`);
      }
      assertEquals([github.names("index"), github.names("v1.0.0").length], [INDEX, 4]);
      await cut(`${line} --rollout 7`);
      const { json } = await workshop.ok(`${line} --rollout 8`);
      assertEquals([github.names("index"), json["sent"], json["releases"]], [INDEX, 0, [
        { version: "1.0.0", tagName: "v1.0.0", rollout: 8, isRevoked: false },
      ]]);
      const files = github.uploaded.filter((name) => !name.startsWith("index."));
      assertEquals([files.length, new Set(files).size], [4, 4], "nothing is sent twice");
    }
    assertEquals(cuts, 10, "two releases, four files, two of the index, and two names");
  }));

Deno.test("publish_release to GitHub gives up when another run put other files into the same release meanwhile", () =>
  withGithub(async (workshop, github, line) => {
    github.fault = (what) => {
      const envelope = github.releases.at(-1)?.assets.find(({ name }) => name === "encrypted_manifest.json");
      if (what.startsWith("PATCH") && envelope !== undefined) envelope.bytes = new Uint8Array(7);
      return null;
    };
    assertEquals(await workshop.code(`${line} --anew`), "conflict");
    github.fault = () => null;
    workshop.now += 1_000;
    assertEquals((await workshop.ok(line)).json["sent"], 1);
    assertEquals(github.file("v1.0.0", "encrypted_manifest.json"), await workshop.read("encrypted_manifest.json"));
  }));

Deno.test("publish_release takes an asset without a digest only if its name is its content", () =>
  withGithub(async (workshop, github, line) => {
    github.hasDigests = false;
    await workshop.ok(`${line} --anew`);
    workshop.now += 1_000;
    const { json } = await workshop.ok(line);
    assertEquals([json["sent"], json["there"]], [2, 2]);
  }));

const REFUSED: readonly (readonly [string, string, (workshop: Workshop, github: FakeGithub) => void])[] = [
  ["no token", "configuration", (w) => void (w.env = {})],
  ["a token that GitHub does not know", "unauthorized", (_w, g) => void (g.fault = () => missing(401))],
  ["a token that may not write", "forbidden", (_w, g) => {
    g.fault = (what) => what.startsWith("POST") ? missing(403) : null;
  }],
  ["uploads that go elsewhere", "untrusted", (_w, g) => void (g.uploadsTo = "https://uploads.example.com")],
  ["a server that never recovers", "network", (_w, g) => void (g.fault = () => missing(502))],
  ["a limit of hours", "rate_limited", (_w, g) => void (g.fault = () => limited({ "retry-after": "7200" }))],
  ["an answer of another form", "malformed", (_w, g) => void (g.fault = () => Response.json({ id: "x" }))],
];

function missing(status: number): Response {
  return Response.json({ message: "no" }, { status });
}

for (const [what, code, prepare] of REFUSED) {
  Deno.test(`publish_release to GitHub refuses ${what}: ${code}`, () =>
    withGithub(async (workshop, github, line) => {
      prepare(workshop, github);
      const { exit, json, out, err } = await workshop.run(`${line} --anew`);
      assertEquals([exit === 0, json.error?.code], [false, code]);
      assert(!`${out}${err}`.includes(TOKEN));
      assertEquals(github.names("index").includes("index.json"), false);
    }));
}
