/**
 * PKCS#11 libraries, loaded when one is asked for: `pkcs11js` is compiled where it is installed (`deno task pkcs11:build`),
 * and a machine without a compiler runs everything else.
 *
 * A library is initialised once for a process, whoever uses it: it is counted here who does, and the last one ends it.
 */
import type * as Pkcs11Js from "pkcs11js";
import { PosternError } from "../../../shared/errors.ts";
import { fromPkcs11Error, hasReturned } from "./errors.ts";

/** The package, its constants (`CKA_...`, `CKM_...`) included. */
export type Pkcs11Package = typeof Pkcs11Js;

/** A library that is loaded and initialised. */
export interface Pkcs11Library {
  readonly constants: Pkcs11Package;
  readonly cryptoki: Pkcs11Js.PKCS11;
  /** To be called once, when nothing more is asked of it. */
  release(): void;
}

interface Loaded {
  readonly cryptoki: Pkcs11Js.PKCS11;
  /** False when another thread of this process has initialised it, which then ends it too. */
  readonly isOurs: boolean;
  users: number;
}

const loaded = new Map<string, Loaded>();

/** @param path the library, absolute @throws `configuration` when it, or the package, cannot be loaded */
export async function openLibrary(path: string): Promise<Pkcs11Library> {
  const constants = await loadPkcs11Package();
  const entry = loaded.get(path) ?? load(constants, path);
  loaded.set(path, entry);
  entry.users++;
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    if (--entry.users > 0) return;
    loaded.delete(path);
    if (entry.isOurs) entry.cryptoki.C_Finalize();
    entry.cryptoki.close();
  };
  return { constants, cryptoki: entry.cryptoki, release };
}

/** @throws `configuration` when it is not there, or was not compiled */
export async function loadPkcs11Package(): Promise<Pkcs11Package> {
  try {
    return (await import("pkcs11js")).default as unknown as Pkcs11Package;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const advice = "build it with `deno task pkcs11:build`, which needs a C compiler, make and Python";
    throw new PosternError("configuration", `The package pkcs11js could not be loaded: ${advice}`, { cause });
  }
}

function load(constants: Pkcs11Package, path: string): Loaded {
  const cryptoki = new constants.PKCS11();
  try {
    cryptoki.load(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const advice = "name the library of the token's maker, such as /usr/lib/softhsm/libsofthsm2.so";
    throw new PosternError("configuration", `${path} is no PKCS#11 library: ${advice}`, { cause });
  }
  try {
    cryptoki.C_Initialize();
    return { cryptoki, isOurs: true, users: 0 };
  } catch (error) {
    if (hasReturned(error, "CKR_CRYPTOKI_ALREADY_INITIALIZED")) return { cryptoki, isOurs: false, users: 0 };
    cryptoki.close();
    throw fromPkcs11Error(error, `initialise ${path}`);
  }
}
