/**
 * Prepares a name's text for comparison: two texts are the same name if, and only if, their prepared forms are equal.
 *
 * This is caseIgnoreMatch of RFC 5280 section 7.1 and RFC 4518 section 2, with the Unicode data of the runtime:
 * - Normalize: NFKC.
 * - Map: controls, format characters, variation selectors, soft hyphen and the like vanish; every kind of space
 *   and line break becomes a space.
 * - Fold: each character to lower, upper and lower case, so that a final sigma is a sigma, and both sharp s are "ss".
 * - Normalize again, since folding may undo it.
 * - Spaces: none at the ends, one between words (RFC 4518 writes the same thing with two).
 *
 * Where it differs from RFC 4518: no character is prohibited (a prohibited one would make the name equal to nothing,
 * here it is equal to itself), there is no bidirectional check, and Unicode is the runtime's instead of 3.2. NFKC and
 * case folding are stable for characters that were assigned; a runtime older than a character may keep it unfolded.
 * That loses a lookup by another spelling and never makes two names equal that are not (spec: ROW-12).
 */
export function prepareText(text: string): string {
  if (ASCII.test(text)) return squeeze(text.toLowerCase());
  return squeeze(fold(mapped(text.normalize("NFKC"))).normalize("NFKC"));
}

const ASCII = /^[\x20-\x7e]*$/;

const TO_SPACE = /[\t\n\v\f\r\u0085\p{Z}]/gu;
const TO_NOTHING = /[\p{Cc}\p{Cf}\u034f\u180b-\u180f\ufe00-\ufe0f\ufffc\u{e0100}-\u{e01ef}]/gu;

function mapped(text: string): string {
  return text.replace(TO_SPACE, " ").replace(TO_NOTHING, "");
}

function squeeze(text: string): string {
  return text.replace(/ +/g, " ").replace(/^ | $/g, "");
}

function fold(text: string): string {
  let out = "";
  for (const character of text) out += foldCharacter(character);
  return out;
}

/** Without a dot: its upper case is a plain I, but to Unicode's case folding it is a letter of its own. */
const DOTLESS_I = "\u0131";

function foldCharacter(character: string): string {
  // Lower case first takes the capital sharp s to the small one, upper case then both to "SS". By itself a sigma is never a
  // final one.
  if (character === DOTLESS_I) return character;
  return character.toLowerCase().toUpperCase().toLowerCase();
}
