/** One program of a device, the same bytes on every runtime, against a real edge and a real manager over HTTP. */
import { assert, assertEquals } from "../../../assert.ts";
import { launchChromium } from "../../../tools/chromium.ts";
import { needs } from "../../../tools/needs.ts";
import { start as startWorkerd } from "../../../tools/workerd.ts";
import { bundle } from "./bundle.ts";
import { runScenario, type ScenarioReport } from "./scenario.ts";
import { Stage } from "./stage.ts";

function assertReport(report: ScenarioReport, stage: Stage, devices: number): void {
  const { hasNativeMlKem, generation, ...rest } = report;
  assertEquals(typeof hasNativeMlKem, "boolean");
  assert(generation >= 1);
  assertEquals(rest, stage.expected(devices));
}

/** The manager takes what the device handed in: the seal, the signature and the numbers were right. */
async function assertTaken(stage: Stage): Promise<void> {
  const { inbox } = await stage.world.manager.sync();
  assertEquals([inbox.done, inbox.refused, inbox.ignored], [2, 0, 0]);
}

Deno.test("the client runs on Deno over HTTP", async () => {
  await using stage = await Stage.open();
  const device = await stage.world.pair("deno");
  await stage.world.manager.sync();
  assertReport(await runScenario(await stage.inputOf(device)), stage, 1);
  await assertTaken(stage);
});

needs("node").test("the client runs on Node over HTTP", async () => {
  await using stage = await Stage.open();
  const device = await stage.world.pair("node");
  await stage.world.manager.sync();
  const folder = await Deno.makeTempDir({ prefix: "postern-node-" });
  try {
    await Deno.writeFile(`${folder}/scenario.mjs`, await bundle("./scenario.ts", "node"));
    await Deno.writeTextFile(`${folder}/input.json`, JSON.stringify(await stage.inputOf(device)));
    await Deno.writeTextFile(
      `${folder}/main.mjs`,
      'import { readFileSync } from "node:fs"; import { runScenario } from "./scenario.mjs";\n' +
        'const input = JSON.parse(readFileSync(new URL("./input.json", import.meta.url), "utf8"));\n' +
        "console.log(JSON.stringify(await runScenario(input)));\n",
    );
    const { success, stdout, stderr } = await new Deno.Command("node", { args: [`${folder}/main.mjs`] }).output();
    assert(success, new TextDecoder().decode(stderr));
    assertReport(JSON.parse(new TextDecoder().decode(stdout)) as ScenarioReport, stage, 1);
    await assertTaken(stage);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

needs("workerd").test("the client runs on workerd over HTTP", async () => {
  await using stage = await Stage.open();
  const device = await stage.world.pair("workerd");
  await stage.world.manager.sync();
  const files = [{ name: "main.js", bytes: await bundle("./worker.ts", "worker") }];
  const worker = await startWorkerd({ bundle: { main: "main.js", files } });
  try {
    const body = JSON.stringify(await stage.inputOf(device));
    const response = await fetch(worker.origin, { method: "POST", body });
    const text = await response.text();
    assert(response.ok, `${text}\n${worker.output()}`);
    assertReport(JSON.parse(text) as ScenarioReport, stage, 1);
    await assertTaken(stage);
  } finally {
    await worker.stop();
  }
});

/** The module, and a page that may load it: loopback counts as a secure context, and the edge is of another origin. */
async function servePage(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const script = await bundle("./browser.ts", "browser");
  const worker = 'import { runScenario } from "./scenario.js";\n' +
    "onmessage = async ({ data }) => postMessage(await runScenario(data).then((report) => ({ report }), " +
    "(error) => ({ error: String(error.stack) })));\npostMessage(null);\n";
  const types: Record<string, [string, BodyInit]> = {
    "/": ["text/html", "<!doctype html><title>device</title>"],
    "/scenario.js": ["text/javascript", script],
    "/worker.js": ["text/javascript", worker],
  };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const [type, body] = types[new URL(request.url).pathname] ?? ["text/plain", ""];
    return new Response(body, { headers: { "content-type": type } });
  });
}

needs("chromium").test("the client runs in Chromium, paired there with keys that never leave it", async () => {
  await using stage = await Stage.open();
  const server = await servePage();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    const request = await page.evaluate(`import("/scenario.js").then((m) => m.startPairing("browser"))`) as string;
    const grant = await stage.world.manager.admit(request);
    await stage.world.manager.sync();
    const run = `import("/scenario.js").then((m) => m.finishPairingInBrowser(...${
      JSON.stringify([grant, stage.input()])
    }))`;
    const { checkCode, ...report } = await page.evaluate(run) as ScenarioReport & { checkCode: string };
    assert(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/.test(checkCode), checkCode);
    assertReport(report, stage, 1);
    await assertTaken(stage);
  } finally {
    await browser.close();
    await server.shutdown();
  }
});

needs("chromium").test("the client runs in a web worker", async () => {
  await using stage = await Stage.open();
  const device = await stage.world.pair("worker");
  await stage.world.manager.sync();
  const server = await servePage();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    const run = `new Promise((resolve, reject) => {
      const worker = new Worker("/worker.js", { type: "module" });
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        if (data === null) worker.postMessage(${JSON.stringify(await stage.inputOf(device))});
        else if (data.error) reject(new Error(data.error));
        else resolve(data.report);
      };
    })`;
    assertReport(await page.evaluate(run) as ScenarioReport, stage, 1);
    await assertTaken(stage);
  } finally {
    await browser.close();
    await server.shutdown();
  }
});
