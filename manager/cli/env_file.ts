/** Files of settings for an edge, as systemd's EnvironmentFile, Docker and shells read them: NAME=value, one a line. Pure. */
import { PosternError } from "../../shared/errors.ts";

/** Writes settings whose values need no quoting; that is so for all of an edge's. @throws `usage` for any other value */
export function writeEnvFile(settings: Readonly<Record<string, string>>, comment: string): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    if (/^[\w./:,@%+=?&~[\]-]*$/.test(value)) return `${name}=${value}`;
    throw new PosternError("usage", `The value of ${name} holds characters that an environment file does not take`);
  });
  return `# ${comment}\n${lines.join("\n")}\n`;
}

/** Reads such a file: comments and empty lines are passed over, one pair of quotes around a value is taken off. @throws `malformed` */
export function readEnvFile(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new PosternError("malformed", `Line ${index + 1} of the settings is not NAME=value`);
    settings[name] = value.trim().replace(/^(["'])(.*)\1$/, "$2");
  }
  return settings;
}
