/** The owner and manager of `deno task start`, in DIR/manager, with a KEK in a key file so that it runs unattended. */
import { join } from "node:path";
import { type Bytes, utf8 } from "../../shared/bytes/bytes.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { reveal } from "../../shared/crypto/redacted.ts";
import type { Database } from "../../shared/database/database.ts";
import { isPosternError } from "../../shared/errors.ts";
import type { EdgeName } from "../../shared/protocol/statement.ts";
import { createExclusive, makePrivateFolder, removeDurably } from "../../manager/files/durable.ts";
import { createKeyFile, KEY_FILE_KIND, openKeyFile } from "../../manager/keys/key_file.ts";
import { KekRegistry } from "../../manager/keys/provider.ts";
import { writeRecoveryKey } from "../../manager/cli/texts/recovery_key.ts";
import { createManager } from "../../manager/store/create.ts";
import { folderState } from "../../manager/store/folder.ts";
import { META, readBytes, setNumber } from "../../manager/store/meta.ts";
import { openManager } from "../../manager/store/open.ts";

/** The manager's open database, and whether it is new. */
export interface OpenOwner {
  readonly db: Database;
  readonly owner: Bytes;
  readonly isNew: boolean;
  /** Where the KEK and, once, the recovery key were written. */
  readonly kekFile: string;
  readonly recoveryFile: string;
}

/** Opens the manager in a folder, which is set up first if nothing, or only half of it, is there. */
export async function openOwner(folder: string, edge: EdgeName, intervalMillis: number): Promise<OpenOwner> {
  const kekFile = join(folder, "kek.key");
  const recoveryFile = join(folder, "..", "recovery.txt");
  const openKek = () => openKeyFile(kekFile, Deno.uid(), webCryptoRandom);
  const state = await folderState(folder);
  const isNew = state !== "ready";
  if (isNew) {
    await createManager(
      {
        folder,
        kek: async () => {
          await ensureKeyFile(folder, kekFile);
          return await openKek();
        },
        kekPlace: { keyFile: kekFile },
        owner: { edge, intervalMillis },
        holder: { pid: Deno.pid, sinceMillis: Date.now() },
        keepRecoveryKey: async (seed) => {
          // One of an interrupted start opens nothing.
          await removeIfThere(recoveryFile);
          await createExclusive(recoveryFile, utf8(`${writeRecoveryKey(reveal(seed))}\n`));
        },
      },
      Date.now(),
      webCryptoRandom,
    );
  }
  const registry = new KekRegistry();
  registry.register(KEY_FILE_KIND, openKek);
  const db = await openManager({ folder, kek: () => Promise.resolve(registry) });
  // Heads say by when the next one is due: another interval than last time's must stand in them.
  await db.execute(setNumber(META.intervalMillis, intervalMillis));
  return { db, owner: await readBytes(db, META.owner), isNew, kekFile, recoveryFile };
}

async function ensureKeyFile(folder: string, path: string): Promise<void> {
  await makePrivateFolder(folder);
  try {
    await createKeyFile(path, webCryptoRandom);
  } catch (error) {
    if (!isPosternError(error, "conflict")) throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await removeDurably(path);
  } catch (error) {
    if (!isPosternError(error, "not_found")) throw error;
  }
}
