/** `postern update`: releases of a product that this instance follows. */
import type { Database } from "../../../shared/database/database.ts";
import { PosternError } from "../../../shared/errors.ts";
import { type EventDetail, noteEvent } from "../../audit/note.ts";
import { storedRegistrations } from "../../instance/repository.ts";
import { firstConfig, type UpdateConfig } from "../../update/config.ts";
import { type FoundRelease, releaseRecords, requireRelease, searchReleases } from "../../update/releases.ts";
import { type Followed, followed, lastCheck, putConfig, requireFollowed } from "../../update/repository.ts";
import { tellNothing } from "../../update/tell_checked.ts";
import {
  applyUpdate,
  checkUpdate,
  downloadUpdate,
  installed,
  rollBack,
  type UpdateEnvironment,
} from "../../update/updater.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import {
  presentChecked,
  presentConfig,
  presentFetched,
  presentHistory,
  presentRelease,
  presentSwitched,
  presentUpdateStatus,
} from "../texts/update.ts";
import { configured, type ConfigureOptions, sourceOf } from "../update_options.ts";

interface ProductOption {
  readonly product?: string;
}

interface LookOptions extends ProductOption {
  readonly early?: boolean;
}

const CONFIGURE_HELP = `
The product is the one that this instance is registered for (postern instance register). Without options, shows the settings.

Examples:
  $ postern update configure --github owner/repository --install /opt/app --health-check 'bin/app --version'
  $ postern update configure --url https://releases.example.org/app
  $ postern update configure --folder /media/usb/app
  $ postern update configure --auto apply --window 02:00-04:00`;

const APPLY_HELP = `
The release is installed beside the one that runs, and the link 'current' is switched to it. Then the health check runs. If it fails,
the link is switched back, and the exit code is 3. A program that is already running is not restarted: restart it after this command.

Examples:
  $ postern update apply && systemctl restart app
  $ postern update apply --early`;

export const registerUpdate: Register = (parent, bind: Bind) => {
  const update = parent.command("update").summary("releases: find, download, install, go back").description(
    "Keeps software up to date by the signed releases of a publisher that this instance is registered with.",
  );
  const product = (name: string, summary: string, description: string) =>
    update.command(name).summary(summary).description(description).option(
      "--product <name>",
      "if several are followed",
    );
  product("configure", "where releases come from, and what is done with them", "Shows or changes what updates follow.")
    .option("--url <url>", "a folder of a web server").option("--folder <dir>", "a folder of this machine")
    .option("--github <owner/repository>", "the releases of a repository").option(
      "--github-url <url>",
      "another GitHub",
    )
    .option("--crl-file <file>", "revocation lists from here and not from the source; or 'none'")
    .option("--crl <how>", "whether revocation lists are 'required' or 'optional'")
    .option("--allow-public", "take public manifests where there is none for this instance").option("--no-allow-public")
    .option("--allow-schema1", "take manifests of schema 1, which commit to nothing").option("--no-allow-schema1")
    .option("--auto <what>", "what postern run does by itself: off, check, download, apply")
    .option("--window <times>", "when it may switch, in UTC: 02:00-04:00; or 'always'")
    .option("--critical <when>", "whether a critical release is switched to 'in-window' like others, or 'at-once'")
    .option("--interval <duration>", "between two checks")
    .option("--cache <dir>", "share downloads with other tenants; or 'own'")
    .option("--install <dir>", "where versions are installed; or 'none'")
    .option("--health-check <command>", "exits with 0 if a version works; or 'none'")
    .option("--health-timeout <duration>", "within this").option("--keep <n>", "versions that stay on the disk")
    .option("--restart", "postern run ends after a switch, for systemd to start the new version").option("--no-restart")
    .addHelpText("after", CONFIGURE_HELP).action(bind(configure));
  product("check", "look for a release", "Looks for a release; downloads and installs nothing.")
    .option("--early", "also one that is not this instance's turn yet")
    .addHelpText("after", "\nExample:\n  $ postern update check --json").action(bind(check));
  product(
    "download",
    "download a release",
    "Looks for a release and downloads it; resumes a download that was cut off.",
  )
    .option("--early", "also one that is not this instance's turn yet")
    .addHelpText("after", "\nExample:\n  $ postern update download").action(bind(download));
  product("apply", "install a release and switch to it", "Looks for a release, downloads it, and switches to it.")
    .option("--early", "also one that is not this instance's turn yet")
    .addHelpText("after", APPLY_HELP).action(bind(apply));
  product(
    "rollback [version]",
    "go back to a version that is still there",
    "Switches back to a version beside this one.",
  )
    .addHelpText("after", "\nExamples:\n  $ postern update rollback\n  $ postern update rollback 1.2.0").action(
      bind(rollback),
    );
  update.command("status").summary("what runs, and how the last check ended").description(
    "Shows what you follow, what runs, and how the last check ended.",
  )
    .addHelpText("after", "\nExample:\n  $ postern update status").action(bind(status));
  product("history", "the releases that were accepted", "Shows every release that passed all checks, the newest first.")
    .option("--search <text>", "only those with this in version, tag, commit, notes, or a file's path or hash")
    .addHelpText("after", "\nExamples:\n  $ postern update history\n  $ postern update history --search libcrypto")
    .action(
      bind(history),
    );
  product("show <version>", "one release and its files", "Shows the manifest of a release.")
    .addHelpText("after", "\nExample:\n  $ postern update show 1.2.0").action(bind(show));
};

