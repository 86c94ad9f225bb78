"""Count what a text costs: its alphabet and its segments.

A text travels in GSM-7 (160 septets, or 153 in each part of a long one) unless a
single character is foreign to it; then all of it travels in UCS-2 (70 units, or
67). Neither an escape sequence nor a surrogate pair is ever cut in two.
Source: 3GPP TS 23.038; Twilio, "How long can a message be?".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .models import Encoding

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM = _GSM_BASIC | _GSM_EXTENDED
# Beyond it, UTF-16 takes a pair of units.
_LAST_IN_PLANE = 0xFFFF
_REMEMBERED: Final = 4
"""Texts that are not counted again: an alarm says the same to everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """How a text will travel; `foreign` is the first character that forces UCS-2."""

    encoding: Encoding
    segments: int
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class _Alphabet:
    single: int
    part: int
    width: Callable[[str], int]


_ALPHABETS = {
    Encoding.GSM_7: _Alphabet(160, 153, lambda each: 1 + (each in _GSM_EXTENDED)),
    Encoding.UCS_2: _Alphabet(70, 67, lambda each: 1 + (ord(each) > _LAST_IN_PLANE)),
}


@lru_cache(_REMEMBERED)
def count_segments(text: str) -> SegmentCount:
    """Count the segments of a text; an empty one takes a segment as well."""
    text = text.replace("\r\n", "\n")
    foreign = next((each for each in text if each not in _GSM), None)
    encoding = Encoding.GSM_7 if foreign is None else Encoding.UCS_2
    alphabet = _ALPHABETS[encoding]
    segments = _pack([alphabet.width(each) for each in text], alphabet)
    return SegmentCount(encoding=encoding, segments=segments, foreign=foreign)


def _pack(widths: Sequence[int], alphabet: _Alphabet) -> int:
    if sum(widths) <= alphabet.single:
        return 1
    segments, room = 1, alphabet.part
    for width in widths:
        if width > room:
            segments, room = segments + 1, alphabet.part
        room -= width
    return segments
