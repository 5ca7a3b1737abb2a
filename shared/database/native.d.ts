/** The part of libSQL's native package that is used; its own types lack half of it and bring all of Node's with them. */
import type { NativeDatabase } from "./connection.ts";

declare const Native: new (path: string, options: { timeout: number; encryptionKey?: string }) => NativeDatabase;
export default Native;
