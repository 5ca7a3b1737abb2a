/** Client addresses, as far as rate limits care: one for an IPv4 address, one for an IPv6 network of 64 bits. */

/** The network that an address is counted under; what is no address is counted as it stands. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  // Who has one IPv6 address has 2^64 of them (RFC 6177): the first four groups name the client's network.
  const [plain = ""] = address.split("%");
  const [before = "", after] = plain.toLowerCase().split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill("0"), ...tail];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":") + "::/64";
}

/**
 * The client's address behind a proxy that adds it at the end of a header, as `X-Forwarded-For` does. What stands before the last
 * comma came from the client itself, and may say anything.
 */
export function lastAddress(header: string | null): string | null {
  const last = header?.slice(header.lastIndexOf(",") + 1).trim();
  return last === undefined || last === "" || last.length > 64 ? null : last;
}
