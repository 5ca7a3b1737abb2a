/** `postern edge`: the key of an edge, an edge on this machine, and which edge the owner uses. */
import { resolve } from "node:path";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { PosternError } from "../../../shared/errors.ts";
import { newEdgeKey } from "../../../shared/protocol/edge_key.ts";
import { createExclusive } from "../../files/durable.ts";
import { currentStatement, issueStatement } from "../../owner/statement.ts";
import { META, setBytes } from "../../store/meta.ts";
import { pairs } from "../../text/layout.ts";
import { size } from "../../text/moments.ts";
import { dumpDatabase } from "../../doctor/dump/dump_database.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { writeEnvFile } from "../env_file.ts";
import type { Output } from "../output.ts";
import { readEdgeKey, writeEdgeKey } from "../texts/edge_key.ts";
import { edgeOrigin } from "./init.ts";
import { readSettingsFile } from "../edge_settings.ts";
import { serve } from "./edge_serve.ts";

interface KeygenOptions {
  readonly url?: string;
  readonly owner?: string;
  readonly database: string;
  readonly envFile?: string;
}

const KEYGEN_HELP = `
Only the edge may have the secret: as a secret of the worker (wrangler secret put POSTERN_EDGE_KEY), or in the environment of the
process. The public key is for postern init, or postern edge url.

Examples:
  $ postern edge keygen
  $ postern edge keygen --url https://edge.example --env-file edge.env      # the secret goes into the file alone
  $ postern edge keygen --url http://127.0.0.1:8787 --owner 1f0c... --env-file edge.env --database file:edge.db`;

const SERVE_HELP = `
Settings come from the file and from the environment; the file wins. They are POSTERN_OWNERS, POSTERN_EDGE_KEY, POSTERN_ORIGIN,
POSTERN_DATABASE_URL and others (docs/owners/cloudflare.md).

Example:
  $ postern edge serve --env-file edge.env`;

const DUMP_HELP = `
Makes a copy for postern verify --dump, which runs on the manager's machine. The edge can keep running: the copy shows one moment. It
contains what the edge has of all its owners: ciphertext, sizes, tokens. An edge on a libSQL server (Turso, sqld) has no file to copy.

Examples:
  $ postern edge dump --env-file edge.env --output edge.dump
  $ postern edge dump --database file:/var/lib/postern/edge.db --output edge.dump`;

const URL_HELP = `
A new edge takes effect with the next push: the manager signs a new owner statement and fills the new edge. Devices find the new edge
by that statement, as long as the old edge serves it.

Examples:
  $ postern edge url
  $ postern edge url https://new.example/postern --edge-key postern-edge:...`;

export const registerEdge: Register = (parent, bind: Bind) => {
  const group = parent.command("edge").summary("the edge: its key, its address, serving one here").description(
    "The untrusted edge: its key, its address, and running one here.",
  );
  group.command("keygen").summary("make an edge's key").description(
    "Makes the key of a new edge and prints what to set there. Needs no manager.",
  )
    .option("--url <url>", "where devices will reach the edge").option(
      "--owner <ids>",
      "ids of the owners to admit, separated by commas",
    )
    .option("--database <url>", "of the edge, for the settings file", "file:postern-edge.db")
    .option("--env-file <file>", "write the settings, with the secret, into this new file of mode 0600")
    .addHelpText("after", KEYGEN_HELP).action(bind(keygen));
  group.command("serve").summary("run an edge on this machine").description(
    "Runs an edge on this machine until it is stopped.",
  )
    .option("--env-file <file>", "settings, as keygen writes them").addHelpText("after", SERVE_HELP).action(
      bind(serve),
    );
  group.command("dump").summary("copy the database of an edge on this machine").description(
    "Copies the database file of an edge on this machine, for verifying it. Needs no manager.",
  )
    .option("--env-file <file>", "settings of the edge, which name its database")
    .option("--database <url>", "its database, file:PATH").requiredOption("--output <file>", "a new file")
    .addHelpText("after", DUMP_HELP).action(bind(dump));
  group.command("url [url]").summary("show or change which edge is used").description(
    "Shows the owner's edge, or moves to another.",
  )
    .option("--edge-key <key>", "the new edge's public key").addHelpText("after", URL_HELP).action(bind(url));
};

