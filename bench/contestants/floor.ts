/** Lookups at the floor: see servers/floor.ts. */
import { toHex } from "../../shared/bytes/encoding.ts";
import { fromBase64 } from "../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import type { Contestant } from "../harness/contest.ts";
import { headerOf } from "../load/answer.ts";
import { rawRequest } from "../load/request_file.ts";
import { answerAuth, type FloorSettings, requestAuth, rowName } from "../servers/floor_auth.ts";
import { type Server, startServer } from "../servers/spawn.ts";
import { RoundRobin } from "./round_robin.ts";

/** The floor, running. */
export interface Floor {
  readonly contestant: Contestant;
  readonly server: Server;
}

/**
 * Starts it with a database in the folder.
 *
 * @param bodyBytes the size that answers shall have
 */
export async function startFloor(folder: string, rows: number, bodyBytes: number): Promise<Floor> {
  const sessions = Array.from(
    { length: SESSIONS },
    () => [toHex(webCryptoRandom(16)), toHex(webCryptoRandom(32))] as const,
  );
  const settings: FloorSettings = { databasePath: `${folder}/floor.db`, rows, bodyBytes, sessions };
  const path = `${folder}/floor.json`;
  await Deno.writeTextFile(path, JSON.stringify(settings));
  const server = await startServer("floor.ts", { args: [path] });
  return { server, contestant: floorContestant(server, settings) };
}

const SESSIONS = 512;

function floorContestant(server: Server, { sessions, rows, bodyBytes }: FloorSettings): Contestant {
  const turns = new RoundRobin(sessions, rows);
  return {
    ...{ name: "floor", port: server.port, processes: [server.pid], firstRequests: 60_000 },
    prepare(count) {
      const requests = turns.next(count).map(({ session: [id, key], counter, row }) => {
        const target = `/certificate?dn=${encodeURIComponent(rowName(row))}`;
        const auth = requestAuth(key, target, counter);
        return rawRequest("GET", target, { "x-session": id, "x-counter": String(counter), "x-auth": auth });
      });
      return Promise.resolve(requests);
    },
    verify(sample) {
      const { session: [, key], counter } = turns.of(sample.request);
      const body = fromBase64(sample.body);
      if (body.length !== bodyBytes) throw new Error(`the floor answered with ${body.length} bytes`);
      if (headerOf(sample, "x-auth") !== answerAuth(key, counter, body)) throw new Error("the floor signed wrongly");
    },
  };
}
