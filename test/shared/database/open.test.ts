import { openDatabase } from "../../../shared/database/open.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

Deno.test("openDatabase() opens one file by each way to write its URL", async () => {
  const folder = await Deno.makeTempDir();
  const first = await openDatabase(`file:${folder}/a b%20.db`);
  await first.execute({ sql: "CREATE TABLE t (x)", params: [] });
  await first.close();
  const second = await openDatabase(`file://${folder}/a b%20.db`);
  assertEquals((await second.execute({ sql: "SELECT count(*) AS n FROM t", params: [] })).rows, [{ n: 0 }]);
  assertEquals(second.kind, "embedded");
  await second.close();
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".db")), [
    "a b%20.db",
  ]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openDatabase() opens a server lazily when the URL names one", async () => {
  for (
    const url of [
      "http://127.0.0.1:1",
      "https://host.invalid",
      "ws://host:8080/path",
      "wss://host",
      "libsql://host?tls=1",
    ]
  ) {
    const database = await openDatabase(url, { authToken: "x" });
    assertEquals(database.kind, "remote");
    await database.close();
  }
});

for (
  const url of ["", "data.db", "/data.db", "file:", "file://host/data.db", "file:data.db?mode=ro", "sqlite:data.db"]
) {
  Deno.test(`openDatabase() refuses with configuration when the URL is ${JSON.stringify(url)}`, async () => {
    await assertRejects(() => openDatabase(url), "configuration");
  });
}

Deno.test("openDatabase() refuses with configuration when an option belongs to the other driver", async () => {
  await assertRejects(() => openDatabase(":memory:", { authToken: "x" }), "configuration");
  await assertRejects(() => openDatabase("https://host", { encryptionKey: new Uint8Array(32) }), "configuration");
});
