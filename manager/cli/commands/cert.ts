/** `postern cert`: the certificates of others, and the owner's decisions about them. */
import { resolve } from "node:path";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { CERTIFICATE_STATUS, type CertificateStatus } from "../../../shared/protocol/tables.ts";
import { importCertificates, type ImportedCertificates } from "../../certificates/import.ts";
import { readCertificateFiles } from "../../certificates/read_files.ts";
import { decideCertificate, findByPrefix, listCertificates, removeCertificate } from "../../certificates/repository.ts";
import { rejudgeWaiting } from "../../certificates/rejudge.ts";
import { type RootStore, runtimeRoots } from "../../certificates/runtime_roots.ts";
import { readPolicy } from "../../store/policy.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import { idPrefix } from "../ids.ts";
import { EXIT, exitCodeOf } from "../exit_codes.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../read_text.ts";
import {
  presentCertificate,
  presentCertificates,
  presentDecision,
  presentImport,
  presentWaiting,
} from "../texts/certificates.ts";

interface ImportFlags {
  readonly runtime?: string | true;
  readonly trust?: boolean;
  readonly note: string;
}

const FINGERPRINT_BYTES = 32;

const IMPORT_HELP = `
A certificate that chains to one you trust is usable at once; any other waits for 'postern cert review'.

Examples:
  $ postern cert import --runtime --trust           # the roots that come with the runtime (Mozilla's list)
  $ postern cert import friends.pem card.der folder/
  $ postern cert import company-ca.pem --trust --note "from the intranet, compared by phone"`;

export const registerCert: Register = (parent, bind: Bind) => {
  const group = parent.command("cert").summary("certificates of others: import, review, block").description(
    "Certificates of others.",
  );
  group.command("import [paths...]").summary("import PEM, DER, folders, or the runtime's roots").description(
    "Imports certificates from PEM bundles, DER files and folders of these.",
  )
    .option("--runtime [store]", "the runtime's own root store: bundled (the default) or system")
    .option("--trust", "trust them; authorities among them can vouch for others from now on")
    .option("--note <text>", "a note for each certificate", "")
    .addHelpText("after", IMPORT_HELP).action(bind(importAll));
  group.command("list").summary("list certificates").description("Lists certificates by subject.")
    .option("--status <status>", "only usable, waiting or blocked ones").option("--limit <n>", "at most so many", "100")
    .addHelpText("after", "\nExample:\n  $ postern cert list --status waiting").action(bind(list));
  group.command("show <fingerprint>").summary("show one certificate").description(
    "Shows a certificate, named by the first digits of its SHA-256 fingerprint.",
  )
    .addHelpText("after", "\nExample:\n  $ postern cert show 96bcec06").action(bind(show));
  group.command("review").summary("list what waits for your decision").description(
    "Lists certificates that wait for the owner's decision, with the reasons.",
  )
    .addHelpText("after", "\nExample:\n  $ postern cert review").action(bind(review));
  group.command("allow <fingerprint>").summary("make a certificate usable").description("Makes a certificate usable.")
    .option("--trust", "and trust it to vouch for others")
    .addHelpText("after", "\nExample:\n  $ postern cert allow 96bcec06").action(bind(allow));
  group.command("block <fingerprint>").summary("block a certificate").description(
    "Blocks a certificate: it is not usable, and vouches for nothing.",
  )
    .option("--reason <text>", "why", "Blocked by the owner")
    .addHelpText("after", "\nExample:\n  $ postern cert block 96bcec06 --reason 'phone lost'").action(bind(block));
  group.command("remove <fingerprint>").summary("forget a certificate").description(
    "Forgets a certificate altogether; a device could hand it in again. To keep it out, block it.",
  )
    .addHelpText("after", "\nExample:\n  $ postern cert remove 96bcec06").action(bind(remove));
};

