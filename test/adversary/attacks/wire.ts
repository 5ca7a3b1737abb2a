/** Attacks by whoever sits on the wire and does not know the session keys. */
import { webCryptoRandom } from "../../../shared/crypto/random.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { HEADERS } from "../../../shared/protocol/http_signature.ts";
import type { Interceptor, SentAnswer, SentRequest } from "../../fixtures/traffic.ts";
import { withHeader } from "../../fixtures/traffic.ts";
import type { Dice } from "../dice.ts";
import type { Player } from "../scene.ts";
import { type Attack, flipped } from "./attack.ts";

/** An answer or a request that is changed on its way; the same object where nothing is changed. */
interface Hand {
  readonly answer?: (answer: SentAnswer, request: SentRequest, dice: Dice, player: Player) => SentAnswer;
  readonly request?: (request: SentRequest, dice: Dice, player: Player) => SentRequest;
}

function onWire(name: string, codes: readonly ErrorCode[], hand: Hand): Attack {
  return {
    ...{ name, victim: "any read", codes },
    begin(_scene, player, dice) {
      let hits = 0;
      const { traffic } = player.device;
      const seen = <S>(before: S, after: S): S => {
        if (after !== before) hits += 1;
        return after;
      };
      const interceptor: Interceptor = {
        request: (request) => seen(request, hand.request?.(request, dice, player) ?? request),
        answer: (answer, request) => seen(answer, hand.answer?.(answer, request, dice, player) ?? answer),
      };
      traffic.interceptor = interceptor;
      return { hits: () => hits, end: () => void (traffic.interceptor = null) };
    },
  };
}

const pathOf = ({ url }: SentRequest) => new URL(url).pathname;
/** Parts of what says how a message is signed, and what each could be said to be. */
const OTHERWISE: readonly (readonly [string, string])[] = [
  ['alg="hmac-sha256"', 'alg="none"'],
  ['alg="hmac-sha256"', 'alg="hmac-sha1"'],
  [';alg="hmac-sha256"', ""],
  [' "content-digest"', ""],
  ['"@status"', '"date"'],
  ["created=1", "created=9"],
  ['nonce="', 'nonce="1'],
  ["postern=", "sig1="],
];
const SIGNED_HEADERS = [HEADERS.digest, HEADERS.input, HEADERS.signature];

export const WIRE_ATTACKS: readonly Attack[] = [
  onWire("a bit of an answer is changed on the way", ["tampered", "malformed", "unauthorized", "unsupported"], {
    answer: (answer, request, dice) =>
      answer.body.length === 0 || pathOf(request).endsWith("/challenge") || pathOf(request).endsWith("/statement")
        ? answer
        : { ...answer, body: flipped(answer.body, dice) },
  }),
  onWire("an answer's signature is taken off or changed", ["tampered", "unauthorized", "network"], {
    answer: (answer, _request, dice) => {
      const name = dice.of(SIGNED_HEADERS) ?? HEADERS.signature;
      return answer.headers.has(name) ? withHeader(answer, name, dice.once(2) ? null : "sig1=:AAAA:") : answer;
    },
  }),
  onWire("an answer is said to be signed otherwise", ["tampered", "unauthorized", "network"], {
    answer: (answer, _request, dice) => {
      const input = answer.headers.get(HEADERS.input);
      const [from, to] = dice.of(OTHERWISE) ?? ["", ""];
      return input === null || !input.includes(from)
        ? answer
        : withHeader(answer, HEADERS.input, input.replace(from, to));
    },
  }),
  onWire("a request is said to be signed otherwise", ["unauthorized", "tampered", "network"], {
    request: (request, dice) => {
      const input = request.headers.get(HEADERS.input);
      const [from, to] = dice.of(OTHERWISE) ?? ["", ""];
      if (input === null || !input.includes(from)) return request;
      return withHeader(request, HEADERS.input, input.replace(from, to));
    },
  }),
  onWire("an earlier answer is given again", ["tampered", "unauthorized"], {
    answer: (answer, request, dice, player) => {
      const { exchanges } = player.device.traffic;
      const past = dice.of(
        exchanges.filter((one) =>
          pathOf(one.request) === pathOf(request) && one.answer.headers.has(HEADERS.signature) &&
          one.answer.body.length <= LIMITS.maxBodyBytes
        ),
      );
      return past === undefined || !answer.headers.has(HEADERS.signature) ? answer : past.answer;
    },
  }),
  onWire("an answer is garbage", ["network", "malformed", "tampered", "unauthorized"], {
    answer: (answer, _request, dice) => ({
      ...{ status: dice.of([200, 200, 401, 500]) ?? 200, headers: new Headers(answer.headers) },
      body: webCryptoRandom(1 + dice.below(300)),
    }),
  }),
  onWire("an answer does not end", ["too_large"], {
    answer: (answer) => ({ ...answer, body: new Uint8Array(1_100_000) }),
  }),
  onWire("another status is shown", ["tampered", "network", "unauthorized"], {
    answer: (answer, _request, dice) => ({ ...answer, status: dice.of([201, 204, 400, 404, 503]) ?? 400 }),
  }),
  onWire("a request is turned to another list", ["unauthorized", "tampered", "network"], {
    request: (request, dice) => {
      const url = new URL(request.url);
      const token = url.searchParams.get("token");
      if (token === null) return request;
      const digit = dice.below(token.length);
      const other = token[digit] === "0" ? "1" : "0";
      url.searchParams.set("token", token.slice(0, digit) + other + token.slice(digit + 1));
      return { ...request, url: url.href };
    },
  }),
];
