"""Write a text with plain characters, so that it takes fewer segments.

Phones and web pages put typographic quotes, dashes, ellipses and spaces where plain
ones mean the same. A single one of them makes a text travel in UCS-2, in which a
segment holds 70 characters instead of 160. Letters are left as they are.
"""

from typing import Final

from ..adapters.models import Encoding
from ..adapters.segments import count_segments

_PLAIN: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d",
    "...": "\u2026",
    "..": "\u2025",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u202f\u205f\u3000",
    "\n": "\u2028\u2029\u0085",
    "": "\u200b\u2060\ufeff\u00ad",
}
_TABLE: Final = str.maketrans(
    {each: plain for plain, fancy in _PLAIN.items() for each in fancy}
)
# French sets a space inside its quotes, which plain ones go without.
_FRENCH_SPACES: Final = " \u00a0\u202f\u2009"


def simplify(text: str) -> str:
    """Return a text with plain quotes, dashes, ellipses and spaces."""
    for space in _FRENCH_SPACES:
        text = text.replace(f"\u00ab{space}", "\u00ab")
        text = text.replace(f"{space}\u00bb", "\u00bb")
    return text.translate(_TABLE)


def offending(text: str) -> list[str]:
    """List the characters that make a text travel in UCS-2, each once, in order."""
    return [
        each
        for each in dict.fromkeys(text)
        if count_segments(each).encoding is Encoding.UCS_2
    ]
