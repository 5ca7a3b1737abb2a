/** Chooses a source of releases by its configuration. */
import type { SourceConfig } from "./config.ts";
import { folderSource } from "./folder_source.ts";
import { type Fetch, httpSource } from "./http_source.ts";
import type { ReleaseSource } from "./source.ts";

/** A folder of this machine, a web server, or the releases of a repository on GitHub. */
export function openSource(config: SourceConfig, fetch: Fetch): ReleaseSource {
  return config.kind === "folder" ? folderSource(config.path) : httpSource(config, fetch);
}
