/** The options of `postern update configure`, and what they make of a configuration. Pure. */
import { resolve } from "node:path";
import * as v from "valibot";
import { PosternError } from "../../shared/errors.ts";
import { parseDuration } from "../text/moments.ts";
import {
  DEFAULT_GITHUB,
  parseBase,
  parseRepository,
  parseWindow,
  type SourceConfig,
  type UpdateConfig,
} from "../update/config.ts";
import { wholeNumber } from "./read_text.ts";

export interface ConfigureOptions {
  readonly product?: string;
  readonly url?: string;
  readonly folder?: string;
  readonly github?: string;
  readonly githubUrl?: string;
  readonly crlFile?: string;
  readonly crl?: string;
  readonly allowPublic?: boolean;
  readonly allowSchema1?: boolean;
  readonly auto?: string;
  readonly window?: string;
  readonly critical?: string;
  readonly interval?: string;
  readonly cache?: string;
  readonly install?: string;
  readonly healthCheck?: string;
  readonly healthTimeout?: string;
  readonly keep?: string;
  readonly restart?: boolean;
}

const INTERVAL = { min: 60_000, max: 30 * 86_400_000 } as const;
const HEALTH = { min: 1_000, max: 3_600_000 } as const;
const KEEP = { min: 2, max: 100 } as const;
const CRITICAL = ["at-once", "in-window"] as const;
const AUTO = ["off", "check", "download", "apply"] as const;

/** Where releases lie, if an option says so; relative folders begin at `cwd`. @throws `usage` */
export function sourceOf({ url, folder, github, githubUrl }: ConfigureOptions, cwd: string): SourceConfig | null {
  if ([url, folder, github].filter((one) => one !== undefined).length > 1) {
    throw new PosternError("usage", "Releases come from one place: --url, --folder or --github");
  }
  if (githubUrl !== undefined && github === undefined) {
    throw new PosternError("usage", "--github-url goes with --github");
  }
  if (url !== undefined) return { kind: "http", url: parseBase(url, "--url") };
  if (folder !== undefined) return { kind: "folder", path: resolve(cwd, folder) };
  if (github === undefined) return null;
  const base = parseBase(githubUrl ?? DEFAULT_GITHUB, "--github-url");
  return { kind: "github", repository: parseRepository(github), base };
}

/** A configuration with what the options change. @throws `usage` */
export function configured(config: UpdateConfig, options: ConfigureOptions, cwd: string): UpdateConfig {
  const { crlFile, crl, auto, window, critical, interval, cache, install, healthCheck, healthTimeout, keep } = options;
  const path = (text: string | undefined, none: string, before: string | null) =>
    text === undefined ? before : text === none ? null : resolve(cwd, text);
  const changed: UpdateConfig = {
    ...config,
    source: sourceOf(options, cwd) ?? config.source,
    listsFile: path(crlFile, "none", config.listsFile),
    requiresLists: crl === undefined
      ? config.requiresLists
      : choice(crl, "--crl", ["required", "optional"]) === "required",
    allowsPublic: options.allowPublic ?? config.allowsPublic,
    allowsSchema1: options.allowSchema1 ?? config.allowsSchema1,
    auto: auto === undefined ? config.auto : choice(auto, "--auto", AUTO),
    window: window === undefined ? config.window : window === "always" ? null : parseWindow(window),
    criticalAtOnce: critical === undefined
      ? config.criticalAtOnce
      : choice(critical, "--critical", CRITICAL) === "at-once",
    intervalMillis: interval === undefined ? config.intervalMillis : parseDuration(interval, "--interval", INTERVAL),
    cache: path(cache, "own", config.cache),
    install: path(install, "none", config.install),
    health: healthCheck === undefined ? config.health : parseCommand(healthCheck),
    healthMillis: healthTimeout === undefined
      ? config.healthMillis
      : parseDuration(healthTimeout, "--health-timeout", HEALTH),
    keep: keep === undefined ? config.keep : wholeNumber(keep, "--keep", KEEP),
    restarts: options.restart ?? config.restarts,
  };
  if (changed.auto !== "apply" || changed.install !== null) return changed;
  throw new PosternError("usage", "--auto apply needs a folder to install to: --install DIR");
}

function choice<T extends string>(text: string, name: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === text);
  if (found !== undefined) return found;
  throw new PosternError("usage", `${name} takes ${choices.join(", ")}; found '${text}'`);
}

const list = v.array(v.string());

/** A command as words, or as a JSON list where they hold spaces; `none` for no check. @throws `usage` */
function parseCommand(text: string): string[] {
  if (text === "none") return [];
  if (!text.trimStart().startsWith("[")) return text.split(/\s+/).filter((word) => word !== "");
  try {
    return v.parse(list, JSON.parse(text));
  } catch (cause) {
    throw new PosternError("usage", `--health-check takes a command, or a JSON list of its words`, { cause });
  }
}
