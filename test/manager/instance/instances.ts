/** Instances of a test: an empty manager's database, and a publisher that answers. */
import { type Bytes, equalBytes, utf8 } from "../../../shared/bytes/bytes.ts";
import { memberKeys } from "../../../shared/cover/member.ts";
import { CoverSecret } from "../../../shared/cover/secret.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { Redacted, reveal } from "../../../shared/crypto/redacted.ts";
import type { Database } from "../../../shared/database/database.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { PosternError } from "../../../shared/errors.ts";
import { makeRegistrationAnswer, type Registration } from "../../../shared/manifest/registration_answer.ts";
import { readRegistrationRequest } from "../../../shared/manifest/registration_request.ts";
import { currentRequest, keepAnswer, openAnswer } from "../../../manager/instance/register.ts";
import type { StoredRegistration } from "../../../manager/instance/repository.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { OwnerFixture } from "../../fixtures/owner.ts";

export const NOW = Date.UTC(2031, 0, 1);

/** Runs with the database of a new manager. */
export async function withDatabase<T>(use: (db: Database) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "postern-instance-" });
  const db = await openDatabase(`file:${folder}/manager.db`);
  try {
    await migrate(db, MIGRATIONS);
    return await use(db);
  } finally {
    await db.close();
    await Deno.remove(folder, { recursive: true });
  }
}

export const { root } = await OwnerFixture.create();

/** Member keys of a small tree, of its leaf 5. */
export const member = memberKeys(new CoverSecret(webCryptoRandom(32), 4), 5).encode();

/** What a publisher gives to an instance. */
export function registrationOf(product: string, fields: Partial<Registration> = {}): Registration {
  return {
    ...{ product, root: root.der, entrySecret: new Redacted(webCryptoRandom(32)), cover: null, sharedKeys: [] },
    ...fields,
  };
}

/** Stands for the CMS signature, whose own tests are elsewhere. */
const signature = (body: Bytes): Bytes => sha256(utf8("publisher"), body);
export const signAnswer = (body: Bytes): Promise<Bytes> => Promise.resolve(signature(body));
export const verifyAnswer = (body: Bytes, signed: Bytes): Promise<void> =>
  equalBytes(signed, signature(body))
    ? Promise.resolve()
    : Promise.reject(new PosternError("signature", "not by the publisher"));

/** The answer to the last request of an instance. */
export async function answerTo(db: Database, registration: Registration, now = NOW): Promise<Bytes> {
  const bytes = await currentRequest(db, now, webCryptoRandom);
  return await makeRegistrationAnswer({ bytes, read: await readRegistrationRequest(bytes) }, registration, signAnswer);
}

/** Registers an instance. */
export async function register(db: Database, registration: Registration, now = NOW): Promise<StoredRegistration> {
  const opened = await openAnswer(db, await answerTo(db, registration, now), now, webCryptoRandom);
  return await keepAnswer(db, opened, root.fingerprint, verifyAnswer, now);
}

/** A registration without its wraps, so that two compare. */
export function revealed({ entrySecret, cover, sharedKeys, ...rest }: StoredRegistration) {
  return {
    ...rest,
    entrySecret: reveal(entrySecret),
    cover: cover === null ? null : reveal(cover),
    sharedKeys: sharedKeys.map(({ key, ...name }) => ({ ...name, key: reveal(key) })),
  };
}
