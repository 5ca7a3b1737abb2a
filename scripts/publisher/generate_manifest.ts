/** `generate_manifest`: describes the files of a release (shared/spec/manifest.md, "The manifest"). */
import { relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../shared/bytes/encoding.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { type ReleaseManifest, writeManifest } from "../../shared/manifest/manifest.ts";
import { startProgress } from "../../manager/cli/progress.ts";
import { PRIVATE_FILE_MODE, writeFileDurably } from "../../manager/files/durable.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { findFiles, hashFiles } from "./release_folder.ts";
import type { BindAction, Done } from "./script.ts";
import { readSource, readTag, type Source } from "./source.ts";
import type { ScriptSurroundings } from "./surroundings.ts";
import { readTagMessage, type TagFacts } from "./tag_message.ts";
import { readEnd, readMoment } from "./times.ts";

interface GenerateOptions {
  readonly version: string;
  readonly releaseDir: string;
  readonly output: string;
  readonly product: string;
  readonly tag?: string;
  readonly commit?: string;
  readonly date?: string;
  readonly expires: string;
  readonly minVersion?: string;
  readonly critical?: boolean;
  readonly notesFile?: string;
  readonly fromTag?: boolean;
  readonly json?: boolean;
}

const HELP = `
The same files, version, commit and date give the same bytes on every machine. The date is --date, or SOURCE_DATE_EPOCH, or
that of the commit. With --from-tag, the message of an annotated tag is the notes; its last paragraph may say
  Critical: yes
  Min-Version: 1.1.0
A file is executable (0755) if its owner may execute it, and 0644 otherwise.
What is written is readable by you alone: encrypt_manifest makes of it what may lie in public.`;

/** The options of `generate_manifest`. */
export function describeGenerateManifest(program: Command, bind: BindAction): void {
  program.description("Describes a release: every file with path, size, mode and SHA-256.")
    .requiredOption("--version <version>", "semantic version of the release, such as 1.2.0")
    .requiredOption("--release-dir <dir>", "folder with the files, and nothing else")
    .option("--output <file>", "the manifest", "manifest.json")
    .option("--product <name>", "what is released", "postern")
    .option("--tag <name>", "tag of the release (v and the version)")
    .option("--commit <hash>", "commit of the source (that of the working directory)")
    .option("--date <date>", "time of the source")
    .option("--expires <when>", "when it may not be installed any more: days after the date (365d), or a date", "365d")
    .option("--min-version <version>", "floor: no version below is to be installed from now on")
    .option("--critical", "the release is critical")
    .option("--notes-file <file>", "text for people")
    .option("--from-tag", "take from the tag's message what the three before do not say")
    .addHelpText("after", HELP).action(bind(generateManifest));
}

async function generateManifest(options: GenerateOptions, s: ScriptSurroundings): Promise<Done> {
  const [folder, output] = [resolve(s.cwd, options.releaseDir), resolve(s.cwd, options.output)];
  requireOutside(folder, output);
  const facts = await gatherFacts(options, s);
  const found = findFiles(folder);
  const isShown = s.isTerminal && options.json !== true;
  const progress = startProgress({ label: "Reading", isShown, write: s.err, now: s.now });
  let manifest: ReleaseManifest;
  try {
    manifest = { ...facts, files: await hashFiles(folder, found, (done, total) => progress.update(done, total)) };
  } finally {
    progress.end();
  }
  const bytes = writeManifest(manifest);
  await writeFileDurably(output, bytes, PRIVATE_FILE_MODE);
  const size = manifest.files.reduce((sum, file) => sum + file.size, 0);
  const json = {
    ...{ output, product: manifest.product, version: manifest.version, tagName: manifest.tagName },
    ...{ commit: manifest.commit ?? null, created: manifest.created, expires: manifest.expires },
    ...{ files: manifest.files.length, bytes: size, sha256: toHex(sha256(bytes)) },
    ...{ critical: manifest.isCritical, floor: manifest.floor ?? null },
  };
  return { json, text: `Described ${manifest.files.length} files of ${size} bytes: ${output}` };
}

/** A manifest among the files would be in the next manifest. */
function requireOutside(folder: string, output: string): void {
  const way = relative(folder, output);
  if (way === ".." || way.startsWith(`..${sep}`) || resolve(way) === way) return;
  throw new PosternError("usage", "--output lies in --release-dir, and would be a part of the release");
}

async function gatherFacts(options: GenerateOptions, s: ScriptSurroundings): Promise<Omit<ReleaseManifest, "files">> {
  const { version, product, tag = `v${version}` } = options;
  const source = await readSource(s.cwd);
  const tagged = options.fromTag === true ? await readTagged(tag, source, s) : NOTHING_SAID;
  const created = chooseTime(options, source, s);
  const expires = readEnd(options.expires, created, "--expires");
  if (expires <= s.now()) {
    throw new PosternError("expired", "the release would be past its time already: give a later --expires");
  }
  const commit = options.commit ?? source?.commit;
  const notes = options.notesFile === undefined ? tagged.notes : await readNotes(resolve(s.cwd, options.notesFile));
  const floor = options.minVersion ?? tagged.floor;
  return {
    ...{ product, version, tagName: tag, isCritical: options.critical ?? tagged.isCritical, created, expires },
    ...(floor === undefined ? {} : { floor }),
    ...(commit === undefined ? {} : { commit }),
    ...(notes === undefined ? {} : { notes }),
  };
}

const NOTHING_SAID: TagFacts = { isCritical: false };

/** @throws `not_found` if there is no such tag; `mixed_up` if it is another commit's than what is checked out; as `readTagMessage` */
async function readTagged(name: string, source: Source | null, s: ScriptSurroundings): Promise<TagFacts> {
  const tag = await readTag(s.cwd, name);
  if (tag === null) {
    throw new PosternError("not_found", `there is no tag ${name} here: fetch it, or name another one with --tag`);
  }
  if (tag.commit !== source?.commit) {
    throw new PosternError("mixed_up", `the tag ${name} is of ${tag.commit}, and ${source?.commit} is checked out`);
  }
  if (tag.message !== null) return readTagMessage(tag.message);
  s.err(`warning: the tag ${name} has no message: the release is not critical, and has no floor and no notes\n`);
  return NOTHING_SAID;
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function chooseTime({ date }: GenerateOptions, source: Source | null, s: ScriptSurroundings): number {
  if (date !== undefined) return readMoment(date, "--date");
  const epoch = s.env("SOURCE_DATE_EPOCH");
  if (epoch === undefined) return source?.time ?? s.now();
  if (!/^[0-9]{1,12}$/.test(epoch)) throw new PosternError("usage", "SOURCE_DATE_EPOCH must be seconds since 1970");
  return 1_000 * Number(epoch);
}

/** @throws `malformed` unless it is UTF-8 */
async function readNotes(path: string): Promise<string> {
  const bytes = await readBounded(path, 2 * LIMITS.maxReleaseNotesBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replaceAll("\r\n", "\n");
  } catch (cause) {
    throw new PosternError("malformed", `${path} is not UTF-8`, { cause });
  }
}
