/** The main job: the whole of Postern on this machine, from nothing to a running service. See --help. */
import { join, resolve } from "node:path";
import { toHex } from "../shared/bytes/encoding.ts";
import { runtimeSurroundings } from "../shared/client/mod.ts";
import { isPosternError } from "../shared/errors.ts";
import { exitCodeOf } from "../manager/cli/exit_codes.ts";
import { turnLine } from "../manager/cli/texts/turn.ts";
import { fromOsError } from "../manager/files/os_error.ts";
import { runService } from "../manager/service/loop.ts";
import { openDevice } from "./start/device.ts";
import { edgeSettings, startEdge } from "./start/edge.ts";
import { HELP, readOptions, type StartOptions } from "./start/options.ts";
import { openOwner } from "./start/owner.ts";
import { type Cast, fill, followCopy, live, type Story, turn } from "./start/story.ts";
import { createTeller, type Teller } from "./start/teller.ts";

/** Seconds before its number, as people read it. */
const seconds = (since: number) => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

async function run(options: StartOptions, teller: Teller): Promise<Record<string, unknown>> {
  const started = performance.now();
  const folder = resolve(options.folder);
  teller.tell("", `Postern in ${folder}`);
  await lookAhead(folder, options.mail);
  const settings = await edgeSettings(join(folder, "edge"));
  const managerFolder = join(folder, "manager");
  const opened = await openOwner(managerFolder, settings.name, options.intervalMillis);
  const { db, owner } = opened;
  if (opened.isNew) {
    teller.tell("owner", `new: owner id ${toHex(owner)}, the fingerprint of the root certificate`);
    teller.tell("owner", `the recovery key is in ${opened.recoveryFile}: print it, put it away, delete the file`);
  } else teller.tell("owner", `known: owner id ${toHex(owner)}`);
  teller.tell(
    "owner",
    `the KEK is the file ${opened.kekFile} (mode 0600): it protects a stolen copy of the database, not a stolen machine`,
  );
  const edge = await startEdge(settings, owner, (line) => teller.tell("edge", line));
  try {
    teller.tell("edge", `serving ${settings.name.origin}: it knows this owner id, and no key and no plaintext, ever`);
    await using device = await openDevice(join(folder, "device"), db);
    if (device.checkCode !== null) teller.tell("device", `paired; both sides show the check code ${device.checkCode}`);
    const cast: Cast = { db, managerFolder, device, teller };
    await fill(cast, options.mail);
    await turn(cast);
    const story = await live(cast);
    teller.tell("", `one full turn in ${seconds(started)}`);
    if (!options.once) await serve(cast, options);
    return summary(owner, story);
  } finally {
    await edge.stop();
    await db.close();
  }
}

/** What is named wrongly is said before anything is made. */
async function lookAhead(folder: string, mail: string | null): Promise<void> {
  try {
    if (mail !== null) await Deno.stat(mail);
  } catch (error) {
    throw fromOsError(error, `open the mailbox ${mail}`);
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw fromOsError(error, `make the data folder ${folder}`);
  }
}

/** Goes on as a service until it is told to stop; the device looks at each new generation. */
async function serve(cast: Cast, { intervalMillis }: StartOptions): Promise<void> {
  const { teller } = cast;
  const stop = new AbortController();
  const end = () => {
    teller.tell("", "stopping after the turn under way");
    stop.abort();
  };
  Deno.addSignalListener("SIGINT", end);
  Deno.addSignalListener("SIGTERM", end);
  teller.tell("", `going on as a service, a turn every ${intervalMillis / 1_000} s; Ctrl-C ends it`);
  const network = runtimeSurroundings();
  try {
    await network.wait(intervalMillis, stop.signal).catch(() => {});
    await runService({
      network,
      turn: async () => {
        const done = await turn(cast);
        await followCopy(cast);
        return done;
      },
      intervalMillis: () => Promise.resolve(intervalMillis),
      report: (report) => {
        if (!report.ok) teller.tell("manager", `the turn failed (${report.error.code}): ${report.error.message}`);
      },
      stop: stop.signal,
    });
  } finally {
    Deno.removeSignalListener("SIGINT", end);
    Deno.removeSignalListener("SIGTERM", end);
  }
}

function summary(owner: Uint8Array, story: Story & { readonly last: Parameters<typeof turnLine>[0] }) {
  const { verified, rows, lookups, submissions, last } = story;
  const { generation, epoch } = last.pushed;
  const ok = verified && submissions.taken === submissions.sent;
  return { ok, owner: toHex(owner), generation, epoch, verified, rows, lookups, submissions };
}

async function main(): Promise<number> {
  const teller = createTeller(
    Deno.stderr.isTerminal(),
    (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
  );
  try {
    const options = readOptions(Deno.args);
    if (options.help) {
      console.log(HELP);
      return 0;
    }
    const result = await run(options, teller);
    if (options.json) console.log(JSON.stringify(result));
    return result.ok === true ? 0 : 1;
  } catch (error) {
    if (!isPosternError(error)) throw error;
    const { code, message } = error;
    teller.tell("", `postern: ${message} [${code}]`);
    if (Deno.args.includes("--json")) console.log(JSON.stringify({ ok: false, error: { code, message } }));
    return exitCodeOf(code);
  }
}

if (import.meta.main) Deno.exit(await main());
