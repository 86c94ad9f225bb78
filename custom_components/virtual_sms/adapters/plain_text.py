"""Clean what comes from outside, in one place.

A lone half of a character, or a control character, is refused by JSON, by a web page
or by one of the databases that Home Assistant may keep: one message with it would cost
a home all of its states. What people paste carries characters that nobody sees.
"""

import re
from typing import Final
import unicodedata

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
    "\u2028-\u202e\u2060-\u206f\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_DASHES: Final = re.compile(
    "[\u058a\u05be\u1806\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\u301c\u30fc"
    "\ufe58\ufe63\uff0d\uff70]"
)


def clean(text: str, longest: int | None = None) -> str:
    """Return a text that nothing refuses, cut where it is longer than it may be."""
    text = text[:longest]
    # What is printable holds none of it, and is nearly everything there is.
    return text if text.isprintable() else _HARMFUL.sub(REPLACEMENT, text)


def clean_pasted(text: str) -> str:
    """Return what was meant by what was pasted: nothing unseen, and plain dashes."""
    return drop_unseen(_DASHES.sub("-", text)).strip()


def drop_unseen(text: str) -> str:
    """Return a text without what nobody sees of it."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def clean_typed(text: str) -> str:
    """Return what was meant by what was typed on any phone: nothing unseen.

    Whatever its script, a digit is one of 0 to 9.
    """
    if text.isascii():
        return text
    return "".join(map(_plain_digit, drop_unseen(text)))


def _plain_digit(each: str) -> str:
    return str(unicodedata.decimal(each)) if each.isdecimal() else each


def show(text: str) -> str:
    """Return a text in which what cannot be seen is written out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )
