/** A publisher of a test: real certificates, lists, envelopes and indexes, laid into a folder as a web server has them. */
import { dirname, join } from "node:path";
import { type Bytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { signDetached } from "../../../shared/cms/sign.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted } from "../../../shared/crypto/redacted.ts";
import { sign } from "../../../shared/crypto/signature.ts";
import { encryptForRecipients, encryptSchema1, type Recipient } from "../../../shared/manifest/encrypt.ts";
import { type ReleaseManifest, writeManifest } from "../../../shared/manifest/manifest.ts";
import {
  envelopePlace,
  envelopeSignaturePlace,
  filePlace,
  INDEX_PLACE,
  INDEX_SIGNATURE_PLACE,
  LISTS_PLACE,
  publicManifestPlace,
  publicManifestSignaturePlace,
} from "../../../shared/manifest/places.ts";
import { makeRegistrationAnswer, type Registration } from "../../../shared/manifest/registration_answer.ts";
import { readRegistrationRequest, type RegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { type IndexEntry, type ReleaseIndex, writeIndex } from "../../../shared/manifest/release_index.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import { issueCrl } from "../../../shared/x509/write_crl.ts";
import { certified, signerOf } from "../../shared/cms/publisher.ts";
import type { Holder } from "../../shared/x509/builder.ts";

export const DAY = 86_400_000;
export const PRODUCT = "postern";
const KEY = { keyId: "fleet", keyVersion: 1 } as const;

/** What a release consists of, by path; those under `bin/` may be executed. */
export type Files = Readonly<Record<string, string | Bytes>>;

/** What to deviate in. */
export interface ReleaseOptions {
  readonly files?: Files;
  readonly manifest?: Partial<ReleaseManifest>;
  readonly entry?: Partial<IndexEntry>;
  readonly schema?: 1 | 2;
  readonly isPublic?: boolean;
  /** Of the envelope; not the publisher's newest. */
  readonly signer?: Holder;
}

export class TestPublisher {
  readonly folder: string;
  root: Holder;
  readonly symmetric = webCryptoRandom(32);
  now: number;
  signer: Holder;
  /** Authorities between the signer and the root. */
  chain: readonly Holder[] = [];
  #recipients: Recipient[] = [];
  #entries: IndexEntry[] = [];
  #number = 0;
  #listNumber = 0n;
  readonly #revoked = new Map<string, { at: number; reason: "keyCompromise" }>();

  private constructor(folder: string, root: Holder, signer: Holder, now: number) {
    [this.folder, this.root, this.signer, this.now] = [folder, root, signer, now];
  }

  /** A publisher that has a list and no release yet. @param folder is made */
  static async create(folder: string, now: number): Promise<TestPublisher> {
    await Deno.mkdir(folder, { recursive: true });
    const validity = { notBefore: now - 400 * DAY, notAfter: now + 400 * DAY };
    const root = await certified("CN=root,O=Publisher", undefined, { isCa: true, ...validity });
    const publisher = new TestPublisher(folder, root, await newSigner(root, now), now);
    await publisher.publishList();
    return publisher;
  }

  /** Answers a request and takes the instance into the fleet. */
  async register(request: Bytes, changes: Partial<Registration> = {}): Promise<Bytes> {
    const read: RegistrationRequest = await readRegistrationRequest(request);
    const entrySecret = webCryptoRandom(32);
    const { version, xwing } = read.keys;
    this.#recipients.push({ entrySecret, mdkVersion: version, publicKey: xwing });
    const registration: Registration = {
      ...{ product: PRODUCT, root: this.root.certificate.der, entrySecret: new Redacted(entrySecret), cover: null },
      sharedKeys: [{ ...KEY, key: new Redacted(this.symmetric) }],
      ...changes,
    };
    const signing = (text: Bytes) => signDetached(text, signerOf(this.signer, "Ed25519"), this.now);
    return await makeRegistrationAnswer({ bytes: request, read }, registration, signing);
  }

  /** No release from now on is for any instance that was registered so far. */
  forgetInstances(): void {
    const key = this.#recipients[0]?.publicKey ?? webCryptoRandom(1_216);
    this.#recipients = [{ entrySecret: webCryptoRandom(32), mdkVersion: 1, publicKey: key }];
  }

  /** A new signing certificate, used from now on. */
  async rotate(): Promise<void> {
    this.signer = await newSigner(this.root, this.now);
  }

  /** Another root, its signer and its list; what was published stays. */
  async replaceRoot(name: string): Promise<void> {
    const validity = { notBefore: this.now - 400 * DAY, notAfter: this.now + 400 * DAY };
    this.root = await certified(`CN=${name},O=Publisher`, undefined, { isCa: true, ...validity });
    await this.rotate();
    await this.publishList();
  }

  /** Revokes a signing certificate with the next list. */
  revoke({ certificate }: Holder): void {
    this.#revoked.set(certificate.serial, { at: this.now - 1_000, reason: "keyCompromise" });
  }

  /** Makes and lays down a release and the next index. */
  async release(version: string, options: ReleaseOptions = {}): Promise<ReleaseManifest> {
    const files = options.files ??
      { "bin/run": `#!/bin/sh\necho ${version}\n`, "lib/data": "the same in all versions" };
    const tagName = `v${version}`;
    const manifest: ReleaseManifest = {
      ...{
        product: PRODUCT,
        version,
        tagName,
        isCritical: false,
        created: this.now - 1_000,
        expires: this.now + 300 * DAY,
      },
      files: await Promise.all(Object.entries(files).map(([path, content]) => this.#layFile(tagName, path, content))),
      ...options.manifest,
    };
    const encryption = { ...KEY, manifest, random: webCryptoRandom };
    const envelope = options.schema === 1
      ? await encryptSchema1(encryption, this.symmetric)
      : await encryptForRecipients(encryption, "xwing", this.#recipients);
    await this.put(envelopePlace(tagName), envelope);
    await this.put(envelopeSignaturePlace(tagName), await this.sign(envelope, options.signer));
    const plain = writeManifest(manifest);
    if (options.isPublic === true) {
      await this.put(publicManifestPlace(tagName), plain);
      await this.put(publicManifestSignaturePlace(tagName), await this.sign(plain));
    }
    const entry: IndexEntry = {
      ...{
        version,
        tagName,
        isCritical: manifest.isCritical,
        created: manifest.created,
        rollout: 100,
        isRevoked: false,
      },
      envelope: { size: envelope.length, sha256: toHex(sha256(envelope)) },
      ...(options.isPublic === true ? { manifest: { size: plain.length, sha256: toHex(sha256(plain)) } } : {}),
      ...options.entry,
    };
    this.#entries = [...this.#entries.filter((one) => one.version !== version), entry];
    await this.publishIndex();
    return manifest;
  }

  /** The next index, whatever it is to say. */
  async publishIndex(changes: Partial<ReleaseIndex> = {}, signer?: Holder): Promise<void> {
    this.#number++;
    const index = writeIndex({
      ...{ product: PRODUCT, number: this.#number, created: this.now, expires: this.now + 7 * DAY },
      releases: this.#entries,
      ...changes,
    });
    await this.put(INDEX_PLACE, index);
    await this.put(INDEX_SIGNATURE_PLACE, await this.sign(index, signer));
  }

  /** The next list. */
  async publishList(days = 35): Promise<void> {
    this.#listNumber++;
    const { certificate, key } = this.root;
    const signer = { algorithm: "Ed25519", sign: (bytes: Bytes) => sign(key.pair.privateKey, bytes) } as const;
    const { der } = await issueCrl(certificate, signer, {
      ...{ number: this.#listNumber, thisUpdate: this.now - 1_000, nextUpdate: this.now + days * DAY },
      revoked: this.#revoked,
    });
    await this.put(LISTS_PLACE, der);
  }

  /** An authority between signer and root from now on, with a list of its own beside the root's, and a signer below it. */
  async addAuthority(): Promise<Holder> {
    const validity = { notBefore: this.now - 100 * DAY, notAfter: this.now + 100 * DAY };
    const middle = await certified("CN=middle,O=Publisher", this.root, { isCa: true, ...validity });
    this.chain = [middle];
    this.signer = await newSigner(middle, this.now);
    return middle;
  }

  /** Lists of the root and an authority in one file. @param revoked by the authority */
  async publishLists(middle: Holder, number: bigint, revoked: readonly Holder[]): Promise<void> {
    const list = async ({ certificate, key }: Holder, of: readonly Holder[]) => {
      const signer = { algorithm: "Ed25519", sign: (bytes: Bytes) => sign(key.pair.privateKey, bytes) } as const;
      const { der } = await issueCrl(certificate, signer, {
        ...{ number, thisUpdate: this.now - 1_000, nextUpdate: this.now + 35 * DAY },
        revoked: new Map(of.map((one) => [one.certificate.serial, { at: this.now - 1_000, reason: "unspecified" }])),
      });
      return writePem("X509 CRL", der);
    };
    await this.put(LISTS_PLACE, utf8(await list(this.root, []) + await list(middle, revoked)));
  }

  async sign(content: Bytes, signer = this.signer): Promise<Bytes> {
    return await signDetached(content, signerOf(signer, "Ed25519", this.chain), this.now);
  }

  path(place: string): string {
    return join(this.folder, ...place.split("/"));
  }

  async put(place: string, bytes: Bytes): Promise<void> {
    await Deno.mkdir(dirname(this.path(place)), { recursive: true });
    await Deno.writeFile(this.path(place), bytes);
  }

  /** Everything that lies in the folder, to be laid back later. */
  async snapshot(): Promise<() => Promise<void>> {
    const kept = `${this.folder}.${crypto.randomUUID()}`;
    await copyFolder(this.folder, kept);
    return async () => {
      await Deno.remove(this.folder, { recursive: true });
      await Deno.rename(kept, this.folder);
    };
  }

  async #layFile(tagName: string, path: string, content: string | Bytes) {
    const bytes = typeof content === "string" ? utf8(content) : content;
    const hash = toHex(sha256(bytes));
    await this.put(filePlace(tagName, hash), bytes);
    const mode = path.startsWith("bin/") ? "0755" as const : "0644" as const;
    return { path, size: bytes.length, mode, sha256: hash };
  }
}

async function newSigner(root: Holder, now: number): Promise<Holder> {
  return await certified("CN=release,O=Publisher", root, { notBefore: now - 100 * DAY, notAfter: now + 100 * DAY });
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
