import fc from "fast-check";
import { toBase64Url, toHex } from "../../shared/bytes/encoding.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import { type EdgeConfig, readConfig, SETTINGS } from "../../edge/config.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const OWNER = "a".repeat(64);
const KEY = toBase64Url(new Uint8Array(32).fill(7));
const GOOD = {
  POSTERN_OWNERS: OWNER,
  POSTERN_EDGE_KEY: KEY,
  POSTERN_ORIGIN: "https://edge.example/postern",
  POSTERN_DATABASE_URL: "file:edge.db",
};

function refusal(changes: Record<string, string | undefined>): string {
  return assertThrows(() => readConfig({ ...GOOD, ...changes }), "configuration").message;
}

Deno.test("readConfig() reads a whole configuration when everything fits", () => {
  const config = readConfig({
    ...GOOD,
    POSTERN_OWNERS: `${OWNER}, ${"b".repeat(64)}\n${"c".repeat(64)}`,
    POSTERN_EDGE_KEY_PREVIOUS: toBase64Url(new Uint8Array(32).fill(8)),
    POSTERN_DATABASE_URL: "libsql://db.example",
    POSTERN_DATABASE_TOKEN: "secret-token",
    POSTERN_OWNER_BYTES: "20 GiB",
    POSTERN_RATE_ADDRESS: "30",
    POSTERN_RATE_OWNER: "off",
    POSTERN_ADDRESS_HEADER: "X-Forwarded-For",
    POSTERN_LISTEN: "[::1]:9000",
    PATH: "/usr/bin",
    POSTERN_CI: "1",
  });
  assertEquals(config.owners.map((id) => toHex(id)[0]), ["a", "b", "c"]);
  assertEquals(reveal(config.secret)[0], 7);
  assertEquals(config.previousSecret && reveal(config.previousSecret)[0], 8);
  assertEquals(config.databaseToken && reveal(config.databaseToken), "secret-token");
  assertEquals([config.origin, config.basePath], ["https://edge.example/postern", "/postern"]);
  assertEquals(config.ownerBytes, 20 * 2 ** 30);
  assertEquals(config.rates, { addressPerMinute: 30, ownerPerMinute: null });
  assertEquals([config.addressHeader, config.listen], ["x-forwarded-for", { hostname: "::1", port: 9000 }]);
});

Deno.test("readConfig() shows no secret when the configuration is printed", () => {
  const config: EdgeConfig = readConfig({
    ...GOOD,
    POSTERN_DATABASE_URL: "https://db.example",
    POSTERN_DATABASE_TOKEN: "secret-token",
  });
  const printed = JSON.stringify(config) + Deno.inspect(config);
  assert(!printed.includes("secret-token") && !printed.includes(KEY) && !printed.includes("7,7,7"), printed);
});

Deno.test("readConfig() names every variable at once when several are wrong", () => {
  const message = assertThrows(() => readConfig({}), "configuration").message;
  for (const name of Object.keys(GOOD)) assert(message.includes(`${name} is missing`), message);
  assert(message.includes("postern edge keygen"));
});

