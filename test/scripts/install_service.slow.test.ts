/** Installs for real, which fetches the packages anew. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("install_service puts a program into another root that runs there by itself", async () => {
  const root = await Deno.makeTempDir({ prefix: "postern-install-" });
  try {
    const script = join(PROJECT_ROOT, "scripts/install_service.ts");
    const installed = await new Deno.Command(Deno.execPath(), { args: ["run", "--allow-all", script, "--root", root] })
      .output();
    assert(installed.success, new TextDecoder().decode(installed.stderr));
    const app = join(root, "opt/postern/app");
    for (const unneeded of ["edge", "test", "scripts", "node_modules/wrangler", "node_modules/playwright-core"]) {
      assertEquals(await Deno.lstat(join(app, unneeded)).then(() => true, () => false), false, unneeded);
    }
    const ran = await new Deno.Command(join(root, "opt/postern/bin/deno"), {
      args: [
        "run",
        "--allow-all",
        "--cached-only",
        "--quiet",
        join(app, "manager/cli/main.ts"),
        "edge",
        "keygen",
        "--json",
      ],
      env: { DENO_DIR: join(root, "opt/postern/cache") },
      cwd: root,
    }).output();
    assert(ran.success, new TextDecoder().decode(ran.stderr));
    assert(JSON.parse(new TextDecoder().decode(ran.stdout)).publicKey.startsWith("postern-edge:"));
    for (const name of ["postern.service", "postern-sync.service", "postern-sync.timer"]) {
      assert((await Deno.readTextFile(join(root, "etc/systemd/system", name))).includes("[Unit]"));
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
