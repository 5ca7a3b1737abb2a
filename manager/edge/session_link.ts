/** The manager's session with its edge: the same session as a device's, with the manager's endpoints on it. */
import type * as v from "valibot";
import type { Bytes } from "../../shared/bytes/bytes.ts";
import type { CborInputMap } from "../../shared/bytes/cbor.ts";
import type { EdgeSession } from "../../shared/client/session/edge_session.ts";
import { openSession } from "../../shared/client/session/open_session.ts";
import type { Surroundings } from "../../shared/client/surroundings.ts";
import { isPosternError, PosternError } from "../../shared/errors.ts";
import type { HistoryNode } from "../../shared/merkle/history.ts";
import { decodeSignedHead, requireHeadSignature, type SignedHead } from "../../shared/protocol/head.ts";
import { MANAGER_DEVICE } from "../../shared/protocol/login.ts";
import { pathOf, queryOf, type Route } from "../../shared/protocol/paths.ts";
import type { Signer } from "../../shared/protocol/signed.ts";
import { type VerifiedStatement, verifyStatement } from "../../shared/protocol/statement.ts";
import type { RowKey } from "../../shared/protocol/token.ts";
import { ANSWERS } from "../../shared/protocol/wire.ts";
import type {
  ChangePage,
  EdgeLink,
  EdgeState,
  HeadSince,
  ListPage,
  OpenPush,
  PushBegin,
  PushedBlock,
  RowPage,
} from "./link.ts";

/** Who the manager is to its edge. */
export interface ManagerIdentity {
  readonly statement: VerifiedStatement;
  readonly sign: Signer;
  /**
   * The manager key of a statement by its number and hash: heads signed before a change of keys.
   *
   * @param statement whole, and verified, where the edge shows it
   * @throws `forked` for a statement that this manager did not issue
   */
  readonly managerKey: (statement: SignedHead["head"]["statement"] | VerifiedStatement) => Promise<Bytes>;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";
type Parameters = Readonly<Record<string, string | number | Bytes>>;

/**
 * Logs the manager in at the first edge of its statement.
 *
 * @throws `unauthorized` when the edge does not admit the owner; `network`; `tampered` when it is not the edge; `forked`
 * when it shows a statement that this manager did not issue (spec: SESS-06)
 */
export async function openEdgeLink(identity: ManagerIdentity, surroundings: Surroundings): Promise<EdgeLink> {
  const { statement } = identity;
  const login = async () => {
    const [edge] = statement.edges;
    if (edge === undefined) throw new PosternError("configuration", "The owner statement names no edge");
    const { session, answer } = await openSession({
      ...{ owner: statement.owner, edge, device: MANAGER_DEVICE, statement: statement.signed, sign: identity.sign },
    }, surroundings);
    if (answer.statement !== null) await requireOwnStatement(answer.statement, identity);
    return { session, head: answer.head === null ? null : decodeSignedHead(answer.head) };
  };
  const { session, head } = await login();
  if (head !== null) await requireOwnHead(head, identity);
  return new SessionLink(
    statement,
    session,
    { generation: head?.head.generation ?? 0, head },
    async () => (await login()).session,
  );
}

/** A head that the edge shows must be signed by this manager's key, the present one or an earlier. */
async function requireOwnHead(head: SignedHead, identity: ManagerIdentity): Promise<void> {
  await requireHeadSignature(head, await identity.managerKey(head.head.statement));
}

/** A statement that the edge holds must be one that this manager issued (spec: SESS-06). */
async function requireOwnStatement(signed: Bytes, identity: ManagerIdentity): Promise<void> {
  await identity.managerKey(await verifyStatement(signed, identity.statement.owner));
}

class SessionLink implements EdgeLink {
  readonly statement: number;
  readonly #owner: Bytes;
  readonly #state: EdgeState;
  readonly #login: () => Promise<EdgeSession>;
  #session: EdgeSession;

  constructor(
    { owner, number }: VerifiedStatement,
    session: EdgeSession,
    state: EdgeState,
    login: () => Promise<EdgeSession>,
  ) {
    this.statement = number;
    this.#owner = owner;
    this.#session = session;
    this.#state = state;
    this.#login = login;
  }

