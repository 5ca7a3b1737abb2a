/** What may import what. Pure: facts in, violations out; `check_layers.ts` reads the files. */
import type { Located } from "../facts/read.ts";

/** A broken rule, where it is broken, and what to do. */
export type Violation = { readonly path: string; readonly line: number; readonly message: string };

/** The top-level folders, and which others each may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: ["shared"],
  edge: ["edge", "shared"],
  manager: ["manager", "shared"],
  scripts: ["scripts", "manager", "edge", "shared"],
  bench: ["bench", "test", "scripts", "manager", "edge", "shared"],
  test: ["test", "bench", "scripts", "manager", "edge", "shared"],
};

/**
 * Within a folder, which of its folders each may use beside itself: formats and crypto at the bottom, what speaks the
 * protocol on top. Files right in it are for all; "" says what they may use. A folder that is not here may use any.
 */
const WITHIN: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "shared/": {
    "": [],
    bytes: [],
    der: ["bytes"],
    crypto: ["bytes", "der"],
    x509: ["bytes", "crypto", "der"],
    merkle: ["bytes", "crypto"],
    database: ["bytes"],
    cms: ["bytes", "crypto", "der", "x509"],
    cover: ["bytes", "crypto"],
    manifest: ["bytes", "cms", "cover", "crypto", "der", "protocol", "x509"],
    protocol: ["bytes", "crypto", "merkle", "x509"],
    client: ["bytes", "crypto", "merkle", "protocol", "x509"],
    stores: ["bytes", "client", "database", "protocol"],
  },
  "shared/client/": {
    memory: [],
    identity: ["memory"],
    session: [],
    verify: ["identity", "memory", "session"],
    read: ["memory", "session", "verify"],
    copy: ["memory", "read", "session", "verify"],
    submit: ["identity", "memory", "read", "session", "verify"],
  },
  "edge/store/": {
    push: [],
    read: [],
    inbox: ["read"],
    sweep: ["push"],
  },
  "manager/push/": {
    plan: [],
    trees: ["plan"],
    send: ["plan"],
    verify: ["plan"],
  },
};

/** Folders whose code is measured and tested, but never ships: they may look at anything. */
const OUTSIDE_PRODUCTION: readonly string[] = ["bench/", "test/"];

/** Code that must run on every runtime: no runtime's own modules and globals. Hosts are where a runtime begins. */
const RUNS_ANYWHERE: readonly { readonly inside: string; readonly except: readonly string[] }[] = [
  { inside: "shared/", except: [] },
  { inside: "edge/", except: ["edge/hosts/"] },
];

/** The one use of a runtime global in shared/: a synchronous hash is looked for and done without. */
const MAY_LOOK_FOR: Readonly<Record<string, readonly string[]>> = { "shared/crypto/native.ts": ["process"] };

/** Packages that belong to one place, outside of tests and benches. */
const CONFINED: readonly { readonly package: string; readonly to: readonly string[]; readonly lazy: boolean }[] = [
  { package: "libsql", to: ["shared/database/native.ts"], lazy: false },
  { package: "@peculiar/webcrypto", to: ["manager/"], lazy: true },
  { package: "@aws-sdk/client-kms", to: ["manager/"], lazy: true },
  { package: "pkcs11js", to: ["manager/"], lazy: true },
  { package: "@clack/prompts", to: ["manager/", "scripts/"], lazy: false },
  { package: "commander", to: ["manager/", "scripts/"], lazy: false },
  { package: "lean-qr", to: ["manager/"], lazy: false },
  { package: "fast-check", to: [], lazy: false },
  { package: "jsqr", to: [], lazy: false },
  { package: "playwright-core", to: [], lazy: false },
  { package: "wrangler", to: [], lazy: false },
];

/** All violations among the facts, each once a line. `packages` are the keys of deno.json's import map. */
export function findViolations(facts: readonly Located[], packages: readonly string[]): Violation[] {
  const violations = new Map<string, Violation>();
  for (const { path, line, ...fact } of facts) {
    for (const message of judge({ path, line, ...fact }, packages)) {
      violations.set(`${path}:${line}:${message}`, { path, line, message });
    }
  }
  return [...violations.values()];
}

