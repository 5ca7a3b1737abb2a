/**
 * Opening a release as an instance, warm, in a process of its own.
 *
 *   deno run -A bench/manifest/measure.ts FILES SAMPLES     prints an OpeningFigures for each case
 */
import { verifyDetached } from "../../shared/cms/verify.ts";
import { openManifest } from "../../shared/manifest/open_manifest.ts";
import { createInstance, type WrapKind, WRAPS } from "../fixtures/instance.ts";
import { createPublisher, KEY_KINDS, type KeyKind } from "../fixtures/publisher.ts";
import { PRODUCT, releaseOf } from "../fixtures/release.ts";
import { median } from "../harness/stats.ts";
import { STEPS, type StepTimes, timeSteps } from "./steps.ts";

/** One kind of signature with one kind of wrap. */
export interface OpeningFigures {
  readonly keys: KeyKind;
  readonly wrap: WrapKind;
  readonly envelopeBytes: number;
  readonly signatureBytes: number;
  /** Medians, milliseconds, of all of it as it is called: without and with a revocation list. */
  readonly millis: number;
  readonly millisWithList: number;
  /** Medians of each step, with a revocation list. */
  readonly steps: StepTimes;
}

/** Every kind of key with the default wrap, every wrap with the default keys. */
export const CASES: readonly (readonly [KeyKind, WrapKind])[] = [
  ...WRAPS.map((wrap) => ["Ed25519", wrap] as const),
  ...KEY_KINDS.slice(1).map((keys) => [keys, WRAPS[0]] as const),
];

/** @param samples openings of each kind that count, after as many that do not: V8 compiles what runs often */
export async function measureOpening(
  [keys, wrap]: readonly [KeyKind, WrapKind],
  files: number,
  samples: number,
): Promise<OpeningFigures> {
  const [publisher, instance] = await Promise.all([createPublisher(keys), createInstance()]);
  const content = await instance.encrypt(releaseOf(files), wrap);
  const signature = await publisher.sign(content);
  const policy = { product: PRODUCT, allowsSchema1: true, installed: "1.1.0", floor: "1.1.0" };
  const now = Date.now();
  const trust = { roots: [publisher.root], now };
  const withList = { ...trust, crls: [publisher.crl], requireCrl: true };
  const timeOf = async (by: typeof trust): Promise<number> => {
    const began = performance.now();
    await openManifest({ content, signature }, {
      ...{ keys: instance.keys, policy, now, verify: (bytes, file) => verifyDetached(bytes, file, by) },
    });
    return performance.now() - began;
  };
  const turns: { plain: number; listed: number; steps: StepTimes }[] = [];
  for (let turn = 0; turn < 2 * samples; turn++) {
    const steps = await timeSteps({ content, signature }, withList, instance.keys, policy);
    turns.push({ plain: await timeOf(trust), listed: await timeOf(withList), steps });
  }
  const counted = turns.slice(samples);
  const steps = STEPS.map((step) => [step, median(counted.map((turn) => turn.steps[step]))]);
  return {
    ...{ keys, wrap, envelopeBytes: content.length, signatureBytes: signature.length },
    millis: median(counted.map(({ plain }) => plain)),
    millisWithList: median(counted.map(({ listed }) => listed)),
    steps: Object.fromEntries(steps) as StepTimes,
  };
}

if (import.meta.main) {
  const [files = 100, samples = 300] = Deno.args.map(Number);
  const figures: OpeningFigures[] = [];
  for (const one of CASES) figures.push(await measureOpening(one, files, samples));
  console.log(JSON.stringify(figures));
}
