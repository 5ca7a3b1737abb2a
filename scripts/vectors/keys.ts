/** Example of keys.md: everything that derives from a sym key; and of wrapping.md: how a device receives it. */
import { encodeCbor } from "../../shared/bytes/cbor.ts";
import { sha256 } from "../../shared/crypto/hash.ts";
import { hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { openHpke } from "../../shared/crypto/hpke.ts";
import { LABELS, PURPOSES } from "../../shared/protocol/labels.ts";
import { TABLE_NAMES, TABLES } from "../../shared/protocol/tables.ts";
import { RECOVERY_DEVICE, wrapInfo } from "../../shared/protocol/wrap.ts";
import { sealClassically, sealWith, seeded } from "./fixed.ts";
import type { Household } from "./household.ts";
import type { Example, Step } from "./vector.ts";

export function keysExample({ owner, incarnation, epoch, symKey }: Household): Example {
  const context = encodeCbor([LABELS.epoch, owner, incarnation, epoch]);
  const prk = hkdfExtract(sha256(context), symKey);
  const perTable = [PURPOSES.rowEncryption, PURPOSES.rowMac, PURPOSES.token];
  const keys = [
    ...TABLE_NAMES.flatMap((name) => perTable.map((purpose) => ({ purpose, table: TABLES[name] as number }))),
    ...[PURPOSES.head, PURPOSES.inboxCopy, PURPOSES.commitment].map((purpose) => ({ purpose, table: 0 })),
  ];
  return {
    page: "keys.md",
    about: "Everything that derives from the sym key of one epoch.",
    steps: [
      { name: "prk", inputs: { owner, incarnation, epoch, symKey }, outputs: { salt: sha256(context), prk } },
      ...keys.map(({ purpose, table }): Step => {
        const info = encodeCbor([LABELS.key, purpose, table]);
        return {
          name: `${purpose} ${table}`,
          inputs: { purpose, table },
          outputs: { info, key: hkdfExpand(prk, info, 32) },
        };
      }),
    ],
  };
}

export async function wrappingExample({ keys, device, recovery, recoverySeed, symKey }: Household): Promise<Example> {
  const recipients = [
    { name: "device", id: device.id, seed: device.kemSeed, key: device.kem },
    { name: "recovery key", id: RECOVERY_DEVICE, seed: recoverySeed, key: recovery },
  ];
  const random = seeded("postern example wrapping");
  const steps: Step[] = [];
  for (const { name, id, seed, key } of recipients) {
    const info = wrapInfo(keys, id, key.suite);
    const randomness = random(64);
    const sealed = await sealWith(randomness, key.publicKey, info, symKey);
    await openHpke(key.suite, key, info, sealed);
    steps.push({
      name: `sym key for the ${name}`,
      inputs: { suite: key.suite, deviceId: id, seed, publicKey: key.publicKey, randomness, symKey },
      outputs: { info, encapsulated: sealed.encapsulated, ciphertext: sealed.ciphertext },
    });
  }
  for (const suite of ["x25519", "p256", "p384", "p521"] as const) {
    const info = wrapInfo(keys, device.id, suite);
    const { privateKey, publicKey, ...sealed } = await sealClassically(suite, random, info, symKey);
    steps.push({
      name: `sym key for a device with suite ${suite}`,
      inputs: { suite, deviceId: device.id, privateKey, publicKey, symKey },
      outputs: { info, ...sealed },
    });
  }
  return {
    page: "wrapping.md",
    about:
      "The sym key wrapped with each suite of HPKE. randomness is what X-Wing draws: 32 bytes for ML-KEM, 32 for X25519.",
    steps,
  };
}
