/** Seals a release to a tree of instances and opens it: as one that may, and as each that may not. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { EMPTY, equalBytes, utf8 } from "../../shared/bytes/bytes.ts";
import { toBase64 } from "../../shared/bytes/encoding.ts";
import { AEAD_NONCE_BYTES, importAeadKey, openAead, sealAead } from "../../shared/crypto/aead.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { decodeHeader, ENTRY_BYTES } from "../../shared/cover/header.ts";
import { decodeMemberKeys, type MemberKeys, memberKeys } from "../../shared/cover/member.ts";
import { openCover } from "../../shared/cover/open.ts";
import { sealToCover } from "../../shared/cover/seal.ts";
import { CoverSecret } from "../../shared/cover/secret.ts";
import { coverOf } from "../../shared/cover/subsets.ts";
import { leafCount, randomLeaf } from "../../shared/cover/tree.ts";
import { isPosternError } from "../../shared/errors.ts";
import { median } from "../harness/stats.ts";

/** What `deno task bench:cover --json` prints. */
export interface CoverFigures {
  readonly leaves: number;
  readonly revoked: number;
  /** Subsets of the cover, and entries of the header, which are filled up. */
  readonly subsets: number;
  readonly entries: number;
  readonly headerBytes: number;
  /** As it stands in a manifest's JSON. */
  readonly headerBase64Chars: number;
  /** What an instance keeps. */
  readonly memberBytes: number;
  readonly payloadBytes: number;
  /** Milliseconds, in process and warm, of header and payload together. */
  readonly encryptMs: number;
  readonly openMs: number;
  /** Whether an instance that is not revoked read the payload. */
  readonly opened: boolean;
  /** How many of the revoked were refused for being so. */
  readonly revokedRefused: number;
}

/** A release as it lies in public. */
interface Sealed {
  readonly header: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
}

const PAYLOAD_BYTES = 102_400;
const RELEASE = utf8("bench release");
/** Rounds before those that count: V8 compiles what runs often. */
const WARM_OPENINGS = 300;
const OPENINGS = 300;
const WARM_SEALINGS = 3;
const SEALINGS = 7;

/** @param revoked fewer than there are leaves */
export async function measureCover(depth: number, revoked: number): Promise<CoverFigures> {
  const secret = CoverSecret.create(webCryptoRandom, depth);
  const leaves = drawLeaves(depth, revoked);
  const payload = webCryptoRandom(PAYLOAD_BYTES);
  const sealing = () => seal(secret, leaves, payload);
  await timesOf(WARM_SEALINGS, sealing);
  const encryptMs = median(await timesOf(SEALINGS, sealing));
  const release = await sealing();

  const given = memberKeys(secret, drawOther(depth, leaves)).encode();
  const member = decodeMemberKeys(given);
  const opening = () => open(release, member);
  await timesOf(WARM_OPENINGS, opening);
  const openMs = median(await timesOf(OPENINGS, opening));

  let revokedRefused = 0;
  for (const leaf of leaves) if (await isRefused(release, memberKeys(secret, leaf))) revokedRefused++;
  return {
    ...{ leaves: leafCount(depth), revoked, subsets: coverOf(leaves, depth).length },
    entries: decodeHeader(release.header).entries.length / ENTRY_BYTES,
    ...{ headerBytes: release.header.length, headerBase64Chars: toBase64(release.header).length },
    ...{ memberBytes: given.length, payloadBytes: PAYLOAD_BYTES, encryptMs, openMs },
    opened: equalBytes(await opening(), payload),
    revokedRefused,
  };
}

async function seal(secret: CoverSecret, revoked: ReadonlySet<number>, payload: Bytes): Promise<Sealed> {
  const mek = webCryptoRandom(32);
  const nonce = webCryptoRandom(AEAD_NONCE_BYTES);
  const header = sealToCover({ secret, revoked, release: RELEASE, random: webCryptoRandom }, mek);
  return { header, nonce, ciphertext: await sealAead(await importAeadKey(mek), nonce, payload, EMPTY) };
}

async function open({ header, nonce, ciphertext }: Sealed, member: MemberKeys): Promise<Bytes> {
  const key = await importAeadKey(openCover(header, member, RELEASE));
  return await openAead(key, nonce, ciphertext, EMPTY);
}

async function isRefused(release: Sealed, member: MemberKeys): Promise<boolean> {
  try {
    await open(release, member);
    return false;
  } catch (error) {
    if (!isPosternError(error, "revoked")) throw error;
    return true;
  }
}

/** That many leaves at random, each once. */
function drawLeaves(depth: number, count: number): Set<number> {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(randomLeaf(depth, webCryptoRandom));
  return drawn;
}

/** A leaf that is none of these. */
function drawOther(depth: number, leaves: ReadonlySet<number>): number {
  for (;;) {
    const leaf = randomLeaf(depth, webCryptoRandom);
    if (!leaves.has(leaf)) return leaf;
  }
}

/** Milliseconds of each. */
async function timesOf(count: number, run: () => Promise<unknown>): Promise<number[]> {
  const millis: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await run();
    millis.push(performance.now() - started);
  }
  return millis;
}
