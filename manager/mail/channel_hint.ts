/** Folder names of mail programs as names of channels. */
import { utf8 } from "../../shared/bytes/bytes.ts";
import { LIMITS } from "../../shared/limits.ts";

/** A run of modified base64 in modified UTF-7 (RFC 3501 section 5.1.3); "&-" stands for "&". */
const ENCODED_RUN = /&([A-Za-z0-9+,]*)-/g;

/**
 * Joins the levels of a folder into the name of a channel: NFC, `/` between levels.
 *
 * @returns undefined for no level at all, and where the name would not be a valid one (spec: ROW-02) or holds control
 * characters; then the importer's own choice of channel is the better one
 */
export function channelHint(levels: readonly string[]): string | undefined {
  const name = levels.join("/").normalize("NFC");
  if (name === "" || utf8(name).length > LIMITS.maxChannelBytes) return undefined;
  return /\p{Cc}|\p{Cs}/u.test(name) ? undefined : name;
}

/** The levels of a Maildir++ folder, for example `.Work.Projects`. */
export function maildirLevels(folderName: string): string[] {
  return folderName.replace(/^\./, "").split(".").filter((level) => level !== "").map(decodeModifiedUtf7);
}

/**
 * A folder name as IMAP servers write it to disk. What is not modified UTF-7 through and through stays as it is, because newer
 * servers write UTF-8, where "R&D" is just that.
 */
export function decodeModifiedUtf7(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name)) return name;
  if (name.replace(ENCODED_RUN, "").includes("&")) return name;
  const decoded = name.replace(ENCODED_RUN, (_run, text: string) => text === "" ? "&" : decodeRun(text));
  return encodeModifiedUtf7(decoded) === name ? decoded : name;
}

function decodeRun(text: string): string {
  const bits = text.replaceAll(",", "/");
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(bits);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return "";
  }
  return new TextDecoder("utf-16be").decode(bytes);
}

/** The one spelling of a name, to compare with. */
function encodeModifiedUtf7(name: string): string {
  return name.replaceAll("&", "&-").replace(/[^\x20-\x7e]+/g, (run) => {
    const bytes = new Uint8Array(2 * run.length);
    for (let i = 0; i < run.length; i++) bytes.set([run.charCodeAt(i) >> 8, run.charCodeAt(i) & 255], 2 * i);
    return `&${bytes.toBase64({ omitPadding: true }).replaceAll("/", ",")}-`;
  });
}
