/** The form of the worked examples: JSON that a reader in any language takes apart without knowing ours. */
import { toHex } from "../../shared/bytes/encoding.ts";

/** What stands in an example; bytes become lower-case hexadecimal. */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[] | {
  readonly [name: string]: Value;
};

/** One step of an example: what goes in and what comes out. */
export interface Step {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/** The example of one page. */
export interface Example {
  /** Page of shared/spec that it belongs to. */
  readonly page: string;
  readonly about: string;
  readonly steps: readonly Step[];
}

/** The bytes of the file. */
export function writeExample({ page, about, steps }: Example): string {
  return `${JSON.stringify({ page, about, steps: steps.map(plain) }, null, 2)}\n`;
}

function plain(value: Value | Step): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one as Value)]));
}