async function configure(cli: Cli, _args: readonly string[], options: ConfigureOptions): Promise<Output> {
  const { s } = cli;
  const hasChanges = Object.keys(options).some((name) => name !== "product");
  return await withManager(cli, async (db) => {
    const product = options.product ?? await onlyProduct(db);
    const known = (await followed(db)).find(({ config }) => config.product === product);
    if (known !== undefined && !hasChanges) return presentConfig(known.config);
    const source = known?.config.source ?? sourceOf(options, s.cwd);
    if (source === null) {
      throw new PosternError("usage", "Where do releases come from? Give --url, --folder or --github");
    }
    const config = configured(known?.config ?? firstConfig(product, source), options, s.cwd);
    await db.batch([
      putConfig(config, s.random),
      noteEvent("update.configured", product, policyOf(config), s.now()),
    ]);
    return presentConfig(config);
  });
}

/** All that decides about what is taken and when, for the audit trail. */
// spec: AUDIT-05
function policyOf(config: UpdateConfig): EventDetail {
  const { source, window, health: _, product: __, ...rest } = config;
  const from = source.kind === "http" ? source.url : source.kind === "folder" ? source.path : source.repository;
  return { ...rest, source: `${source.kind} ${from}`, window: window === null ? null : `${window.from}-${window.to}` };
}

/** @throws `configuration` when the instance is registered for nothing, `usage` when for several products */
async function onlyProduct(db: Database): Promise<string> {
  const [only, ...others] = new Set((await storedRegistrations(db)).map(({ product }) => product));
  if (only === undefined) {
    throw new PosternError("configuration", "This instance is registered for nothing yet: postern instance request");
  }
  if (others.length === 0) return only;
  throw new PosternError(
    "usage",
    `Registered for several products: name one with --product (${[only, ...others].join(", ")})`,
  );
}

async function check(cli: Cli, _args: readonly string[], options: LookOptions): Promise<Output> {
  return await withUpdates(cli, options, async (env) => {
    return presentChecked(await checkUpdate(env), await installed(env));
  });
}

async function download(cli: Cli, _args: readonly string[], options: LookOptions): Promise<Output> {
  return await withUpdates(cli, options, async (env) => {
    const fetched = await downloadUpdate(env);
    return presentFetched(fetched, await nothingOf(env), await installed(env));
  });
}

async function apply(cli: Cli, _args: readonly string[], options: LookOptions): Promise<Output> {
  return await withUpdates(cli, options, async (env) => {
    const switched = await applyUpdate(env);
    return presentSwitched(switched, await nothingOf(env));
  });
}

/** What to say if there was nothing. */
async function nothingOf({ db, followed: { config: { product } } }: UpdateEnvironment): Promise<string> {
  return tellNothing(await lastCheck(db, product));
}

async function rollback(cli: Cli, [version]: readonly string[], options: ProductOption): Promise<Output> {
  return await withUpdates(cli, options, async (env) => presentSwitched(await rollBack(env, version), ""));
}

async function status(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => {
    const all = await Promise.all((await followed(db)).map(async (one) => {
      const { config } = one;
      const check = await lastCheck(db, config.product);
      return { config, ...await installed(environment(cli, db, one)), check };
    }));
    return presentUpdateStatus(all, cli.s.now());
  });
}

async function history(
  cli: Cli,
  _args: readonly string[],
  options: ProductOption & { readonly search?: string },
): Promise<Output> {
  return await withManager(cli, async (db) => {
    const { config: { product } } = await requireFollowed(db, options.product);
    if (options.search === undefined) return presentHistory(await releaseRecords(db, product), null);
    const found: FoundRelease[] = [];
    for await (const one of searchReleases(db, product, options.search)) found.push(one);
    return presentHistory(found.map(({ record }) => record), found);
  });
}

async function show(cli: Cli, [version = ""]: readonly string[], options: ProductOption): Promise<Output> {
  return await withManager(cli, async (db) => {
    const { config: { product } } = await requireFollowed(db, options.product);
    const { record, manifest } = await requireRelease(db, product, version);
    return presentRelease(record, manifest);
  });
}

async function withUpdates(
  cli: Cli,
  options: LookOptions,
  use: (env: UpdateEnvironment) => Promise<Output>,
): Promise<Output> {
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Downloading");
    const env = environment(cli, db, await requireFollowed(db, options.product));
    try {
      return await use({
        ...{ ...env, stop: cli.s.stop, ignoresRollout: options.early === true },
        onProgress: (done, total) => progress.update(done, total),
      });
    } finally {
      progress.end();
    }
  });
}

function environment({ s, folder }: Cli, db: Database, one: Followed): UpdateEnvironment {
  return { db, dataFolder: folder, followed: one, network: s.network, pid: s.pid };
}
