/** A folder to run the OpenSSL command line in, with arguments that may hold spaces. */

export interface Outcome {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export class OpensslFolder implements AsyncDisposable {
  readonly path: string;

  // Made by `make`, which waits for the folder.
  protected constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<OpensslFolder> {
    return new OpensslFolder(await Deno.makeTempDir({ prefix: "postern-openssl-" }));
  }

  /** Runs and expects success; returns what it printed. */
  async run(...args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await this.try(...args);
    if (!success) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async try(...args: readonly string[]): Promise<Outcome> {
    const command = new Deno.Command("openssl", { args: [...args], cwd: this.path, stdin: "null" });
    const { success, stdout, stderr } = await command.output();
    return { success, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  async write(name: string, content: Uint8Array | string): Promise<void> {
    if (typeof content === "string") await Deno.writeTextFile(`${this.path}/${name}`, content);
    else await Deno.writeFile(`${this.path}/${name}`, content);
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await Deno.readFile(`${this.path}/${name}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
