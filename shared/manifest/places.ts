/** Where the files of a release lie, below one folder of a web server or of a disk (spec: MAN-24). */

const SIGNATURE_SUFFIX = ".sig";

/** The index and its signature. */
export const INDEX_PLACE = "index.json";
export const INDEX_SIGNATURE_PLACE = `${INDEX_PLACE}${SIGNATURE_SUFFIX}`;

/** The publisher's revocation lists, in PEM or DER (spec: MAN-25). */
export const LISTS_PLACE = "release.crl";

/** The release of a GitHub repository whose assets are what lies beside the releases (shared/spec/manifest.md, "Where things lie"). */
export const GITHUB_INDEX_TAG = "index";

/** Names of the files of one release in its folder. */
export const ENVELOPE_NAME = "encrypted_manifest.json";
export const ENVELOPE_SIGNATURE_NAME = `${ENVELOPE_NAME}${SIGNATURE_SUFFIX}`;
export const PUBLIC_NAME = "manifest.json";
export const PUBLIC_SIGNATURE_NAME = `${PUBLIC_NAME}${SIGNATURE_SUFFIX}`;

/** The envelope of a release. @param tagName of a manifest or index that was parsed, whose form leaves no folder */
export function envelopePlace(tagName: string): string {
  return `${tagName}/${ENVELOPE_NAME}`;
}

export function envelopeSignaturePlace(tagName: string): string {
  return `${tagName}/${ENVELOPE_SIGNATURE_NAME}`;
}

/** The manifest of a release that is for everybody (spec: MAN-26). */
export function publicManifestPlace(tagName: string): string {
  return `${tagName}/${PUBLIC_NAME}`;
}

export function publicManifestSignaturePlace(tagName: string): string {
  return `${tagName}/${PUBLIC_SIGNATURE_NAME}`;
}

/** A file of a release, by its content. @param sha256 hex, of a manifest that was parsed */
export function filePlace(tagName: string, sha256: string): string {
  return `${tagName}/${sha256}`;
}

/** The publisher's present root, one certificate (spec: CMS-22). */
export const ROOT_PLACE = "root.pem";
