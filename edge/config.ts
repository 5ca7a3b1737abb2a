/**
 * The edge's configuration, from a plain record of texts: environment variables, or the bindings of a worker. Everything is checked
 * before the edge serves anything, and whatever is wrong is said at once, by the name of the variable and with the remedy.
 */
import type { Bytes } from "../shared/bytes/bytes.ts";
import { fromHex } from "../shared/bytes/encoding.ts";
import { Redacted } from "../shared/crypto/redacted.ts";
import { isPosternError, PosternError } from "../shared/errors.ts";
import { LIMITS } from "../shared/limits.ts";
import { readEdgeSecret } from "../shared/protocol/edge_key.ts";
import { normalizeOrigin } from "./config_origin.ts";

/** Every variable that the edge reads. */
export const SETTINGS = {
  owners: "POSTERN_OWNERS",
  key: "POSTERN_EDGE_KEY",
  previousKey: "POSTERN_EDGE_KEY_PREVIOUS",
  origin: "POSTERN_ORIGIN",
  databaseUrl: "POSTERN_DATABASE_URL",
  databaseToken: "POSTERN_DATABASE_TOKEN",
  ownerBytes: "POSTERN_OWNER_BYTES",
  rateAddress: "POSTERN_RATE_ADDRESS",
  rateOwner: "POSTERN_RATE_OWNER",
  addressHeader: "POSTERN_ADDRESS_HEADER",
  listen: "POSTERN_LISTEN",
} as const;