async function importAll(cli: Cli, paths: readonly string[], flags: ImportFlags): Promise<Output> {
  if ((paths.length === 0) === (flags.runtime === undefined)) {
    throw new PosternError("usage", "Name files or folders to import, or --runtime for the runtime's root store");
  }
  if (flags.note.length > LIMITS.maxNoteChars) {
    throw new PosternError("usage", `A note has at most ${LIMITS.maxNoteChars} characters`);
  }
  const named = paths.map((path) => resolve(cli.s.cwd, path));
  const found = flags.runtime === undefined ? readCertificateFiles(named) : runtimeRoots(storeOf(flags.runtime));
  const origin = flags.runtime === undefined ? "import" as const : "runtime" as const;
  return await withManager(cli, async (db) => {
    const progress = cli.progress("Importing");
    try {
      const { review } = await readPolicy(db);
      const onProgress = (done: number) => progress.update(done, 0);
      const options = {
        isTrusted: flags.trust === true,
        origin,
        note: flags.note,
        review,
        onProgress,
        stop: cli.s.stop,
      };
      const imported = await importCertificates(db, found, options, cli.s.now());
      return { ...presentImport(imported), exit: exitOfNamed(named, imported) };
    } finally {
      progress.end();
    }
  });
}

/**
 * A script must learn that what it named was not there or not a certificate. What else lies in a folder that it named is
 * told, and no failure.
 */
function exitOfNamed(named: readonly string[], { problems }: ImportedCertificates): number {
  // A certificate in a bundle is named with its line.
  const first = problems.find(({ source }) => named.includes(source) || named.includes(source.replace(/:\d+$/, "")));
  return first === undefined ? EXIT.ok : exitCodeOf(first.error.code);
}

function storeOf(flag: string | true): RootStore {
  if (flag === true || flag === "bundled") return "bundled";
  if (flag === "system") return flag;
  throw new PosternError("usage", `--runtime takes bundled or system; found '${flag}'`);
}

async function list(cli: Cli, _args: readonly string[], options: { status?: string; limit: string }): Promise<Output> {
  const limit = wholeNumber(options.limit, "--limit", { min: 1, max: LIMITS.maxListed });
  const filter = options.status === undefined ? {} : { status: statusOf(options.status) };
  return await withManager(cli, async (db) => {
    return presentCertificates(await listCertificates(db, { ...filter, limit }), limit, "No certificates");
  });
}

function statusOf(text: string): CertificateStatus {
  const known = Object.keys(CERTIFICATE_STATUS) as CertificateStatus[];
  const status = known.find((one) => one === text);
  if (status !== undefined) return status;
  throw new PosternError("usage", `--status takes one of ${known.join(", ")}; found '${text}'`);
}

async function show(cli: Cli, [fingerprint = ""]: readonly string[]): Promise<Output> {
  const prefix = idPrefix(fingerprint, "A fingerprint", FINGERPRINT_BYTES);
  return await withManager(cli, async (db) => presentCertificate(await findByPrefix(db, prefix)));
}

async function review(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => {
    return presentWaiting(await listCertificates(db, { status: "waiting", limit: LIMITS.maxListed }));
  });
}

async function allow(cli: Cli, [fingerprint = ""]: readonly string[], flags: { trust?: boolean }): Promise<Output> {
  const prefix = idPrefix(fingerprint, "A fingerprint", FINGERPRINT_BYTES);
  return await withManager(cli, async (db) => {
    const found = await findByPrefix(db, prefix);
    const anchor = flags.trust === true ? { isAnchor: true } : {};
    const decided = await decideCertificate(db, found.fingerprint, { status: "usable", reason: "", ...anchor });
    const { review } = await readPolicy(db);
    const others = decided.anchor === 1 ? (await rejudgeWaiting(db, review, cli.s.now())).length : 0;
    const vouched = others === 0 ? "" : `${others} others that it vouches for became usable. `;
    return presentDecision(decided, `${vouched}Devices see it after the next push.`);
  });
}

async function block(cli: Cli, [fingerprint = ""]: readonly string[], options: { reason: string }): Promise<Output> {
  const prefix = idPrefix(fingerprint, "A fingerprint", FINGERPRINT_BYTES);
  return await withManager(cli, async (db) => {
    const found = await findByPrefix(db, prefix);
    const decision = { status: "blocked", reason: options.reason, isAnchor: false } as const;
    return presentDecision(
      await decideCertificate(db, found.fingerprint, decision),
      "Devices see it after the next push.",
    );
  });
}

async function remove(cli: Cli, [fingerprint = ""]: readonly string[]): Promise<Output> {
  const prefix = idPrefix(fingerprint, "A fingerprint", FINGERPRINT_BYTES);
  return await withManager(cli, async (db) => {
    const found = await findByPrefix(db, prefix);
    await removeCertificate(db, found.fingerprint);
    return presentDecision(found, "It is forgotten with the next push.");
  });
}
