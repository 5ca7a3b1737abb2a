/** Copies what belongs into a release, with the modes that it has there. */
import { dirname, join } from "node:path";

/** Of packages: what is for compilers and debuggers, and what a machine has compiled. */
const LEFT_OUT = /\.(?:map|d\.ts|d\.mts|d\.cts|tsbuildinfo)$/;
const COMPILED = "build";

/** The files of one package, without those that no program needs, and without the packages inside of it. */
export async function copyPackage(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (name === "node_modules" || name === COMPILED && await exists(join(from, "binding.gyp"))) continue;
    if (isDirectory) await copyPackage(join(from, name), join(to, name));
    else if (isFile && !LEFT_OUT.test(name)) await copyFile(join(from, name), join(to, name), 0o644);
  }
}

export async function copyFile(from: string, to: string, mode: number): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
  await Deno.chmod(to, mode);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
