"""Clean what comes from outside, in one place.

A lone half of a character, or a control character, is refused by JSON, by a web page
or by one of the databases that Home Assistant may keep: one message with it would cost
a home all of its states. What people paste carries characters that nobody sees.
"""

import re
from typing import Final

REPLACEMENT: Final = "\ufffd"
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}"
        for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_DASHES: Final = re.compile("[\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d]")


def clean(text: str, longest: int | None = None) -> str:
    """Return a text that nothing refuses, cut where it is longer than it may be."""
    text = text[:longest]
    # What is printable holds none of it, and is nearly everything there is.
    return text if text.isprintable() else _HARMFUL.sub(REPLACEMENT, text)


def clean_pasted(text: str) -> str:
    """Return what was meant by what was pasted: nothing unseen, and plain dashes."""
    return _INVISIBLE.sub("", _DASHES.sub("-", text)).strip()


def show(text: str) -> str:
    """Return a text in which what cannot be seen is written out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )
