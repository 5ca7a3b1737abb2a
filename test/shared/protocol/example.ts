/** Reads a worked example of the specification as a stranger would: what is not of the expected kind fails the test. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { fromHex } from "../../../shared/bytes/encoding.ts";
import { VECTORS_FOLDER } from "../../../scripts/make_vectors.ts";
import { PROJECT_ROOT } from "../../../scripts/files.ts";

/** The inputs or outputs of one step. */
export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** A text, among them every hexadecimal one. */
  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw new Error(`${name} is no text: ${JSON.stringify(value)}`);
    return value;
  }

  bytes(name: string): Bytes {
    return fromHex(this.text(name));
  }

  number(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== "number") throw new Error(`${name} is no number: ${JSON.stringify(value)}`);
    return value;
  }

  numbers(name: string): readonly number[] {
    const value = this.#fields[name];
    const isNumbers = Array.isArray(value) && value.every((one) => typeof one === "number");
    if (!isNumbers) throw new Error(`${name} is no list of numbers`);
    return value as number[];
  }

  texts(name: string): readonly string[] {
    const value = this.#fields[name];
    const isTexts = Array.isArray(value) && value.every((one) => typeof one === "string");
    if (!isTexts) throw new Error(`${name} is no list of texts`);
    return value as string[];
  }

  lists(name: string): readonly (readonly string[])[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw new Error(`${name} is no list`);
    return value.map((texts: unknown) => new Fields({ texts }).texts("texts"));
  }

  list(name: string): readonly Fields[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw new Error(`${name} is no list`);
    return value.map((one: Record<string, unknown>) => new Fields(one));
  }
}

export interface ReadStep {
  readonly name: string;
  readonly inputs: Fields;
  readonly outputs: Fields;
}

/** All steps of an example. Throws when there are none, or when the file has another form. */
export function readExample(name: string): readonly ReadStep[] {
  const text = Deno.readTextFileSync(`${PROJECT_ROOT}/${VECTORS_FOLDER}/${name}.json`);
  const { page, about, steps, ...rest } = JSON.parse(text) as Record<string, unknown>;
  const isWhole = typeof page === "string" && typeof about === "string" && Array.isArray(steps) && steps.length > 0;
  if (!isWhole || Object.keys(rest).length > 0) throw new Error(`${name}.json is of another form`);
  return steps.map((step: Record<string, unknown>) => {
    const { name: title, inputs, outputs, ...more } = step;
    if (typeof title !== "string" || Object.keys(more).length > 0) {
      throw new Error(`${name}.json has a step of another form`);
    }
    return { name: title, inputs: fieldsOf(inputs), outputs: fieldsOf(outputs) };
  });
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new Error("a step without inputs or outputs");
  return new Fields(value as Record<string, unknown>);
}

/** One step by its name. */
export function readStep(example: string, name: string): ReadStep {
  const found = readExample(example).find((step) => step.name === name);
  if (found === undefined) throw new Error(`${example}.json has no step ${name}`);
  return found;
}
