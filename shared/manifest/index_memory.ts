/**
 * What an instance remembers of what it was shown, each with the certificate that vouched for it (spec: IDX-05). Pure: whoever calls
 * stores it.
 */
import { LIMITS } from "../limits.ts";
import { compareVersions } from "./version.ts";

/** The newest word of one certificate. */
export interface SignerMemory {
  /** Fingerprint of the signer's certificate, hex. */
  readonly signer: string;
  /** Number, SHA-256 (hex) and time of the newest index; a number of 0 for none. */
  readonly number: number;
  readonly hash: string;
  readonly created: number;
  /** The highest floor that it set, in an index or an envelope. */
  readonly floor?: string;
}

/** The latest one last. */
export type IndexMemory = readonly SignerMemory[];

/** What a certificate said. */
export interface Said {
  readonly index?: { readonly number: number; readonly hash: string; readonly created: number };
  readonly floor?: string | undefined;
}

/** Takes in what passed all checks. The certificate that was heard of longest ago goes when there are too many. */
export function remember(memory: IndexMemory, signer: string, { index, floor }: Said): IndexMemory {
  const before = memory.find((one) => one.signer === signer);
  const known = index ?? before ?? { number: 0, hash: "", created: 0 };
  const highest = higherFloor(before?.floor, floor);
  const now: SignerMemory = {
    ...{ signer, number: known.number, hash: known.hash, created: known.created },
    ...(highest === undefined ? {} : { floor: highest }),
  };
  return [...memory.filter((one) => one.signer !== signer), now].slice(-LIMITS.maxRememberedSigners);
}

/** Leaves out what certificates said that have been revoked since, by a list that the pinned root vouches for. */
export function forgetRevoked(memory: IndexMemory, isRevoked: (signer: string) => boolean): IndexMemory {
  return memory.filter(({ signer }) => !isRevoked(signer));
}

/** The newest index that is remembered, of whichever certificate; null for none. */
export function newestIndex(memory: IndexMemory): SignerMemory | null {
  let newest: SignerMemory | null = null;
  for (const one of memory) if (one.number > (newest?.number ?? 0)) newest = one;
  return newest;
}

/** The highest floor that is remembered (spec: MAN-22). */
export function rememberedFloor(memory: IndexMemory): string | undefined {
  return memory.map(({ floor }) => floor).reduce(higherFloor, undefined);
}

/** The higher of two floors, either of which may be missing. */
export function higherFloor(a: string | undefined, b: string | undefined): string | undefined {
  return [a, b].filter((floor) => floor !== undefined).sort(compareVersions).at(-1);
}
