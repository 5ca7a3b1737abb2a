/** Publishers at GitHub who know nothing of each other, their requests in any order: who reports success has published. */
import fc from "fast-check";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { parseIndex } from "../../../shared/manifest/release_index.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { assert, assertEquals } from "../../assert.ts";
import { FakeGithub, TOKEN } from "./github.ts";
import { makeRelease, makeWorkshop, PUBLISH, RELEASE } from "./releases.ts";
import { readTree, writeTree } from "./tree.ts";
import { type Ran, Workshop } from "./workshop.ts";

const VERSIONS = ["1.1.0", "1.2.0", "1.3.0"] as const;
const SCHEDULES = 25;
const ENVELOPE = "encrypted_manifest.json";

/** Who may send, and how many requests before it is the next one's turn. */
type Turn = readonly [publisher: number, requests: number];

/** Runs all at once, one request at a time, in the order of the turns. @returns how each ended */
async function interleave(publishers: readonly Workshop[], line: string, turns: readonly Turn[]): Promise<Ran[]> {
  const waiting = new Map<number, () => void>();
  let live = publishers.length;
  const order = turns.flatMap(([publisher, requests]) => Array<number>(requests).fill(publisher));
  let step = 0;
  const proceed = () => {
    if (waiting.size < live || live === 0) return;
    // Whoever has ended has no turn.
    while (step < order.length && !waiting.has(order[step] ?? 0)) step++;
    const [next = 0] = step < order.length ? [order[step++]] : waiting.keys();
    const resume = waiting.get(next);
    waiting.delete(next);
    resume?.();
  };
  return await Promise.all(publishers.map(async (workshop, at) => {
    workshop.gate = () =>
      new Promise((resume) => {
        waiting.set(at, resume);
        proceed();
      });
    const ran = await workshop.run(line);
    workshop.gate = () => Promise.resolve();
    live--;
    proceed();
    return ran;
  }));
}

/** What instances would take: index and signature fit, and every envelope is the one that is named. */
async function published(workshop: Workshop, github: FakeGithub): Promise<string[]> {
  const [content, signature] = ["index.json", "index.json.sig"].map((name) => github.file("index", name));
  assert(content !== undefined && signature !== undefined);
  const roots = readPem(new TextDecoder().decode(await workshop.read("root.pem"))).map(({ bytes }) =>
    readCertificate(bytes)
  );
  await verifyDetached(content, signature, { roots, now: workshop.now });
  const { releases } = parseIndex(content);
  for (const { tagName, envelope } of releases) assertEquals(github.file(tagName, ENVELOPE)?.length, envelope.size);
  return releases.map(({ version }) => version);
}

Deno.test("publishers at GitHub, in any order of their requests, lose no release that they said was published", async () => {
  await using github = new FakeGithub();
  await using first = await makeWorkshop();
  const line = `${PUBLISH} --github acme/tool --github-api ${github.url} ${RELEASE}`;
  first.env = { GITHUB_TOKEN: TOKEN };
  await makeRelease(first, "1.0.0");
  await first.ok(`${line} --anew`);
  const publishers: Workshop[] = [];
  await using stack = new AsyncDisposableStack();
  for (const version of VERSIONS) {
    await makeRelease(first, version);
    const workshop = stack.use(await Workshop.make());
    writeTree(workshop.path, readTree(first.path));
    workshop.env = first.env;
    publishers.push(workshop);
  }
  const tick = () => {
    const now = Math.max(first.now, ...publishers.map((one) => one.now)) + 2_000;
    for (const one of [first, ...publishers]) one.now = now;
  };
  const start = structuredClone(github.releases);
  let [conflicts, successes] = [0, 0];
  const schedule = fc.record({
    turns: fc.array(fc.tuple(fc.nat(VERSIONS.length - 1), fc.integer({ min: 1, max: 14 })), { minLength: 12 }),
    // After so many requests nothing gets through any more, as if all were killed.
    cut: fc.option(fc.nat(90)),
  });
  const property = fc.asyncProperty(schedule, async ({ turns, cut }) => {
    github.releases = structuredClone(start);
    let left = cut ?? Infinity;
    github.fault = () => left-- > 0 ? null : new Response(null, { status: 400 });
    tick();
    const ended = await interleave(publishers, line, turns);
    github.fault = () => null;
    const said = VERSIONS.filter((_version, at) => ended[at]?.exit === 0);
    for (const { exit, json, err } of ended) {
      assert(exit === 0 || json.error?.code === "conflict" || (cut !== null && json.error?.code === "network"), err);
    }
    if (cut === null) {
      [successes, conflicts] = [successes + said.length, conflicts + VERSIONS.length - said.length];
      const there = await published(first, github);
      assert(said.every((version) => there.includes(version)), `${said} were published, ${there} are there`);
    }
    // Whatever it was: once more, one after the other.
    for (const [at, workshop] of publishers.entries()) {
      tick();
      if (ended[at]?.exit !== 0) await workshop.ok(line);
    }
    const there = await published(first, github);
    assertEquals(there, ["1.0.0", ...VERSIONS]);
    if (said.length < VERSIONS.length) assertEquals(github.names("index"), ["index.json", "index.json.sig"]);
  });
  await fc.assert(property, { numRuns: SCHEDULES });
  assert(successes > 0 && conflicts > 0, `${successes} successes, ${conflicts} conflicts`);
  assertEquals(github.complaints, []);
});
