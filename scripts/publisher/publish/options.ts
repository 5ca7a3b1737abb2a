/** What `publish_release` is told on its command line. */
import { type Command, InvalidArgumentError } from "commander";
import { signerOptions } from "../sign_manifest.ts";
import type { SignerOptions } from "../signer.ts";

export interface PublishOptions extends SignerOptions {
  readonly to?: string;
  readonly github?: string;
  readonly githubApi: string;
  readonly root: readonly string[];
  readonly newRoot?: string;
  readonly product: string;
  readonly releaseDir?: string;
  readonly manifest: string;
  readonly envelope?: string;
  readonly signature?: string;
  readonly release?: string;
  readonly rollout?: number;
  readonly revoke?: readonly string[];
  readonly floor?: string;
  readonly expires: string;
  readonly crl?: readonly string[];
  readonly replace?: boolean;
  readonly public?: boolean;
  readonly anew?: number | true;
  readonly json?: boolean;
}

const HELP = `
With --release-dir and --envelope it publishes a release, without them it renews the index alone: do that before it expires.
  publish_release.ts --to /srv/releases --root root.pem --cert release_cert.pem --key release_key.pem --crl root.crl \\
    --release-dir build/release --manifest manifest.json --envelope encrypted_manifest.json --rollout 25 --anew
Later, to widen the roll-out, or to take a release back:
  publish_release.ts --to /srv/releases --root root.pem --cert release_cert.pem --key release_key.pem --release 1.2.0 --rollout 100
  publish_release.ts --to /srv/releases --root root.pem --cert release_cert.pem --key release_key.pem --revoke 1.2.0
Files go first, the index last, and what is there already is not sent again: after a failure, run the same command once more.
--anew begins an index with nothing in it: the first one, or in the place of one that is not yours; name the number of the last one if it
was lost. A directory is locked while it is published to. GitHub cannot be: let one publisher at a time write there.`;

/** The options of `publish_release`. */
export function publishOptions(program: Command): Command {
  return signerOptions(
    program.description("Publishes a release with its envelope and signature, and a renewed signed index.")
      .option("--to <dir>", "the root of a web server, or any directory")
      .option("--github <owner/name>", "a GitHub repository; the token is in GITHUB_TOKEN")
      .option("--github-api <url>", "another server than GitHub's own", "https://api.github.com")
      .requiredOption("--root <pem...>", "the root that instances pin")
      .option("--new-root <pem>", "the root that they are to follow to; its word is in the signer's chain")
      .option("--product <name>", "what is released", "postern")
      .option("--release-dir <dir>", "folder with the files of the release")
      .option("--manifest <file>", "its manifest, as generate_manifest makes it", "manifest.json")
      .option("--envelope <file>", "its encrypted manifest")
      .option("--signature <file>", "the signature over that (ENVELOPE.sig)")
      .option("--release <version>", "which release --rollout is about, when none is published")
      .option("--rollout <percent>", "how many of the instances take it now (all)", readPercent)
      .option("--revoke <version...>", "releases that are not to be installed any more")
      .option("--floor <version>", "no version below is to be installed from now on")
      .option("--expires <when>", "until when the index is to be believed: days (30d), or a date", "30d")
      .option("--crl <pem...>", "revocation lists to publish")
      .option("--replace", "put another envelope in the place of one that was published for this version")
      .option("--public", "lay the manifest itself beside the envelope, for everybody to read")
      .option("--anew [number]", "begin an index; name the number of the last one if it was lost", readNumber),
  ).addHelpText("after", HELP);
}

function readPercent(text: string): number {
  const percent = /^\d{1,3}$/.test(text) ? Number(text) : 101;
  if (percent <= 100) return percent;
  throw new InvalidArgumentError("It must be a number from 0 to 100.");
}

function readNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number from 1.");
}
