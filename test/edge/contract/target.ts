/** The edge under test: in this process, on Deno over HTTP, or on workerd. The suite sees the same of each. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import { newEdgeKey } from "../../../shared/protocol/edge_key.ts";
import type { EdgeName } from "../../../shared/protocol/statement.ts";
import { SETTINGS } from "../../../edge/config.ts";
import type { TestClock } from "../../fixtures/clock.ts";
import { OwnerFixture } from "../../fixtures/owner.ts";

/** An edge that serves the owners of a {@link Cast}. */
export interface Target {
  /** Sends a request to a path and query, both below the base path or not, exactly as they are given. */
  fetch(target: string, init: RequestInit): Promise<Response>;
  /** The edge's clock, where the test can turn it; null where it is the real one. */
  readonly clock: TestClock | null;
  /** What the edge logged so far. */
  log(): string;
}

/** Who takes part: the edge's name and secret, owners it admits, and one it does not. */
export interface Cast {
  readonly edge: EdgeName;
  readonly basePath: string;
  /** All of the edge's settings but the database's. */
  readonly settings: Readonly<Record<string, string>>;
  /** Takes an admitted owner for whom nothing was pushed yet. */
  takeOwner(): OwnerFixture;
  /** An owner who is not in the edge's configuration, but has a statement that names it. */
  readonly stranger: OwnerFixture;
}

/** @param origin as owner statements name the edge; where it really listens is the target's affair */
export async function makeCast(owners: number, origin: string): Promise<Cast> {
  const { secret, publicKey } = await newEdgeKey(webCryptoRandom);
  const edge = { origin, key: publicKey };
  const admitted = await Promise.all(Array.from({ length: owners }, () => OwnerFixture.create(edge)));
  const waiting = [...admitted];
  return {
    edge,
    basePath: new URL(origin).pathname.replace(/\/$/, ""),
    settings: {
      [SETTINGS.owners]: admitted.map(({ id }) => toHex(id)).join(" "),
      [SETTINGS.key]: secret,
      [SETTINGS.origin]: origin,
      [SETTINGS.rateAddress]: "off",
      [SETTINGS.rateOwner]: "off",
    },
    takeOwner() {
      const owner = waiting.shift();
      if (owner === undefined) throw new Error("The suite needs more owners than the cast has");
      return owner;
    },
    stranger: await OwnerFixture.create(edge),
  };
}

/** An id that nobody has. */
export function nobody(length = 16): Bytes {
  return webCryptoRandom(length);
}