Deno.test("readConfig() names the variable and never the secret when a value is wrong", () => {
  const cases: readonly [string, string][] = [
    ["POSTERN_OWNERS", OWNER.toUpperCase()],
    ["POSTERN_OWNERS", `${OWNER},${OWNER}`],
    ["POSTERN_OWNERS", OWNER.slice(2)],
    ["POSTERN_EDGE_KEY", `${KEY}=`],
    ["POSTERN_EDGE_KEY", KEY.slice(4)],
    ["POSTERN_EDGE_KEY_PREVIOUS", "old-key-that-is-none"],
    ["POSTERN_ORIGIN", "some.example"],
    ["POSTERN_ORIGIN", "http://edge.example"],
    ["POSTERN_ORIGIN", "https://user@edge.example"],
    ["POSTERN_ORIGIN", "https://edge.example/?"],
    ["POSTERN_ORIGIN", "https://edge.example/#x"],
    ["POSTERN_ORIGIN", "https://edge.example//x"],
    ["POSTERN_ORIGIN", "https://edge.example/%41"],
    ["POSTERN_ORIGIN", `https://edge.example/${"x".repeat(600)}`],
    ["POSTERN_DATABASE_URL", "edge.db"],
    ["POSTERN_DATABASE_URL", "file:"],
    ["POSTERN_DATABASE_URL", "https://user:password@db.example"],
    ["POSTERN_DATABASE_TOKEN", "token-for-a-file"],
    ["POSTERN_OWNER_BYTES", "0"],
    ["POSTERN_OWNER_BYTES", "1024 KiB"],
    ["POSTERN_OWNER_BYTES", "1048575"],
    ["POSTERN_OWNER_BYTES", "1025GiB"],
    ["POSTERN_OWNER_BYTES", "1e9"],
    ["POSTERN_RATE_ADDRESS", "0"],
    ["POSTERN_RATE_ADDRESS", "1e3"],
    ["POSTERN_RATE_OWNER", "9999999999"],
    ["POSTERN_ADDRESS_HEADER", "x forwarded"],
    ["POSTERN_LISTEN", "8787"],
    ["POSTERN_LISTEN", "127.0.0.1:65536"],
    ["POSTERN_RATE_ADRESS", "5"],
    ["POSTERN_OWNER", OWNER],
  ];
  for (const [name, value] of cases) {
    const message = refusal({ [name]: value });
    assert(message.split("\n").slice(1).every((line) => line.startsWith(`${name} `)), `${name}=${value}: ${message}`);
    assert(value.length < 8 || !message.includes(value), `${name}: ${message}`);
  }
});

Deno.test("readConfig() limits what an owner takes up to 1 GiB, to what is set, or not at all", () => {
  const cases = [[undefined, 2 ** 30], ["off", null], ["1048576", 2 ** 20], ["3MiB", 3 * 2 ** 20], [
    "1024 GiB",
    2 ** 40,
  ]];
  for (const [text, bytes] of cases) {
    const config = readConfig({ ...GOOD, POSTERN_OWNER_BYTES: text as string | undefined });
    assertEquals(config.ownerBytes, bytes as number | null);
  }
});

Deno.test("readConfig() gives the origin its one spelling whatever way it is written", () => {
  for (
    const [written, origin, basePath] of [
      ["https://EDGE.example:443/", "https://edge.example", ""],
      ["https://edge.example/a/b/", "https://edge.example/a/b", "/a/b"],
      ["https://edge.example/a/../b", "https://edge.example/b", "/b"],
      ["http://localhost:8000", "http://localhost:8000", ""],
      ["http://[::1]:8000/x", "http://[::1]:8000/x", "/x"],
      [" https://edge.example ", "https://edge.example", ""],
    ] as const
  ) {
    const config = readConfig({ ...GOOD, POSTERN_ORIGIN: written });
    assertEquals([config.origin, config.basePath], [origin, basePath]);
  }
});

Deno.test("readConfig() listens where a loopback origin points, and on a fixed port behind a proxy", () => {
  const listen = (origin: string) => readConfig({ ...GOOD, POSTERN_ORIGIN: origin }).listen;
  assertEquals(listen("http://127.0.0.1:8000/x"), { hostname: "127.0.0.1", port: 8000 });
  assertEquals(listen("http://localhost"), { hostname: "127.0.0.1", port: 80 });
  assertEquals(listen("http://[::1]:81"), { hostname: "::1", port: 81 });
  assertEquals(listen("https://edge.example:444"), { hostname: "127.0.0.1", port: 8787 });
});

Deno.test("readConfig() accepts or refuses any record with a configuration error and nothing else", () => {
  const names = Object.values(SETTINGS);
  const value = fc.oneof(fc.string(), fc.constantFrom(...Object.values(GOOD), "off", "1", "127.0.0.1:0"), fc.webUrl());
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...names), value), (changes) => {
    let config: EdgeConfig;
    try {
      config = readConfig({ ...GOOD, ...changes });
    } catch (error) {
      assertThrows(() => {
        throw error;
      }, "configuration");
      return;
    }
    // What was accepted reads the same when it is written back.
    const again = readConfig({ ...GOOD, ...changes, POSTERN_ORIGIN: config.origin });
    assertEquals([again.origin, again.basePath], [config.origin, config.basePath]);
    assert(config.origin.endsWith(config.basePath) && !config.origin.endsWith("/"));
  }));
});
