/**
 * What a KEK rests on beside its secret: a package that not every machine has, and the library of a token's maker, which runs as a part
 * of the manager and sees the PIN.
 */
import { realpath } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { fromOsError } from "../files/os_error.ts";
import { loadKmsSdk } from "../keys/kms.ts";
import { loadPkcs11Package } from "../keys/pkcs11/library.ts";
import { parsePkcs11Uri } from "../keys/pkcs11_uri.ts";
import type { KekPlace } from "../store/folder.ts";
import { type Tried, tried } from "./tried.ts";

/** Where others could put something else in the place of a library: its file, or a folder on the way to it. */
export interface PathOwner {
  readonly path: string;
  /** With the sticky bit; null where the system has none. */
  readonly mode: number | null;
  readonly uid: number | null;
}

export interface LibraryFacts {
  /** As it is named. */
  readonly named: string;
  readonly isFile: boolean;
  readonly isInDataFolder: boolean;
  /** The file, links followed, and the folders above it up to the root. */
  readonly owners: readonly PathOwner[];
}

export interface KekFacts {
  /** `PKCS#11` or `AWS KMS`. */
  readonly kind: string;
  /** Whether the package that talks to it can be loaded. */
  readonly loaded: Tried<unknown>;
  /** Null where there is none. */
  readonly library: Tried<LibraryFacts> | null;
}

/** How packages are loaded. @throws `configuration` */
export interface KekPackages {
  readonly pkcs11: () => Promise<unknown>;
  readonly kms: () => Promise<unknown>;
}

const PACKAGES: KekPackages = { pkcs11: loadPkcs11Package, kms: loadKmsSdk };

/** Looks at what the KEK of a data folder needs. @returns null if that is nothing */
export async function examineKek(place: KekPlace, folder: string, packages = PACKAGES): Promise<KekFacts | null> {
  const { pkcs11, kmsKey } = place;
  if (pkcs11 !== undefined) {
    const library = await tried(() => examineLibrary(pkcs11, folder));
    return { kind: "PKCS#11", loaded: await tried(packages.pkcs11), library };
  }
  return kmsKey === undefined ? null : { kind: "AWS KMS", loaded: await tried(packages.kms), library: null };
}

async function examineLibrary(uri: string, folder: string): Promise<LibraryFacts> {
  const { library: named } = parsePkcs11Uri(uri);
  try {
    const file = await realpath(named);
    const owners: PathOwner[] = [];
    for (let path = file, last = ""; path !== last; [path, last] = [dirname(path), path]) {
      const { mode, uid } = await Deno.stat(path);
      owners.push({ path, mode, uid });
    }
    const { isFile } = await Deno.stat(file);
    return { named, isFile, owners, isInDataFolder: file.startsWith(`${await realpath(folder)}${sep}`) };
  } catch (error) {
    throw fromOsError(error, `look at the library ${named}`);
  }
}
