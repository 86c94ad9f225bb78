/**
 * Write a text with plain characters, as the integration does before it sends it.
 *
 * A number does so unless its options say otherwise. Letters are left as they are.
 */

const PLAIN: Record<string, string> = {
  "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\uff07",
  '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02",
  "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d",
  "...": "\u2026",
  "..": "\u2025",
  " ":
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009" +
    "\u200a\u202f\u205f\u3000",
  "\n": "\u2028\u2029\u0085",
  "": "\u200b\u2060\ufeff\u00ad",
};
const TABLE = new Map(
  Object.entries(PLAIN).flatMap(([plain, fancy]) =>
    [...fancy].map((each) => [each, plain] as const),
  ),
);
/** French sets a space inside its quotes, which plain ones go without. */
const FRENCH_SPACES = " \u00a0\u202f\u2009";

export function simplify(text: string): string {
  for (const space of FRENCH_SPACES) {
    text = text.replaceAll(`\u00ab${space}`, "\u00ab").replaceAll(`${space}\u00bb`, "\u00bb");
  }
  return [...text].map((each) => TABLE.get(each) ?? each).join("");
}