/** Where an edge on a machine of its own listens. */
export interface Listen {
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** How many challenges, logins and statements are answered. */
export interface Rates {
  /** For one client address (an IPv6 network of 64 bits), each minute and in one burst; null for no limit. */
  readonly addressPerMinute: number | null;
  /** Logins of one owner, likewise, where the host does not know the clients' addresses. */
  readonly ownerPerMinute: number | null;
}

/** A configuration that passed {@link readConfig}. */
export interface EdgeConfig {
  /** Owner ids, 32 bytes each. */
  readonly owners: readonly Bytes[];
  /** The edge's secret, 32 bytes. */
  readonly secret: Redacted<Bytes>;
  /** The secret before: sessions that it sealed are still good. */
  readonly previousSecret: Redacted<Bytes> | null;
  /** As owner statements name it: scheme, host, port, base path, no slash at the end. */
  readonly origin: string;
  /** The path of the origin: empty, or with a slash at the start and none at the end. */
  readonly basePath: string;
  readonly databaseUrl: string;
  readonly databaseToken: Redacted<string> | null;
  /** What the stored rows of one owner may take up; null for no limit. */
  readonly ownerBytes: number | null;
  readonly rates: Rates;
  /** The header in which a proxy in front tells the client's address; null where clients connect directly. */
  readonly addressHeader: string | null;
  readonly listen: Listen;
}

/** A household behind one address, and an owner's whole fleet, stay far below these. */
const DEFAULT_RATES = { address: 120, owner: 600 };
const UNITS: Readonly<Record<string, number>> = { MiB: 2 ** 20, GiB: 2 ** 30 };
const MAX_OWNER_BYTES = 2 ** 40;
const MAX_RATE = 1_000_000_000;
const DEFAULT_PORT = 8_787;
const MAX_PORT = 65_535;
const DATABASE_URL = /^(?:file:.+|(?:https?|libsql|wss?):\/\/[^/@?#]+(?:\/[^@?#]*)?(?:\?tls=[01])?)$/;

type Source = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration.
 *
 * @throws `configuration`; the message has one line for each variable that is missing or wrong, and no secret
 */
export function readConfig(source: Source): EdgeConfig {
  const problems: string[] = unknownSettings(source);
  const read = <T>(name: string, parse: (text: string | undefined) => T): T | undefined => {
    try {
      return parse(source[name]?.trim() || undefined);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      problems.push(`${name} ${error.message}`);
      return undefined;
    }
  };
  const owners = read(SETTINGS.owners, parseOwners);
  const secret = read(SETTINGS.key, parseKey);
  const previousSecret = read(SETTINGS.previousKey, (text) => text === undefined ? null : parseKey(text));
  const place = read(SETTINGS.origin, parseOrigin);
  const databaseUrl = read(SETTINGS.databaseUrl, parseDatabaseUrl);
  const databaseToken = read(SETTINGS.databaseToken, (text) => parseDatabaseToken(text, databaseUrl));
  const ownerBytes = read(SETTINGS.ownerBytes, parseBytes);
  const addressPerMinute = read(SETTINGS.rateAddress, (text) => parseRate(text, DEFAULT_RATES.address));
  const ownerPerMinute = read(SETTINGS.rateOwner, (text) => parseRate(text, DEFAULT_RATES.owner));
  const addressHeader = read(SETTINGS.addressHeader, parseHeaderName);
  const listen = read(SETTINGS.listen, (text) => parseListen(text, place?.origin));
  if (
    problems.length > 0 || owners === undefined || secret === undefined || previousSecret === undefined ||
    place === undefined || databaseUrl === undefined || databaseToken === undefined || ownerBytes === undefined ||
    addressPerMinute === undefined ||
    ownerPerMinute === undefined || addressHeader === undefined || listen === undefined
  ) {
    throw new PosternError("configuration", `The edge's configuration does not fit:\n${problems.join("\n")}`);
  }
  return {
    ...{ owners, secret, previousSecret, ...place, databaseUrl, databaseToken, ownerBytes, addressHeader, listen },
    rates: { addressPerMinute, ownerPerMinute },
  };
}

/** Misspelt settings would otherwise leave a default in force without a word. */
function unknownSettings(source: Source): string[] {
  const known: readonly string[] = Object.values(SETTINGS);
  return Object.keys(source)
    .filter((name) => /^POSTERN_(?:OWNER|EDGE|ORIGIN|DATABASE|RATE|ADDRESS|LISTEN)/.test(name) && !known.includes(name))
    .map((name) => `${name} is no setting of the edge; they are ${known.join(", ")}.`);
}

function parseOwners(text: string | undefined): Bytes[] {
  if (text === undefined) throw wrong("is missing: set it to the owner ids to admit; 'postern status' prints yours.");
  const ids = text.split(/[\s,]+/).filter((id) => id !== "");
  if (new Set(ids).size !== ids.length) throw wrong("names an owner id twice; remove one.");
  return ids.map((id, index) => {
    if (!/^[0-9a-f]{64}$/.test(id)) {
      throw wrong(
        `has no owner id in place ${index + 1}: one is 64 lower-case hex digits; 'postern status' prints yours.`,
      );
    }
    return fromHex(id);
  });
}

function parseKey(text: string | undefined): Redacted<Bytes> {
  if (text === undefined) throw wrong("is missing: 'postern edge keygen' makes one.");
  try {
    return new Redacted(readEdgeSecret(text));
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw wrong("is not a key: 'postern edge keygen' makes one, 43 characters of base64url.");
  }
}

function parseOrigin(text: string | undefined): { origin: string; basePath: string } {
  if (text === undefined) {
    throw wrong("is missing: set it to the address of this edge, such as https://edge.example/postern.");
  }
  return normalizeOrigin(text);
}

function parseDatabaseUrl(text: string | undefined): string {
  if (text === undefined) throw wrong("is missing: set it to file:PATH, or to the URL of a libSQL server.");
  if (text !== ":memory:" && !DATABASE_URL.test(text)) {
    throw wrong("is none of file:PATH, https://, http://, libsql://, wss:// or ws:// with a host and without a user.");
  }
  return text;
}

function parseDatabaseToken(text: string | undefined, url: string | undefined): Redacted<string> | null {
  if (text === undefined) return null;
  if (url === ":memory:" || url?.startsWith("file:")) {
    throw wrong("is set, but a database file takes no token; remove it.");
  }
  return new Redacted(text);
}

function parseBytes(text: string | undefined): number | null {
  if (text === undefined) return LIMITS.defaultOwnerBytes;
  if (text === "off") return null;
  const [, number, unit = ""] = /^([1-9][0-9]{0,14})(?: ?(MiB|GiB))?$/.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? 1);
  if (!(bytes >= LIMITS.maxBodyBytes && bytes <= MAX_OWNER_BYTES)) {
    throw wrong("is no number of bytes, MiB or GiB from 1 MiB to 1024 GiB, and not 'off'.");
  }
  return bytes;
}

function parseRate(text: string | undefined, standard: number): number | null {
  if (text === undefined) return standard;
  if (text === "off") return null;
  const rate = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : Infinity;
  if (rate > MAX_RATE) throw wrong(`is no number of requests a minute from 1 to ${MAX_RATE}, and not 'off'.`);
  return rate;
}

function parseHeaderName(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) {
    throw wrong(
      "is no header name: give the one in which your proxy tells the client's address, such as X-Forwarded-For.",
    );
  }
  return text.toLowerCase();
}

/** Without a setting: where the origin points if that is this machine, and else a fixed port for a proxy to find. */
function parseListen(text: string | undefined, origin: string | undefined): Listen {
  if (text === undefined) {
    const url = origin === undefined ? null : URL.parse(origin);
    if (url === null || url.protocol !== "http:") return { hostname: "127.0.0.1", port: DEFAULT_PORT };
    const hostname = url.hostname === "localhost" ? "127.0.0.1" : url.hostname.replace(/^\[(.*)\]$/, "$1");
    return { hostname, port: url.port === "" ? 80 : Number(url.port) };
  }
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(0|[1-9][0-9]{0,4})$/.exec(text) ?? [];
  const hostname = bracketed ?? plain;
  if (hostname === undefined || Number(port) > MAX_PORT) {
    throw wrong("is not HOST:PORT, such as 127.0.0.1:8787 or [::1]:8787.");
  }
  return { hostname, port: Number(port) };
}

function wrong(message: string): PosternError {
  return new PosternError("configuration", message);
}
