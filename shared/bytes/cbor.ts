/**
 * Deterministic CBOR (RFC 8949 section 4.2.1), restricted to Postern's data model: null, booleans, integers that a
 * JavaScript number holds exactly, byte strings, UTF-8 texts, arrays, and maps with text keys. Every value has exactly one
 * encoding, so what is signed, MACed or hashed can be compared as bytes.
 */
export { type Allocate, bytesHead, type CborInput, type CborInputMap, encodeCbor } from "./cbor_encode.ts";
export { type CborMap, type CborValue, decodeCbor, type DecodeOptions, uintAt } from "./cbor_decode.ts";