  state(): Promise<EdgeState> {
    return Promise.resolve(this.#state);
  }

  async headSince(seen: number): Promise<HeadSince> {
    return await this.#call("GET", "head", {}, ANSWERS.head, "Reading the history", { query: queryOf({ seen }) });
  }

  async openPush(): Promise<OpenPush | null> {
    return (await this.#call("GET", "push", {}, ANSWERS.push, "Asking for the open push")).push;
  }

  async begin(push: PushBegin): Promise<OpenPush["received"]> {
    const answer = await this.#call("POST", "push", {}, ANSWERS.pushBegin, "Beginning a push", { body: { ...push } });
    return answer.received;
  }

  async chunk(id: Bytes, n: number, rows: readonly Bytes[], remove: readonly RowKey[]): Promise<void> {
    const body = { rows, remove: remove.map(({ table, token, number }) => [table, token, number]) };
    await this.#call("PUT", "pushChunk", { id, n }, ANSWERS.empty, `Sending chunk ${n}`, { body });
  }

  async nodes(id: Bytes, n: number, blocks: readonly PushedBlock[], history: readonly HistoryNode[]): Promise<void> {
    const body = {
      blocks: blocks.map(({ tbl, path, block }) => [tbl, path, block]),
      history: history.map(({ level, index, hash }) => [level, index, hash]),
    };
    await this.#call("PUT", "pushNodes", { id, n }, ANSWERS.empty, `Sending nodes ${n}`, { body });
  }

  async pushedPage(id: Bytes, table: string, after: Bytes | null): Promise<RowPage> {
    const query = queryOf({ after: after ?? undefined, limit: PAGE_ROWS });
    const what = `Reading back ${table}`;
    return await this.#call("GET", "pushTable", { id, table }, ANSWERS.pushTable, what, { query, views: true });
  }

  async commit(id: Bytes, heads: readonly Bytes[], statements: readonly Bytes[], nodes: number): Promise<number> {
    const answer = await this.#call("POST", "pushCommit", { id }, ANSWERS.pushCommit, "Committing a push", {
      body: { heads, statements, nodes },
    });
    return answer.generation;
  }

  async abort(id: Bytes): Promise<void> {
    await this.#call("DELETE", "pushOne", { id }, ANSWERS.empty, "Aborting a push");
  }

  async deleteTables(number: number): Promise<void> {
    await this.#call("DELETE", "tables", {}, ANSWERS.empty, "Deleting the tables at the edge", { body: { number } });
  }

  async listPage(table: string, epoch: number, token: Bytes, from: number): Promise<ListPage> {
    const query = queryOf({ epoch, token, from, limit: 1, proof: 1 });
    return await this.#call("GET", "rows", { table }, ANSWERS.rows, `Checking the proofs of ${table}`, { query });
  }

  async tablePage(table: string, epoch: number, at: number, after: Bytes | null): Promise<RowPage> {
    const query = queryOf({ epoch, at, after: after ?? undefined, limit: PAGE_ROWS });
    return await this.#call("GET", "table", { table }, ANSWERS.table, `Reading back ${table}`, { query, views: true });
  }

  async changesPage(table: string, epoch: number, since: number, at: number, after: Bytes | null): Promise<ChangePage> {
    const query = queryOf({ epoch, since, at, after: after ?? undefined, limit: PAGE_ROWS });
    const answer = await this.#call("GET", "changes", { table }, ANSWERS.changes, `Reading back ${table}`, { query });
    return {
      rows: answer.rows,
      next: answer.next,
      removed: answer.removed.map(([token, number]) => ({ token, number })),
    };
  }

  async inboxPage(after: number): Promise<{ entries: [number, Bytes][]; next: number | null }> {
    return await this.#call("GET", "inbox", {}, ANSWERS.inbox, "Reading the inbox", {
      query: queryOf({ after, limit: INBOX_PAGE }),
    });
  }

  async inboxPart(hash: Bytes): Promise<Bytes> {
    return (await this.#call("GET", "inboxPart", { hash }, ANSWERS.inboxPart, "Reading a part of the inbox")).part;
  }

  /** Sends a request; a session that ended meanwhile is opened again once, since a long push may outlive it. */
  async #call<S extends v.GenericSchema>(
    method: Method,
    route: Route,
    parameters: Parameters,
    answer: S,
    what: string,
    more: { readonly query?: string; readonly body?: CborInputMap; readonly views?: boolean } = {},
  ): Promise<v.InferOutput<S>> {
    const call = { method, path: pathOf(route, { owner: this.#owner, ...parameters }), answer, what, ...more };
    try {
      if (!this.#session.isOver) return await this.#session.request(call);
    } catch (error) {
      if (!isPosternError(error, "unauthorized")) throw error;
    }
    this.#session = await this.#login();
    return await this.#session.request(call);
  }
}

const PAGE_ROWS = 500;
const INBOX_PAGE = 100;
