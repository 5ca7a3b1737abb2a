/** The native package. Only `embedded.ts` imports this, when a file is opened: loading it fails on a machine without its build. */
// @ts-types="./native.d.ts"
import Native from "libsql";

export { Native };
