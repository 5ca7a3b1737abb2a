/**
 * Looks for a release: revocation lists, index, envelope, in the order of shared/spec/manifest.md. What passes is remembered at once,
 * what fails is in the audit trail. Nothing is downloaded or installed here.
 */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { type ReleaseTrust, type VerifiedSigner, verifyDetached } from "../../shared/cms/verify.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import { LIMITS } from "../../shared/limits.ts";
import { chooseRelease, isTakenBack, passedOver } from "../../shared/manifest/choose_release.ts";
import {
  forgetRevoked,
  higherFloor,
  type IndexMemory,
  remember,
  rememberedFloor,
  type Said,
} from "../../shared/manifest/index_memory.ts";
import { judgeRelease, type ReleasePolicy, requireNamedFile } from "../../shared/manifest/judge_release.ts";
import { parseManifest, type ReleaseManifest } from "../../shared/manifest/manifest.ts";
import { type OpenedIndex, openIndex } from "../../shared/manifest/open_index.ts";
import { openManifest, type SignedFile, type VerifySignature } from "../../shared/manifest/open_manifest.ts";
import type { IndexEntry, ReleaseIndex } from "../../shared/manifest/release_index.ts";
import {
  envelopePlace,
  envelopeSignaturePlace,
  INDEX_PLACE,
  INDEX_SIGNATURE_PLACE,
  LISTS_PLACE,
  publicManifestPlace,
  publicManifestSignaturePlace,
  ROOT_PLACE,
} from "../../shared/manifest/places.ts";
import { type Certificate, readCertificate } from "../../shared/x509/certificate.ts";
import { type Crl, readCrlFile } from "../../shared/x509/crl.ts";
import { noteEvent } from "../audit/note.ts";
import { raiseAlarm } from "../sync/alarms.ts";
import { readBounded } from "../files/read_bounded.ts";
import { keysForRelease, type OpeningKeys, openingKeys } from "../instance/opening.ts";
import { isNew, isPathRevoked, mergeLists } from "./lists.ts";
import { followPublisherRoot } from "../instance/root.ts";
import type { Pace } from "./pace.ts";
import { type Origin, putRelease } from "./releases.ts";
import { type Followed, putCheck, putList, putMemory, rememberedLists, signerRecords } from "./repository.ts";
import { readPlace, requirePlace } from "./read_place.ts";
import type { ReleaseSource } from "./source.ts";
import { type Findings, TAKEN_BACK, tellChecked } from "./tell_checked.ts";

export interface CheckEnvironment {
  readonly db: Database;
  readonly source: ReleaseSource;
  readonly followed: Followed;
  /** The version that runs; undefined before the first. */
  readonly installed: string | undefined;
  /** Millis. */
  readonly now: number;
  readonly pace?: Pace | undefined;
  readonly stop?: AbortSignal | undefined;
  /** Take a release before its turn. */
  readonly ignoresRollout?: boolean;
}

/** What a check found, and the index that says so. */
export interface Checked extends Findings {
  readonly index: ReleaseIndex;
}

/**
 * Looks for a release.
 *
 * @throws `network`, `storage`, `not_found` for what cannot be fetched; and everything that `openIndex` and `openManifest` throw, after
 * which nothing is installed and what runs keeps running
 */
export async function checkForUpdate(env: CheckEnvironment): Promise<Checked> {
  const { db, followed: { config: { product } }, installed, now } = env;
  try {
    const checked = await new Check(env).run();
    if (checked.isTakenBack) await raiseAlarm(db, "revoked", `${product} ${installed}: ${TAKEN_BACK}`, now);
    const version = checked.release?.version ?? null;
    const outcome = version === null ? "current" : "found";
    const detail = { index: checked.index.number, outcome, version };
    await db.batch([
      putCheck({ product, time: now, outcome, version, detail: tellChecked(checked) }),
      noteEvent("update.checked", product, detail, now),
    ]);
    return checked;
  } catch (error) {
    if (isPosternError(error)) await noteFailure(env, error);
    throw error;
  }
}

/** The instance's key that opened a manifest, as the audit trail calls it; null for one that lies open. */
const OPENED_BY: Readonly<Record<Origin, string | null>> = {
  ...{ "schema 1": "shared manifest key", "schema 2": "mdk", "schema 3": "member keys", public: null },
};

/** What was not there to be judged was not refused. */
const UNREACHABLE = ["network", "storage", "not_found"] as const;