function judge(fact: Located, packages: readonly string[]): string[] {
  switch (fact.kind) {
    case "import":
      return judgeImport(fact, packages);
    case "computed_import":
      return isProduction(fact.path)
        ? ["imports something computed: write the module's name out, so it can be checked"]
        : [];
    case "global":
      return judgeGlobal(fact);
    case "test_name":
      return [];
  }
}

function judgeImport(fact: Located & { kind: "import" }, packages: readonly string[]): string[] {
  const { specifier, path } = fact;
  if (/^\.{1,2}\//.test(specifier)) return judgeRelative(path, specifier);
  const scheme = /^([a-z]+):/.exec(specifier)?.[1];
  if (scheme === undefined) return judgePackage(fact, packages);
  if (scheme === "node" || scheme === "bun" || scheme === "cloudflare") {
    return mustRunAnywhere(path) ? [`imports ${specifier}, but must run anywhere: hand it in from an entry point`] : [];
  }
  return [`imports ${specifier}: list the package in deno.json, pinned, and import it by its name`];
}

function judgeRelative(path: string, specifier: string): string[] {
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
  const [from = "", to = ""] = [path, target].map((one) => one.split("/")[0]);
  const depth = specifier.split("/").filter((part) => part === "..").length;
  if (depth > path.split("/").length - 1) return [`imports ${specifier}, which is outside of the project`];
  if (MAY_IMPORT[from]?.includes(to)) return Object.keys(WITHIN).flatMap((folder) => judgeWithin(folder, path, target));
  return [`${from}/ imports ${target}, but may import only ${MAY_IMPORT[from]?.join("/, ") ?? "nothing"}/`];
}

function judgeWithin(folder: string, path: string, target: string): string[] {
  if (!path.startsWith(folder) || !target.startsWith(folder)) return [];
  const [from, to] = [folderIn(folder, path), folderIn(folder, target)];
  if (to === "" || to === from || (WITHIN[folder]?.[from]?.includes(to) ?? true)) return [];
  return [`${folder}${from} imports ${target}, which is above it: see the table in scripts/layers/rules.ts`];
}

/** `bytes` of `shared/bytes/cbor.ts` in `shared/`, nothing of `shared/errors.ts`. */
function folderIn(folder: string, path: string): string {
  return path.slice(folder.length).split("/").slice(0, -1)[0] ?? "";
}

function judgePackage(fact: Located & { kind: "import" }, packages: readonly string[]): string[] {
  const { specifier, path, how } = fact;
  const isListed = packages.some((key) =>
    specifier === key || specifier.startsWith(key.endsWith("/") ? key : `${key}/`)
  );
  if (!isListed) return [`imports ${specifier}, which is not in deno.json`];
  const rule = CONFINED.find((one) => specifier === one.package || specifier.startsWith(`${one.package}/`));
  if (rule === undefined || !isProduction(path)) return [];
  if (!startsWithAny(path, rule.to)) {
    return [`imports ${specifier}, which belongs to ${rule.to.join(", ") || "tests"} alone`];
  }
  if (rule.lazy && how === "static") return [`loads ${specifier} at once: load it with import() where it is needed`];
  return [];
}

function judgeGlobal(fact: Located & { kind: "global" }): string[] {
  if (!mustRunAnywhere(fact.path) || MAY_LOOK_FOR[fact.path]?.includes(fact.name)) return [];
  return [`uses ${fact.name}, but must run anywhere: hand it in from an entry point`];
}

function isProduction(path: string): boolean {
  return !startsWithAny(path, OUTSIDE_PRODUCTION);
}

function mustRunAnywhere(path: string): boolean {
  return RUNS_ANYWHERE.some((rule) => path.startsWith(rule.inside) && !startsWithAny(path, rule.except));
}

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix));
}
