"""Write what an assistant answers as an SMS: plain, short, and not dear.

Assistants write for screens. On a phone, markup is noise, and a single picture sign
makes a whole text cost more than twice as much.
"""

from bisect import bisect_right
import re
from typing import Final

from ..adapters.plain_text import clean
from ..adapters.segments import count_segments
from .simplify import simplify

MOST_SEGMENTS: Final = 3
_MOST_READ: Final = 4_000
"""Characters of an answer that are looked at: far more than are sent."""
_MOST_FITTING: Final = 500
"""No text of more characters fits in the segments."""
_ELLIPSIS: Final = "..."

_MARKUP: Final = tuple(
    (re.compile(pattern, re.MULTILINE), plain)
    for pattern, plain in (
        (r"^[ \t]*(```|~~~).*$", ""),
        (r"^[ \t]*([-*_])([ \t]*\1){2,}[ \t]*$", ""),
        (r"^[ \t]*\|?[-:| \t]*-[-:| \t]*\|[-:| \t]*$", ""),
        (r"^[ \t]*#{1,6}[ \t]+", ""),
        (r"^[ \t]*>[ \t]?", ""),
        (r"^[ \t]*[*+\u2022\u25aa\u25cf\u00b7][ \t]+", "- "),
        (r"^[ \t]*\||\|[ \t]*$", ""),
        (r"[ \t]+\|[ \t]+", ", "),
        (r"<br[ \t]*/?>", "\n"),
        (r"</?[a-zA-Z][^<>]{0,200}>", ""),
        (r"!\[([^\[\]]{0,200})\]\([^()\s]{1,500}\)", r"\1"),
        (r"\[([^\[\]]{1,200})\]\(([^()\s]{1,500})\)", r"\1 (\2)"),
        (r"(\*{1,3}|~~)(?=\S)([^*~\n]{1,300}?)(?<=\S)\1", r"\2"),
        (r"(?<!\w)(_{1,3})(?=\S)([^\n]{1,300}?)(?<=\S)\1(?!\w)", r"\2"),
        (r"`{1,2}([^`\n]{1,300})`{1,2}", r"\1"),
    )
)
_PICTURES: Final = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
    "[\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
    "|[\ufe0e\ufe0f\u20e3]"
)
_PLAINER: Final = str.maketrans(
    {"\u2192": "->", "\u2190": "<-", "\u00d7": "x", "\u2022": "-"}
)
_CHEAPER: Final = str.maketrans({"\u00b0": "", "\u00b2": "2", "\u00b3": "3"})
"""Signs of units, which are worth more than their price in a short text only."""
_BLANKS: Final = re.compile(r"[ \t]+")
_BLANK_LINES: Final = re.compile(r"\s*\n\s*")


def write_answer(answer: str) -> str:
    """Return an answer as it is texted; empty where nothing can be."""
    text = _strip(clean(answer, _MOST_READ))
    cheaper = text.translate(_CHEAPER)
    if _count(cheaper) < _count(text):
        text = cheaper
    return _cut(text)


def _strip(text: str) -> str:
    """Take out what is no plain text, and what stands for nothing any more."""
    for pattern, plain in _MARKUP:
        text = pattern.sub(plain, text)
    text = _PICTURES.sub("", text.translate(_PLAINER))
    text = _BLANKS.sub(" ", simplify(text))
    return _BLANK_LINES.sub("\n", text).strip()


def _cut(text: str) -> str:
    """Cut a text that is too long after a word, and show that there was more."""
    if _count(text) <= MOST_SEGMENTS:
        return text
    longest = bisect_right(
        range(_MOST_FITTING),
        MOST_SEGMENTS,
        key=lambda length: _count(text[:length] + _ELLIPSIS),
    )
    room = text[: longest - 1]
    words = room if text[longest - 1].isspace() else room.rsplit(None, 1)[0]
    # A language without blanks, or an address, is cut where the room ends.
    kept = words if len(words) > len(room) // 2 else room
    return kept.rstrip(" \n.,;:-") + _ELLIPSIS


def _count(text: str) -> int:
    return count_segments(text[:_MOST_FITTING]).segments
