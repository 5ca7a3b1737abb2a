/** An instance of a test that follows a publisher: a real database, registered as `postern instance register` does it. */
import { join } from "node:path";
import { verifyDetached } from "../../../shared/cms/verify.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { Database } from "../../../shared/database/database.ts";
import { migrate } from "../../../shared/database/migrations.ts";
import { openDatabase } from "../../../shared/database/open.ts";
import { currentRequest, keepAnswer, openAnswer } from "../../../manager/instance/register.ts";
import { MIGRATIONS } from "../../../manager/store/migrations.ts";
import { type Checked, type CheckEnvironment, checkForUpdate } from "../../../manager/update/check.ts";
import { firstConfig, type UpdateConfig } from "../../../manager/update/config.ts";
import { putConfig, requireFollowed } from "../../../manager/update/repository.ts";
import { openSource } from "../../../manager/update/open_source.ts";
import type { UpdateEnvironment } from "../../../manager/update/updater.ts";
import { PRODUCT, TestPublisher } from "./publisher.ts";
import { withFolder } from "./scratch.ts";

export const NOW = Date.UTC(2031, 0, 1);

export class Tenant implements AsyncDisposable {
  readonly db: Database;
  readonly folder: string;

  private constructor(db: Database, folder: string) {
    [this.db, this.folder] = [db, folder];
  }

  static async create(folder: string): Promise<Tenant> {
    await Deno.mkdir(folder, { recursive: true });
    const db = await openDatabase(`file:${join(folder, "manager.db")}`);
    await migrate(db, MIGRATIONS);
    return new Tenant(db, folder);
  }

  /** Registers and follows it in its folder, unless `changes` say otherwise. */
  async follow(publisher: TestPublisher, changes: Partial<UpdateConfig> = {}): Promise<void> {
    await this.register(publisher);
    await this.configure({ ...firstConfig(PRODUCT, { kind: "folder", path: publisher.folder }), ...changes });
  }

  /** Takes in an answer of the publisher, whose root its owner confirms. */
  async register(publisher: TestPublisher): Promise<void> {
    const answer = await publisher.register(await currentRequest(this.db, publisher.now, webCryptoRandom));
    const opened = await openAnswer(this.db, answer, publisher.now, webCryptoRandom);
    const { fingerprint } = publisher.root.certificate;
    await keepAnswer(
      this.db,
      opened,
      fingerprint,
      (body, signature, root) => verifyDetached(body, signature, { roots: [root], now: publisher.now }),
      publisher.now,
    );
  }

  async configure(config: UpdateConfig): Promise<void> {
    await this.db.batch([putConfig(config, webCryptoRandom)]);
  }

  async config(): Promise<UpdateConfig> {
    return (await requireFollowed(this.db, undefined)).config;
  }

  async check(now: number, changes: Partial<CheckEnvironment> = {}): Promise<Checked> {
    const followed = await requireFollowed(this.db, undefined);
    const source = openSource(followed.config.source, fetch);
    return await checkForUpdate({ db: this.db, source, followed, installed: undefined, now, ...changes });
  }

  /** What the commands work with. */
  async environment(changes: Partial<UpdateEnvironment> = {}): Promise<UpdateEnvironment> {
    const network = { fetch, now: () => NOW, wait: () => Promise.resolve() };
    const followed = await requireFollowed(this.db, undefined);
    return { db: this.db, dataFolder: this.folder, followed, network, pid: Deno.pid, ...changes };
  }

  async events(kind: string): Promise<string[]> {
    const { rows } = await this.db.execute<{ detail: string }>(
      { sql: "SELECT detail FROM events WHERE kind = ? ORDER BY number", params: [kind] },
    );
    return rows.map(({ detail }) => detail);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.close();
  }
}

/** Runs with a publisher and a tenant that follows it. */
export async function withTenant(
  run: (publisher: TestPublisher, tenant: Tenant, folder: string) => Promise<void>,
  changes: Partial<UpdateConfig> = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const publisher = await TestPublisher.create(join(folder, "public"), NOW);
    await using tenant = await Tenant.create(join(folder, "tenant"));
    await tenant.follow(publisher, changes);
    await run(publisher, tenant, folder);
  });
}
