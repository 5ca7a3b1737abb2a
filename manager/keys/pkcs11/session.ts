/** A session with a token, and the keys in it by their labels. The private ones never leave it. */
import { Buffer } from "node:buffer";
import type { Handle, Mechanism, PKCS11, Template } from "pkcs11js";
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { type Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import { PosternError } from "../../../shared/errors.ts";
import { fromPkcs11Error, hasReturned } from "./errors.ts";
import { openLibrary, type Pkcs11Library, type Pkcs11Package } from "./library.ts";

/** Where keys are: a library and the label of one of its tokens. */
export interface TokenPlace {
  /** Path of the library, absolute. */
  readonly library: string;
  readonly token: string;
}

/** The class of an object. */
export type ObjectKind = "private" | "public" | "secret" | "certificate";

const KINDS = {
  private: "CKO_PRIVATE_KEY",
  public: "CKO_PUBLIC_KEY",
  secret: "CKO_SECRET_KEY",
  certificate: "CKO_CERTIFICATE",
} as const;

/** An open session. Objects that it makes stay in the token if their template says so. */
export class Pkcs11Session {
  readonly #library: Pkcs11Library;
  readonly #session: Handle;
  readonly #place: TokenPlace;
  #isOpen = true;

  private constructor(library: Pkcs11Library, session: Handle, place: TokenPlace) {
    this.#library = library;
    this.#session = session;
    this.#place = place;
  }

  /**
   * Opens a session and logs in.
   *
   * @throws `configuration` when the library cannot be loaded; `not_found` when it has no such token; `wrong_key` for a wrong PIN
   */
  static async open(place: TokenPlace, pin: Redacted<string>): Promise<Pkcs11Session> {
    const library = await openLibrary(place.library);
    try {
      const { CKF_SERIAL_SESSION, CKF_RW_SESSION, CKU_USER } = library.constants;
      const { cryptoki } = library;
      const session = cryptoki.C_OpenSession(findSlot(cryptoki, place), CKF_SERIAL_SESSION | CKF_RW_SESSION);
      try {
        cryptoki.C_Login(session, CKU_USER, reveal(pin));
      } catch (error) {
        // Being logged in is a state of the process, not of a session.
        if (!hasReturned(error, "CKR_USER_ALREADY_LOGGED_IN")) {
          cryptoki.C_CloseSession(session);
          throw error;
        }
      }
      return new Pkcs11Session(library, session, place);
    } catch (error) {
      library.release();
      throw fromPkcs11Error(error, `log in to the token '${place.token}'`);
    }
  }

  /** The constants of PKCS#11, `CKA_...`, `CKM_...` and so on. */
  get constants(): Pkcs11Package {
    return this.#library.constants;
  }

  /**
   * Calls the library directly, for what has no method here; its errors become those of Postern.
   *
   * @param tried continues "Could not ..."
   */
  call<T>(tried: string, use: (cryptoki: PKCS11, session: Handle) => T): T {
    if (!this.#isOpen) throw new PosternError("usage", "This session with a token is closed");
    try {
      return use(this.#library.cryptoki, this.#session);
    } catch (error) {
      throw fromPkcs11Error(error, tried);
    }
  }

  /** The one object of this label. @throws `not_found`; `conflict` when there are several */
  find(kind: ObjectKind, label: string): Handle {
    const [object, another] = this.findAll(kind, label);
    const where = `labelled '${label}' in the token '${this.#place.token}'`;
    if (object === undefined) throw new PosternError("not_found", `There is no ${nameOf(kind)} ${where}`);
    if (another !== undefined) throw new PosternError("conflict", `There are several ${nameOf(kind)}s ${where}`);
    return object;
  }

  /** The objects of this label, two at most: that there is more than one is all that anybody asks. */
  findAll(kind: ObjectKind, label: string): Handle[] {
    const { CKA_CLASS, CKA_LABEL } = this.constants;
    const template: Template = [
      { type: CKA_CLASS, value: this.constants[KINDS[kind]] },
      { type: CKA_LABEL, value: label },
    ];
    return this.call(`look for a ${nameOf(kind)}`, (cryptoki, session) => {
      cryptoki.C_FindObjectsInit(session, template);
      try {
        return cryptoki.C_FindObjects(session, 2);
      } finally {
        cryptoki.C_FindObjectsFinal(session);
      }
    });
  }

  /** Attributes of an object, in the order asked for. */
  attributes(object: Handle, types: readonly number[]): Bytes[] {
    const template = types.map((type) => ({ type }));
    return this.call(
      "read an object's attributes",
      (cryptoki, session) =>
        cryptoki.C_GetAttributeValue(session, object, template).map(({ value }) => new Uint8Array(value)),
    );
  }

  /** The signature over all of the data, at most `maxBytes` long. */
  sign(key: Handle, mechanism: Mechanism, data: Bytes, maxBytes: number): Bytes {
    return this.call("sign with a key in the token", (cryptoki, session) => {
      cryptoki.C_SignInit(session, mechanism, key);
      return new Uint8Array(cryptoki.C_Sign(session, Buffer.from(data), Buffer.alloc(maxBytes)));
    });
  }

  /** Ends the session; the last one of a token logs out. Closing twice does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#library.cryptoki.C_CloseSession(this.#session);
    } catch (error) {
      // A token that was pulled out has ended its sessions by itself.
      if (!hasReturned(error, "CKR_SESSION_HANDLE_INVALID") && !hasReturned(error, "CKR_DEVICE_REMOVED")) {
        throw fromPkcs11Error(error, "close the session with the token");
      }
    } finally {
      this.#library.release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function findSlot(cryptoki: PKCS11, { token, library }: TokenPlace): Handle {
  // Labels are padded with spaces to 32 bytes.
  const label = (slot: Handle) => cryptoki.C_GetTokenInfo(slot).label.replace(/[ \0]+$/, "");
  const [slot, another] = cryptoki.C_GetSlotList(true).filter((one) => label(one) === token);
  if (slot === undefined) throw new PosternError("not_found", `${library} has no token labelled '${token}'`);
  if (another !== undefined) {
    throw new PosternError("conflict", `${library} has several tokens labelled '${token}'; take the others out`);
  }
  return slot;
}

function nameOf(kind: ObjectKind): string {
  return kind === "certificate" ? kind : `${kind} key`;
}
