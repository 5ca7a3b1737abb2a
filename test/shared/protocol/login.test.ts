import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { concat, equalBytes } from "../../../shared/bytes/bytes.ts";
import { encodeCbor } from "../../../shared/bytes/cbor.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../../shared/crypto/hkdf.ts";
import { deriveX25519, generateX25519 } from "../../../shared/crypto/x25519.ts";
import { type LoginTranscript, loginTranscript, sessionKeys } from "../../../shared/protocol/login.ts";
import { filled } from "./epoch.ts";

const transcript: LoginTranscript = {
  owner: filled(32, 1),
  origin: "https://edge.test/base",
  edgeKey: filled(32, 2),
  challenge: filled(64, 3),
  ephemeral: filled(32, 4),
  device: filled(16, 5),
  statement: null,
};

Deno.test("loginTranscript() binds everything that both sides must agree on, SESS-02", () => {
  const bytes = loginTranscript(transcript);
  const { owner, origin, edgeKey, challenge, ephemeral, device } = transcript;
  assertEquals(
    bytes,
    encodeCbor(["postern/1/login", 1, owner, origin, edgeKey, challenge, ephemeral, device, null]),
  );
  const others: Partial<LoginTranscript>[] = [
    { owner: filled(32, 9) },
    { origin: "https://edge.test" },
    { edgeKey: filled(32, 9) },
    { challenge: filled(64, 9) },
    { ephemeral: filled(32, 9) },
    { device: filled(16, 9) },
    { statement: filled(32, 9) },
  ];
  for (const other of others) assert(!equalBytes(loginTranscript({ ...transcript, ...other }), bytes));
});

Deno.test("sessionKeys() derives as the page says, one key for each direction", () => {
  const bytes = loginTranscript(transcript);
  const [edgeEphemeral, withEphemeral, withStatic] = [filled(32, 6), filled(32, 7), filled(32, 8)];
  const salt = sha256(encodeCbor(["postern/1/login-salt", bytes, edgeEphemeral]));
  const prk = hkdfExtract(salt, concat(withEphemeral, withStatic));
  const { c2s, s2c } = sessionKeys(bytes, edgeEphemeral, withEphemeral, withStatic);
  assertEquals<Uint8Array>(c2s, hkdfExpand(prk, encodeCbor(["postern/1/session-key", "c2s"]), 32));
  assertEquals<Uint8Array>(s2c, hkdfExpand(prk, encodeCbor(["postern/1/session-key", "s2c"]), 32));
  assert(!equalBytes(c2s, s2c));
});

Deno.test("both sides derive the same keys, and whoever lacks the edge's own key does not", async () => {
  const [client, ephemeral, edge, stranger] = await Promise.all(Array.from({ length: 4 }, generateX25519));
  assert(client && ephemeral && edge && stranger);
  const bytes = loginTranscript({ ...transcript, edgeKey: edge.publicKey, ephemeral: client.publicKey });
  const own = sessionKeys(
    bytes,
    ephemeral.publicKey,
    await deriveX25519(client.privateKey, ephemeral.publicKey),
    await deriveX25519(client.privateKey, edge.publicKey),
  );
  const theirs = (holder: typeof edge) =>
    Promise.all([
      deriveX25519(ephemeral.privateKey, client.publicKey),
      deriveX25519(holder.privateKey, client.publicKey),
    ]).then(([first, second]) => sessionKeys(bytes, ephemeral.publicKey, first, second));
  assertEquals(await theirs(edge), own);
  assert(!equalBytes((await theirs(stranger)).s2c, own.s2c));
});

Deno.test("a key of small order is refused, SESS-05", async () => {
  const { privateKey } = await generateX25519();
  await assertRejects(() => deriveX25519(privateKey, filled(32, 0)), "tampered");
  await assertRejects(
    () => deriveX25519(privateKey, Uint8Array.from({ length: 32 }, (_, i) => i === 0 ? 1 : 0)),
    "tampered",
  );
});
