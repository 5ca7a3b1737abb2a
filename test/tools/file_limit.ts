/**
 * A limit on the size of files that this process writes (setrlimit(2), RLIMIT_FSIZE): the bytes before it are written, and the next write
 * fails with EFBIG, wherever a page or a block ends. It is of the whole process: for programs that a test starts. Linux with glibc.
 */
const RLIMIT_FSIZE = 1;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;

const libc = Deno.dlopen("libc.so.6", { setrlimit: { parameters: ["i32", "buffer"], result: "i32" } });
// Else a write beyond the limit ends the process.
Deno.addSignalListener("SIGXFSZ", () => {});

/** @param bytes null for no limit */
export function limitFiles(bytes: number | null): void {
  const pair = BigUint64Array.of(bytes === null ? UNLIMITED : BigInt(bytes), UNLIMITED);
  if (libc.symbols.setrlimit(RLIMIT_FSIZE, pair) !== 0) throw new Error("setrlimit failed");
}
