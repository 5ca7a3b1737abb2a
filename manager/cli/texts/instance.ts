/** How the instance is shown. Pure. */
import { toHex } from "../../../shared/bytes/encoding.ts";
import { sha256 } from "../../../shared/crypto/hash.ts";
import type { Instance } from "../../instance/instance.ts";
import type { StoredRegistration } from "../../instance/repository.ts";
import { count, pairs } from "../../text/layout.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Output } from "../output.ts";

export function presentInstance(
  { id, mdks, current }: Instance,
  registrations: readonly StoredRegistration[],
): Output {
  const revoked = mdks.filter((mdk) => mdk.revoked !== null).length;
  return {
    json: {
      instance: toHex(id),
      mdk: { version: current.version, versions: mdks.length, revoked, publicKeySha256: toHex(sha256(current.xwing)) },
      registrations: registrations.map((one) => ({
        ...{ product: one.product, rootSha256: toHex(sha256(one.root)), mdkVersion: one.mdkVersion },
        ...{ registered: isoOrNull(one.registered), hasMemberKeys: one.cover !== null },
        sharedKeys: one.sharedKeys.map(({ keyId, keyVersion }) => ({ keyId, keyVersion })),
      })),
    },
    text: [
      pairs([
        ["instance", toHex(id)],
        ["mdk", `version ${current.version} of ${count(mdks.length, "version")}, ${revoked} revoked`],
      ]),
      ...registrations.map((one) => `\n${presentRegistration(one, current.version)}`),
      ...(registrations.length === 0 ? ["\nNot registered anywhere yet: postern instance request"] : []),
    ].join("\n"),
  };
}

function presentRegistration(one: StoredRegistration, currentVersion: number): string {
  const behind = one.mdkVersion === currentVersion ? "" : `, newest is ${currentVersion}: hand in a new request`;
  return pairs([
    ["product", one.product],
    ["root", toHex(sha256(one.root))],
    ["registered", `${moment(one.registered)}, with MDK version ${one.mdkVersion}${behind}`],
    ["member keys", one.cover === null ? "none" : "there"],
    ["shared keys", one.sharedKeys.map(({ keyId, keyVersion }) => `${keyId} ${keyVersion}`).join(", ") || null],
  ]);
}
