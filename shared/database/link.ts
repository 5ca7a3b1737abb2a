/** The connection to a libSQL server: opened when needed, given up and opened anew when the server stays silent. */
import { type Client, createClient, type ResultSet } from "@libsql/client/web";
import type { DriverValue } from "./values.ts";

/** One statement as the client takes it. */
export interface WireStatement {
  readonly sql: string;
  readonly args: DriverValue[];
}

/** How a request is run: in a transaction that reads or writes, or one statement outside of any. */
export type LinkMode = "read" | "write" | "alone";

/** Sends statements and waits for the answer, never longer than the time allowed. Throws what the client throws. */
export class Link {
  readonly #url: string;
  readonly #authToken: string | undefined;
  readonly #answerMillis: number;
  readonly #aborts = new WeakMap<Client, AbortController>();
  #client: Client | undefined;

  constructor(url: string, authToken: string | undefined, answerMillis: number) {
    this.#url = url;
    this.#authToken = authToken;
    this.#answerMillis = answerMillis;
  }

  async send(statements: readonly WireStatement[], mode: LinkMode): Promise<readonly ResultSet[]> {
    const client = this.#client ??= this.#open();
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      silence.reject(new Error(`no answer within ${this.#answerMillis} ms`));
      // Whatever else waits on this connection would wait in vain too.
      this.#drop(client);
    }, this.#answerMillis);
    try {
      return await Promise.race([run(client, statements, mode), silence.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    if (this.#client !== undefined) this.#drop(this.#client);
  }

  #open(): Client {
    const abort = new AbortController();
    const client = createClient({
      url: this.#url,
      ...(this.#authToken === undefined ? {} : { authToken: this.#authToken }),
      // As numbers, one integer beyond 2^53 would make the answers of all callers unreadable.
      intMode: "bigint",
      fetch: (request: Request) => fetch(request, { signal: abort.signal }),
    });
    this.#aborts.set(client, abort);
    return client;
  }

  #drop(client: Client): void {
    if (this.#client === client) this.#client = undefined;
    this.#aborts.get(client)?.abort();
    client.close();
  }
}

async function run(
  client: Client,
  statements: readonly WireStatement[],
  mode: LinkMode,
): Promise<readonly ResultSet[]> {
  const [only] = statements;
  // A statement by itself needs no transaction around it, which would be three more steps for the server.
  if (only !== undefined && statements.length === 1) return [await client.execute(only)];
  return await client.batch([...statements], mode === "read" ? "read" : "write");
}
