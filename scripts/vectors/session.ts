/** Example of session.md: a login, a signed request, and the answer to it. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { deriveX25519, importX25519 } from "../../shared/crypto/x25519.ts";
import {
  contentDigest,
  signAnswer,
  type SignatureHeaders,
  signatureValue,
  signRequest,
} from "../../shared/protocol/http_signature.ts";
import { loginTranscript, type SessionKeys, sessionKeys } from "../../shared/protocol/login.ts";
import { pathOf, queryOf } from "../../shared/protocol/paths.ts";
import { seeded } from "./fixed.ts";
import { type Household, TIME } from "./household.ts";
import type { Example, Step } from "./vector.ts";

const TOKEN = "an-opaque-token-of-the-edge";
const CREATED = TIME / 1_000;

export async function sessionExample(household: Household): Promise<Example> {
  const { owner, edge, edgeSecret, device } = household;
  const random = seeded("postern example session");
  const [clientSecret, ephemeralSecret, challenge] = [random(32), random(32), random(64)];
  const client = await importX25519(clientSecret);
  const ephemeral = await importX25519(ephemeralSecret);
  const transcript = loginTranscript({
    ...{ owner, origin: edge.origin, edgeKey: edge.key, challenge, ephemeral: client.publicKey, device: device.id },
    statement: null,
  });
  const withEphemeral = await deriveX25519(client.privateKey, ephemeral.publicKey);
  const withStatic = await deriveX25519(client.privateKey, edge.key);
  const keys = sessionKeys(transcript, ephemeral.publicKey, withEphemeral, withStatic);
  return {
    page: "session.md",
    about: "A device logs in and reads the head. The answers' bodies are short texts, to keep the example short.",
    steps: [
      {
        name: "login",
        inputs: {
          ...{ owner, origin: edge.origin, edgeSecret, edgeKey: edge.key, challenge, deviceId: device.id },
          ...{ deviceSeed: device.key.seed, clientSecret, ephemeral: client.publicKey },
          ...{ edgeEphemeralSecret: ephemeralSecret, edgeEphemeral: ephemeral.publicKey },
        },
        outputs: {
          ...{ transcript, signature: await device.key.sign(transcript), withEphemeral, withStatic },
          ...{ c2s: keys.c2s, s2c: keys.s2c },
        },
      },
      ...messages(household, keys),
    ],
  };
}

function messages({ owner, edge }: Household, { c2s, s2c }: SessionKeys): Step[] {
  const body = (text: string) => encodeCbor(text);
  const login = body("answer to the login");
  const path = new URL(edge.origin).pathname + pathOf("head", { owner });
  const request = {
    method: "GET",
    path,
    query: queryOf({ seen: 1 }),
    digest: contentDigest(utf8("")),
    session: TOKEN,
  };
  const asked = signRequest(c2s, request, { created: CREATED, number: 1 });
  const bound = signatureValue(asked.signature);
  const answer = body("the head");
  const loginParts = { status: 200, digest: contentDigest(login), request: null };
  const answerParts = { status: 200, digest: contentDigest(answer), request: bound };
  return [
    {
      name: "answer to the login",
      inputs: { status: 200, body: login, created: CREATED },
      outputs: headersOf(signAnswer(s2c, loginParts, { created: CREATED, number: 0 }), loginParts.digest),
    },
    {
      name: "request 1",
      inputs: { ...request, created: CREATED, number: 1 },
      outputs: headersOf(asked, request.digest),
    },
    {
      name: "answer to request 1",
      inputs: { status: 200, body: answer, created: CREATED, request: bound },
      outputs: headersOf(signAnswer(s2c, answerParts, { created: CREATED, number: 1 }), answerParts.digest),
    },
  ];
}

function headersOf({ input, signature }: SignatureHeaders, digest: string) {
  return { "content-digest": digest, "signature-input": input, signature };
}
