/** The machine's Python with the packages of the Python client (Debian: python3-cryptography, python3-cbor2). */

const CANDIDATES = ["/usr/bin/python3", "python3"];

/** The first Python that has the packages; null where none does. */
export function pythonPath(): string | null {
  return CANDIDATES.find(hasPackages) ?? null;
}

function hasPackages(python: string): boolean {
  try {
    const args = ["-c", "import cbor2, cryptography"];
    return new Deno.Command(python, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
