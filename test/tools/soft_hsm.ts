/** A SoftHSM token of its own for a test, in a temporary folder. */
import { Redacted } from "../../shared/crypto/redacted.ts";
import { type TokenPlace } from "../../manager/keys/pkcs11/session.ts";

/** Where Debian's package puts the library. */
export const SOFTHSM_LIBRARY = "/usr/lib/softhsm/libsofthsm2.so";

export const PIN = "493817";

export interface SoftHsm extends Disposable {
  readonly place: TokenPlace;
  readonly pin: Redacted<string>;
  /** For processes: `SOFTHSM2_CONF`. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** Makes a token; this process's library finds it too, until the end of the test. */
export async function softHsm(token = "postern test"): Promise<SoftHsm> {
  const folder = await Deno.makeTempDir({ prefix: "postern-softhsm-" });
  const conf = `${folder}/softhsm2.conf`;
  await Deno.mkdir(`${folder}/tokens`);
  await Deno.writeTextFile(conf, `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: conf };
  const before = Deno.env.get("SOFTHSM2_CONF");
  Deno.env.set("SOFTHSM2_CONF", conf);
  const args = ["--init-token", "--free", "--label", token, "--so-pin", "73910264", "--pin", PIN];
  const { success, stderr } = await new Deno.Command("softhsm2-util", { args, env }).output();
  if (!success) throw new Error(`softhsm2-util: ${new TextDecoder().decode(stderr)}`);
  return {
    place: { library: SOFTHSM_LIBRARY, token },
    pin: new Redacted(PIN),
    env,
    folder,
    [Symbol.dispose]() {
      if (before === undefined) Deno.env.delete("SOFTHSM2_CONF");
      else Deno.env.set("SOFTHSM2_CONF", before);
      Deno.removeSync(folder, { recursive: true });
    },
  };
}
