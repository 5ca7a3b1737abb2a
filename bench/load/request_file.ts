/** Requests made before anything is timed: in a file, each after its length (32 bits, big-endian). Pure. */
import { type Bytes, concat, utf8 } from "../../shared/bytes/bytes.ts";

const LENGTH_BYTES = 4;

/** One request as it goes over the wire. */
export function rawRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Bytes {
  const length = body === undefined ? {} : { "content-length": String(body.length) };
  const lines = Object.entries({ host: "127.0.0.1", ...headers, ...length }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const head = utf8(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return body === undefined ? head : concat(head, body);
}

/** All requests one after another. */
export function encodeRequests(requests: readonly Uint8Array[]): Bytes {
  const file = new Uint8Array(requests.reduce((sum, one) => sum + LENGTH_BYTES + one.length, 0));
  const view = new DataView(file.buffer);
  let at = 0;
  for (const request of requests) {
    view.setUint32(at, request.length);
    file.set(request, at + LENGTH_BYTES);
    at += LENGTH_BYTES + request.length;
  }
  return file;
}

/** The requests of a file, as views of it. @throws Error when the file is cut off */
export function decodeRequests(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const requests: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = at + LENGTH_BYTES > file.length ? Infinity : view.getUint32(at);
    const end = at + LENGTH_BYTES + length;
    if (end > file.length) throw new Error("the file of requests is cut off");
    requests.push(file.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return requests;
}