async function keygen(cli: Cli, _args: readonly string[], options: KeygenOptions): Promise<Output> {
  const { s } = cli;
  const origin = options.url === undefined ? undefined : edgeOrigin(options.url);
  const { secret, publicKey } = await newEdgeKey(s.random);
  const shown = writeEdgeKey(publicKey);
  const settings = {
    POSTERN_EDGE_KEY: secret,
    ...(origin === undefined ? {} : { POSTERN_ORIGIN: origin }),
    ...(options.owner === undefined ? {} : { POSTERN_OWNERS: options.owner }),
    POSTERN_DATABASE_URL: options.database,
  };
  if (options.envFile === undefined) {
    return {
      json: { publicKey: shown, secret, settings },
      text: pairs([["public key", shown], ["secret", secret]]) +
        `\n\nAt the edge, set POSTERN_EDGE_KEY to the secret, and nowhere else.\nNext: postern init --edge-url ${
          origin ?? "URL"
        } --edge-key ${shown}`,
    };
  }
  const file = resolve(s.cwd, options.envFile);
  await createExclusive(
    file,
    utf8(writeEnvFile(settings, "Settings of a Postern edge; POSTERN_EDGE_KEY is its secret")),
  );
  return {
    json: { publicKey: shown, envFile: file },
    text: `${pairs([["public key", shown], ["settings", file]])}\n\nNext: postern init --edge-url ${
      origin ?? "URL"
    } --edge-key ${shown}`,
  };
}

interface DumpOptions {
  readonly envFile?: string;
  readonly database?: string;
  readonly output: string;
}

async function dump(cli: Cli, _args: readonly string[], options: DumpOptions): Promise<Output> {
  const { s } = cli;
  const settings = options.envFile === undefined ? {} : await readSettingsFile(resolve(s.cwd, options.envFile), s.uid);
  const url = options.database ?? settings.POSTERN_DATABASE_URL;
  if (url === undefined) {
    throw new PosternError(
      "usage",
      "Say which database: --database file:PATH, or --env-file with POSTERN_DATABASE_URL",
    );
  }
  const file = resolve(s.cwd, options.output);
  const bytes = await dumpDatabase(url, s.cwd, file);
  return {
    json: { dump: file, bytes },
    text: `${pairs([["dump", file], ["size", size(bytes)]])}\n\nNext, at the manager: postern verify --dump ${file}`,
  };
}

async function url(cli: Cli, [text]: readonly string[], options: { readonly edgeKey?: string }): Promise<Output> {
  const origin = text === undefined ? undefined : edgeOrigin(text);
  const key = options.edgeKey === undefined ? undefined : readEdgeKey(options.edgeKey);
  return await withManager(cli, async (db) => {
    const [present] = (await currentStatement(db)).edges;
    if (present === undefined) throw new PosternError("configuration", "The owner statement names no edge");
    const edge = { origin: origin ?? present.origin, key: key ?? present.key };
    if (origin === undefined && key === undefined) return describe(edge.origin, writeEdgeKey(edge.key), "");
    const { number } = await issueStatement(db, { edges: [edge] }, cli.s.now());
    await db.batch([setBytes(META.origin, utf8(edge.origin)), setBytes(META.edgeKey, edge.key)]);
    return describe(
      edge.origin,
      writeEdgeKey(edge.key),
      `\nOwner statement ${number} says so. Next: postern doctor, postern sync`,
    );
  });
}

function describe(origin: string, key: string, next: string): Output {
  return { json: { url: origin, key }, text: pairs([["edge", origin], ["public key", key]]) + next };
}
