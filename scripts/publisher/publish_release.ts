/** `publish_release`: puts a release where instances find it, and renews the signed index (shared/spec/manifest.md, "Where things lie"). */
import { resolve } from "node:path";
import type { Command } from "commander";
import { type Bytes, concat, equalBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { signDetached } from "../../shared/cms/sign.ts";
import { verifyDetached } from "../../shared/cms/verify.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { Redacted } from "../../shared/crypto/redacted.ts";
import { PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { followRoot } from "../../shared/manifest/follow_root.ts";
import type { SignedFile } from "../../shared/manifest/open_manifest.ts";
import { LISTS_PLACE, PUBLIC_NAME, PUBLIC_SIGNATURE_NAME, ROOT_PLACE } from "../../shared/manifest/places.ts";
import { type ReleaseIndex, writeIndex } from "../../shared/manifest/release_index.ts";
import type { Certificate } from "../../shared/x509/certificate.ts";
import { writePem } from "../../shared/x509/pem.ts";
import { readCrlFile } from "../../shared/x509/crl.ts";
import { startProgress } from "../../manager/cli/progress.ts";
import { lockForTask } from "../../manager/files/lock.ts";
import { readBounded } from "../../manager/files/read_bounded.ts";
import { iso } from "./describe.ts";
import { readCertificates, readOneCertificate } from "./pem_files.ts";
import { directoryPlace } from "./publish/directory_place.ts";
import { GithubApi } from "./publish/github_api.ts";
import { githubPlace } from "./publish/github_place.ts";
import { indexAfter } from "./publish/index_after.ts";
import { writeIndexFiles } from "./publish/index_files.ts";
import { type PublishOptions, publishOptions } from "./publish/options.ts";
import { type PublishFolder, type PublishPlace, type Sent, type Upload, uploadOf } from "./publish/place.ts";
import { readRelease, type Release } from "./publish/release.ts";
import { isProtected } from "../../shared/protocol/origin.ts";
import type { BindAction, Done } from "./script.ts";
import { withSigner } from "./signer.ts";
import type { ScriptSurroundings } from "./surroundings.ts";

/** What DER begins with. */
const SEQUENCE = 0x30;

const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/;

/** The options of `publish_release`. */
export function describePublishRelease(program: Command, bind: BindAction): void {
  publishOptions(program).action(bind(publishRelease));
}

async function publishRelease(options: PublishOptions, s: ScriptSurroundings): Promise<Done> {
  const roots = (await Promise.all(options.root.map((path) => readCertificates(path, s)))).flat();
  const place = placeOf(options, s);
  const newRoot = options.newRoot === undefined ? null : await readOneCertificate(options.newRoot, s);
  const lists = await Promise.all((options.crl ?? []).map((path) => readLists(path, s)));
  const verify = (content: Bytes, signature: Bytes) => {
    const crls = lists.flatMap(({ crls }) => crls);
    return verifyDetached(content, signature, { roots, crls, now: s.now() });
  };
  const progress = startProgress({
    ...{ label: "Publishing", isShown: s.isTerminal && options.json !== true, write: s.err, now: s.now },
  });
  let [read, total] = [0, 0];
  const release = await readGiven(options, verify, (bytes) => progress.update(read += bytes, total), s);
  total = release?.uploads.reduce((sum, { size }) => sum + size, 0) ?? 0;
  requireSizes(release, place);
  return await withSigner(options, s, async (signer) => {
    const sign = async (content: Bytes) => {
      const signature = await signDetached(content, signer, s.now());
      // Before anything is sent: whether instances will take it.
      await verify(content, signature);
      return signature;
    };
    const beside = await place.folder(null);
    await using _lock = await lockPlace(place, s);
    const index = await indexAfter(beside, release, options, roots, s.now());
    const content = writeIndex(index);
    const signature = await sign(content);
    if (newRoot !== null) await requireFollowed(newRoot, roots, { content, signature }, s);
    const counts = { sent: 0, there: 0, bytes: 0 };
    const count = ({ size }: Upload, sent: Sent) => {
      counts[sent]++;
      if (sent === "sent") counts.bytes += size;
    };
    try {
      const folder = release === null ? beside : await place.folder(release.manifest.tagName);
      const open = release !== null && options.public === true ? await publicUploads(release, sign) : [];
      const uploads = [...release?.uploads ?? [], ...open];
      for (const upload of uploads) count(upload, await folder.put(upload));
      // spec: MAN-25
      if (lists.length > 0) {
        const upload = uploadOf(LISTS_PLACE, joined(lists.map(({ file }) => file)));
        count(upload, await beside.put(upload));
      }
      await writeIndexFiles(beside, content, signature);
      const shownRoot = newRoot ?? (options.anew === undefined ? null : await inPlaceOfForeignRoot(beside, roots));
      if (shownRoot !== null) {
        const upload = uploadOf(ROOT_PLACE, utf8(writePem("CERTIFICATE", shownRoot.der)));
        count(upload, await beside.put(upload));
      }
      await folder.requireKept(uploads);
    } finally {
      progress.end();
    }
    return tell(place, index, content, counts, release);
  });
}

function tell(
  place: PublishPlace,
  index: ReleaseIndex,
  content: Bytes,
  counts: { readonly sent: number; readonly there: number; readonly bytes: number },
  release: Release | null,
): Done {
  const json = {
    ...{ to: place.name, product: index.product, version: release?.manifest.version ?? null },
    ...{ number: index.number, created: iso(index.created), expires: iso(index.expires), floor: index.floor ?? null },
    ...{ sha256: toHex(sha256(content)), sent: counts.sent, there: counts.there, bytesSent: counts.bytes },
    releases: index.releases.map(({ version, tagName, rollout, isRevoked }) => ({
      ...{ version, tagName, rollout, isRevoked },
    })),
  };
  const what = release === null ? "Renewed the index" : `Published ${index.product} ${release.manifest.version}`;
  const files = `${counts.sent} files sent, ${counts.there} there already`;
  return { json, text: `${what}: ${place.name}, index ${index.number} until ${iso(index.expires)} (${files})` };
}

function placeOf({ to, github, githubApi }: PublishOptions, s: ScriptSurroundings): PublishPlace {
  if ((to === undefined) === (github === undefined)) {
    throw new PosternError("usage", "where to? Give --to DIR or --github OWNER/NAME");
  }
  if (github === undefined) return directoryPlace(resolve(s.cwd, to ?? ""));
  if (!REPOSITORY.test(github)) throw new PosternError("usage", "--github takes OWNER/NAME");
  const base = URL.parse(githubApi);
  if (base === null || !isProtected(base)) throw new PosternError("usage", "--github-api takes an https URL");
  const token = s.env("GITHUB_TOKEN");
  if (token === undefined) {
    throw new PosternError("configuration", "GITHUB_TOKEN is not set: GitHub takes nothing without");
  }
  return githubPlace(new GithubApi(base.href.replace(/\/$/, ""), new Redacted(token), s), github);
}

/** From before the index is read until the next one is in its place: what another run publishes meanwhile would be lost. */
async function lockPlace({ lockedBy, name }: PublishPlace, s: ScriptSurroundings): Promise<AsyncDisposable> {
  if (lockedBy === null) return new AsyncDisposableStack();
  const busy = `Another process publishes to ${name}`;
  return await lockForTask(lockedBy.folder, busy, { pid: s.pid, sinceMillis: s.now() }, lockedBy.name);
}

async function readGiven(
  options: PublishOptions,
  verify: (content: Bytes, signature: Bytes) => Promise<unknown>,
  onRead: (bytes: number) => void,
  s: ScriptSurroundings,
): Promise<Release | null> {
  const { releaseDir, manifest, envelope, signature = `${envelope}.sig`, product } = options;
  if (releaseDir === undefined && envelope === undefined) return null;
  if (releaseDir === undefined || envelope === undefined) {
    throw new PosternError("usage", "a release needs both --release-dir and --envelope");
  }
  const release = await readRelease({ releaseDir, manifest, envelope, signature }, verify, onRead, s);
  if (release.manifest.product === product) return release;
  throw new PosternError("mixed_up", `the manifest is of ${release.manifest.product}, and --product is ${product}`);
}

function requireSizes(release: Release | null, { maxFileBytes, name }: PublishPlace): void {
  const tooLarge = release?.uploads.find(({ size }) => size > maxFileBytes);
  if (tooLarge === undefined) return;
  throw new PosternError("too_large", `${tooLarge.name} has ${tooLarge.size} bytes, and ${name} takes ${maxFileBytes}`);
}

/** Whether instances will follow to the new root. @throws as `followRoot` */
// spec: CMS-22
async function requireFollowed(
  newRoot: Certificate,
  roots: readonly Certificate[],
  index: SignedFile,
  s: ScriptSurroundings,
): Promise<void> {
  for (const pinned of roots) await followRoot(newRoot, pinned, index, { now: s.now() });
}

/**
 * What is to lie beside an index that is begun anew, in the place of a root that is none of the publisher's any more, such as a lost
 * one's: instances would try to follow it at every look. Null when nothing is to be replaced.
 */
async function inPlaceOfForeignRoot(beside: PublishFolder, roots: readonly Certificate[]): Promise<Certificate | null> {
  const file = await beside.read(ROOT_PLACE, 2 * LIMITS.maxCertificateBytes);
  if (file === null) return null;
  const isOurs = roots.some(({ der }) => equalBytes(utf8(writePem("CERTIFICATE", der)), file));
  return isOurs ? null : roots[0] ?? null;
}

/** The manifest for those whom the envelope is not for. */
// spec: MAN-26
async function publicUploads(
  { manifestBytes }: Release,
  sign: (content: Bytes) => Promise<Bytes>,
): Promise<readonly Upload[]> {
  const signature = await sign(manifestBytes);
  return [uploadOf(PUBLIC_NAME, manifestBytes), uploadOf(PUBLIC_SIGNATURE_NAME, signature)];
}

async function readLists(path: string, s: ScriptSurroundings) {
  // PEM is a third longer than DER.
  const file = await readBounded(resolve(s.cwd, path), 2 * LIMITS.maxCrlBytes);
  return { file, crls: readCrlFile(file) };
}

/** Several lists are several PEM blocks; one may also be DER. */
function joined(files: readonly Bytes[]): Bytes {
  if (files.length > 1 && files.some(([first]) => first === SEQUENCE)) {
    throw new PosternError("usage", "several revocation lists must all be in PEM");
  }
  return concat(...files);
}
