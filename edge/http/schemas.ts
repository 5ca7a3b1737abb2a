/** The shapes of bodies as JSON Schema, for the OpenAPI document. CBOR has byte strings, JSON has not: those say so. */
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

/** The JSON Schema of a shape. @throws when the shape holds something that nobody has described yet */
export function schemaOf(shape: GenericSchema): Record<string, unknown> {
  const { $schema: _, ...schema } = toJsonSchema(shape, {
    target: "draft-2020-12",
    errorMode: "throw",
    overrideSchema: ({ valibotSchema }) => valibotSchema.type === "custom" ? byteString(valibotSchema) : undefined,
  });
  return schema;
}

/** Byte strings are the one custom kind of shape; their message says how long they are. */
function byteString(shape: object): JsonSchema {
  const message = "message" in shape ? String(shape.message) : "";
  const [, min, max = min] = /^must be ([0-9]+)(?: to ([0-9]+))? bytes$/.exec(message) ?? [];
  if (min === undefined || max === undefined) throw new TypeError(`A custom shape is no byte string: ${message}`);
  const length = min === max ? min : `(${min}..${max})`;
  return {
    type: "string",
    contentMediaType: "application/octet-stream",
    description: `CBOR byte string (major type 2), in CDDL: bstr .size ${length}`,
  };
}