async function noteFailure({ db, followed: { config: { product } }, now }: CheckEnvironment, error: PosternError) {
  const kind = UNREACHABLE.some((code) => code === error.code) ? "update.checked" : "update.refused";
  await db.batch([
    putCheck({ product, time: now, outcome: error.code, version: null, detail: error.message }),
    noteEvent(kind, product, { outcome: error.code, message: error.message }, now),
  ]);
}

/** The steps of one check, and what they learn. */
class Check {
  readonly #env: CheckEnvironment;
  readonly #product: string;
  #memory: IndexMemory = [];
  readonly #paths = new Map<string, readonly Certificate[]>();
  #remembered: readonly Crl[] = [];

  constructor(env: CheckEnvironment) {
    this.#env = env;
    this.#product = env.followed.config.product;
  }

  async run(): Promise<Checked> {
    const { db, installed, now, followed: { rolloutKey }, ignoresRollout = false } = this.#env;
    const keys = await openingKeys(db, this.#product);
    const root = readCertificate(keys.root);
    const crls = await this.#takeLists(root);
    const verify = (content: Bytes, signature: Bytes) => this.#verify(content, signature, { roots: [root], crls, now });
    const { index, hash, signer, file } = await this.#openIndex(verify);
    const { number, created, floor } = index;
    await this.#remember(signer, { index: { number, created, hash }, floor });
    await this.#followRoot(file, crls);
    const known = rememberedFloor(this.#memory);
    const choice = { installed, rolloutKey, ignoresRollout, floor: higherFloor(known, floor) };
    const named = chooseRelease(index, choice);
    const found = { index, passed: passedOver(index, choice), isTakenBack: isTakenBack(index, installed) };
    if (named === null) return { ...found, release: null };
    const policy: ReleasePolicy = {
      ...{ product: this.#product, allowsSchema1: this.#env.followed.config.allowsSchema1, named },
      ...{ installed, floor: known },
    };
    return { ...found, release: await this.#openRelease(named, policy, keys, verify) };
  }

  /** Index and signature are replaced one after the other: what does not fit together is fetched once more. */
  async #openIndex(
    verify: VerifySignature<VerifiedSigner>,
  ): Promise<OpenedIndex<VerifiedSigner> & { file: SignedFile }> {
    const opening = { verify, product: this.#product, memory: this.#memory, now: this.#env.now };
    const fetched = async () => ({
      content: await requirePlace(this.#env.source, INDEX_PLACE, this.#reading(LIMITS.maxIndexBytes)),
      signature: await this.#signature(INDEX_SIGNATURE_PLACE, LIMITS.maxIndexBytes),
    });
    const file = await fetched();
    try {
      return { ...await openIndex(file, opening), file };
    } catch (error) {
      if (!isPosternError(error, "signature")) throw error;
      const again = await fetched();
      return { ...await openIndex(again, opening), file: again };
    }
  }

  /** Counts from the next check on. A root that is not vouched for changes nothing: the pinned one stays. */
  // spec: CMS-23
  async #followRoot(index: SignedFile, crls: readonly Crl[]): Promise<void> {
    const { db, source, now, followed: { config } } = this.#env;
    try {
      const file = await readPlace(source, ROOT_PLACE, this.#reading(2 * LIMITS.maxCertificateBytes));
      if (file === null) return;
      await followPublisherRoot(db, this.#product, file, index, { crls, requireCrl: config.requiresLists, now });
    } catch (error) {
      if (!isPosternError(error)) throw error;
      if (UNREACHABLE.some((code) => code === error.code)) return;
      const detail = { outcome: error.code, message: `the root beside the index: ${error.message}` };
      await db.batch([noteEvent("update.refused", this.#product, detail, now)]);
    }
  }

  /** Lists are remembered before anything is judged by them (spec: MAN-25). */
  async #takeLists(root: Certificate): Promise<readonly Crl[]> {
    const { db, source, now, followed: { config: { listsFile } } } = this.#env;
    const records = await signerRecords(db, this.#product);
    const file = listsFile === null
      ? await readPlace(source, LISTS_PLACE, this.#reading(LIMITS.maxCrlBytes))
      : await readBounded(listsFile, LIMITS.maxCrlBytes);
    this.#remembered = await rememberedLists(db, this.#product);
    const issuers = [root, ...records.flatMap(({ path }) => path.slice(1))];
    const shown = file === null ? [] : readCrlFile(file);
    const { all, fresh } = await mergeLists(shown, this.#remembered, issuers, now);
    await db.batch(fresh.map((list) => putList(this.#product, list)));
    for (const { signer, path } of records) this.#paths.set(signer, path);
    const revoked = new Set<string>();
    for (const { signer, path } of records) if (await isPathRevoked(path, all, now)) revoked.add(signer);
    this.#memory = forgetRevoked(records, (signer) => revoked.has(signer));
    return all;
  }

  async #verify(content: Bytes, signature: Bytes, trust: ReleaseTrust): Promise<VerifiedSigner> {
    const { db, followed: { config } } = this.#env;
    const signer = await verifyDetached(content, signature, { ...trust, requireCrl: config.requiresLists });
    const fresh = signer.crls.filter((list) => isNew(list, this.#remembered));
    await db.batch(fresh.map((list) => putList(this.#product, list)));
    return signer;
  }

  async #openRelease(
    named: IndexEntry,
    policy: ReleasePolicy,
    keys: OpeningKeys,
    verify: VerifySignature<VerifiedSigner>,
  ): Promise<ReleaseManifest> {
    const { source, now, followed: { config } } = this.#env;
    const reading = this.#reading(named.envelope.size);
    let isSigned = false;
    const noting = async (content: Bytes, signature: Bytes) => {
      const signer = await verify(content, signature);
      isSigned = true;
      return signer;
    };
    try {
      const file = {
        content: await requirePlace(source, envelopePlace(named.tagName), reading),
        signature: await this.#signature(envelopeSignaturePlace(named.tagName), named.envelope.size),
      };
      // By the signature: `created` is the time of the source. One without a time was made now, as far as anybody can tell.
      const usable = ({ signedAt = now }: VerifiedSigner) => keysForRelease(keys, signedAt);
      const { manifest, schema, signer } = await openManifest(file, { verify: noting, keys: usable, policy, now });
      return await this.#keep(manifest, signer, `schema ${schema}`);
    } catch (error) {
      if (!config.allowsPublic || !isPosternError(error) || !mayFallBack(error, isSigned)) throw error;
      return await this.#openPublic(named, policy, verify, error);
    }
  }

  // spec: MAN-26, IDX-09
  async #openPublic(
    named: IndexEntry,
    policy: ReleasePolicy,
    verify: VerifySignature<VerifiedSigner>,
    before: PosternError,
  ): Promise<ReleaseManifest> {
    const { source, now } = this.#env;
    if (named.manifest === undefined) throw before;
    const { size } = named.manifest;
    const content = await requirePlace(source, publicManifestPlace(named.tagName), this.#reading(size));
    requireNamedFile(content, named.manifest, "manifest");
    const signature = await this.#signature(publicManifestSignaturePlace(named.tagName), size);
    const signer = await verify(content, signature);
    const manifest = parseManifest(content);
    judgeRelease(manifest, policy, now);
    return await this.#keep(manifest, signer, "public");
  }

  async #keep(manifest: ReleaseManifest, signer: VerifiedSigner, origin: Origin): Promise<ReleaseManifest> {
    await this.#remember(signer, { floor: manifest.floor });
    const fingerprint = toHex(signer.certificate.fingerprint);
    const { db, now } = this.#env;
    const key = OPENED_BY[origin];
    const { product, version } = manifest;
    await db.batch([
      ...putRelease(manifest, { signer: fingerprint, origin, accepted: now }),
      // spec: AUDIT-05
      ...key === null ? [] : [noteEvent("key.used", key, { for: "release", product, version }, now)],
    ]);
    return manifest;
  }

  // spec: IDX-05
  async #remember({ certificate, path }: VerifiedSigner, said: Said): Promise<void> {
    const signer = toHex(certificate.fingerprint);
    this.#paths.set(signer, path);
    this.#memory = remember(this.#memory, signer, said);
    await this.#env.db.batch(putMemory(this.#product, this.#memory, this.#paths));
  }

  #reading(maxBytes: number) {
    const { pace, stop } = this.#env;
    return { maxBytes, stop, pace };
  }

  async #signature(place: string, contentBytes: number): Promise<Bytes> {
    const reading = this.#reading(contentBytes + LIMITS.maxReleaseSignatureBytes);
    const signature = await readPlace(this.#env.source, place, reading);
    if (signature === null) throw new PosternError("signature", `the source has no ${place}`);
    return signature;
  }
}

/** Whether an envelope is merely not there, or not for this instance: its signature was no matter of doubt (spec: MAN-26). */
function mayFallBack({ code }: PosternError, isSigned: boolean): boolean {
  return code === "not_found" || (isSigned && (code === "forbidden" || code === "revoked"));
}
