import fc from "fast-check";
import {
  firstConfig,
  isWithin,
  parseBase,
  parseWindow,
  readConfig,
  type SourceConfig,
} from "../../../manager/update/config.ts";
import { urlOf } from "../../../manager/update/http_source.ts";
import { updateTurn } from "../../../manager/update/unattended.ts";
import { openAlarms } from "../../../manager/sync/alarms.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";
import { surroundingsOf, TestClock } from "../../fixtures/clock.ts";
import { DAY } from "./publisher.ts";
import { NOW, withTenant } from "./tenant.ts";

Deno.test("isWithin() holds for a window's minutes and no others, over midnight as well", () => {
  const minute = fc.integer({ min: 0, max: 1_439 });
  fc.assert(fc.property(minute, minute, minute, (from, to, at) => {
    fc.pre(from !== to);
    const minutes = new Set<number>();
    for (let one = from; one !== to; one = (one + 1) % 1_440) minutes.add(one);
    assertEquals(isWithin({ from, to }, NOW + at * 60_000 + 59_999), minutes.has(at));
  }));
  assertEquals(parseWindow("23:30-01:05"), { from: 1_410, to: 65 });
  assertEquals(isWithin(null, NOW), true);
});

Deno.test("a configuration is read back as it was written, and a damaged one is said to be", () => {
  const config = firstConfig("app", { kind: "folder", path: "/x" });
  assertEquals(readConfig(JSON.stringify(config)), config);
  for (const text of ["", "{}", JSON.stringify({ ...config, keep: 0 }), JSON.stringify({ ...config, more: 1 })]) {
    assertThrows(() => readConfig(text), "storage");
  }
});

Deno.test("URLs of places stay below their base, whatever a place is called, MAN-24", () => {
  const http: SourceConfig = { kind: "http", url: parseBase("https://example.org/a/", "--url") };
  assertEquals(urlOf(http, "v1.0+x/f"), "https://example.org/a/v1.0%2Bx/f");
  const github: SourceConfig = { kind: "github", repository: "o/r", base: "https://github.com" };
  assertEquals(urlOf(github, "release.crl"), "https://github.com/o/r/releases/download/index/release.crl");
  assertEquals(urlOf(github, "v1/ab"), "https://github.com/o/r/releases/download/v1/ab");
  for (const bad of ["ftp://x", "http://example.org", "https://u:p@x", "https://x/?q", "https://x/#f", "x"]) {
    assertThrows(() => parseBase(bad, "--url"), "usage");
  }
  assertEquals(parseBase("http://127.0.0.1:8000/", "--url"), "http://127.0.0.1:8000");
});

Deno.test("updateTurn() goes as far as its owner lets it, when it is due; foul play is an alarm", () =>
  withTenant(async (publisher, tenant, folder) => {
    const clock = new TestClock(NOW);
    const network = surroundingsOf({ clock, fetch });
    const stop = new AbortController().signal;
    const turn = async () => {
      const reports = await updateTurn({ db: tenant.db, dataFolder: tenant.folder, network, pid: Deno.pid, stop });
      return reports.map(({ text, code }) => code ?? text);
    };
    const config = { ...await tenant.config(), install: `${folder}/app`, intervalMillis: DAY };
    assertEquals(await turn(), []);
    await publisher.release("1.0.0");
    await tenant.configure({ ...config, auto: "check" });
    assertEquals(await turn(), ["release 1.0.0 is there: postern update apply"]);
    assertEquals(await turn(), []);
    clock.advance(DAY);
    await tenant.configure({ ...config, auto: "download" });
    assertEquals(await turn(), ["release 1.0.0 is downloaded"]);
    // It is found before the window, and switched to as soon as the window opens, although the day is not over.
    await tenant.configure({ ...config, auto: "apply", window: parseWindow("02:00-04:00") });
    clock.advance(3_600_000);
    assertEquals(await turn(), []);
    clock.advance(3_600_000);
    assertEquals(await turn(), ["switched from nothing to 1.0.0"]);
    // What is critical waits for the window, unless its owner says that it shall not.
    const nightly = { ...config, auto: "apply", window: parseWindow("02:00-04:00") } as const;
    await publisher.release("1.0.1", { manifest: { isCritical: true } });
    clock.advance(DAY + 3 * 3_600_000);
    await tenant.configure(nightly);
    assertEquals(await turn(), [
      "release 1.0.1, which is critical, is downloaded and waits for the window: postern update apply",
    ]);
    await tenant.configure({ ...nightly, criticalAtOnce: true });
    clock.advance(DAY);
    assertEquals(await turn(), ["switched from 1.0.0 to 1.0.1"]);
    await publisher.release("1.0.2");
    clock.advance(DAY);
    assertEquals(await turn(), ["release 1.0.2 is downloaded"]);
    await publisher.release("1.1.0", { files: { "bin/run": "no program" } });
    await tenant.configure({ ...config, auto: "apply", health: ["bin/run"] });
    clock.advance(DAY);
    const [broken] = await turn();
    assert(broken?.startsWith("went back from 1.1.0 to 1.0.1"), broken);
    clock.advance(DAY);
    assertEquals(await turn(), ["release 1.1.0 did not work or was gone back from: postern update apply takes it"]);
    clock.advance(7 * DAY);
    assertEquals(await turn(), ["stale"]);
    assertEquals((await openAlarms(tenant.db)).map(({ code }) => code), ["conflict"]);
    await Deno.writeTextFile(publisher.path("index.json"), "{}");
    clock.advance(DAY);
    assertEquals(await turn(), ["signature"]);
    assertEquals((await openAlarms(tenant.db)).map(({ code }) => code), ["conflict", "signature"]);
  }));
