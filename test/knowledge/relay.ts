/** Stands where the edge is reached and hands everything on, byte by byte, keeping a copy of all of it. */
import { concat } from "../../shared/bytes/bytes.ts";
import type { Captured } from "./scan.ts";

interface Passed {
  readonly received: Uint8Array[];
  readonly answered: Uint8Array[];
}

export class Relay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Passed[] = [];
  readonly #open = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;
  /** Port of the edge behind it; until there is one, whoever comes is turned away. */
  target: number | null = null;

  constructor() {
    this.#serving = this.#serve();
  }

  /** What clients take for the edge's address. */
  get origin(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** All bytes of every connection so far, each direction in one piece. */
  captured(): Captured[] {
    return this.#connections.flatMap(({ received, answered }, index) => [
      { where: `connection ${index}, received`, bytes: concat(...received) },
      { where: `connection ${index}, answered`, bytes: concat(...answered) },
    ]);
  }

  async #serve(): Promise<void> {
    const passing: Promise<void>[] = [];
    for await (const client of this.#listener) passing.push(this.#pass(client));
    await Promise.all(passing);
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    const passed = { received: [], answered: [] };
    this.#connections.push(passed);
    try {
      if (this.target === null) return;
      const edge = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(edge);
      await Promise.all([this.#copy(client, edge, passed.received), this.#copy(edge, client, passed.answered)]);
      this.#close(edge);
    } finally {
      this.#close(client);
    }
  }

  async #copy(from: Deno.TcpConn, to: Deno.TcpConn, kept: Uint8Array[]): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        const bytes = buffer.slice(0, read);
        kept.push(bytes);
        for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
      }
      await to.closeWrite();
    } catch {
      // One side is gone, and there is nothing to tell the other one but that.
      this.#close(from);
      this.#close(to);
    }
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#open.delete(connection)) return;
    connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#open]) this.#close(connection);
    await this.#serving;
  }
}
