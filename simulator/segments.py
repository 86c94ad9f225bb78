"""Count the segments of a text, as both providers bill them.

GSM 03.38 has 127 characters of one septet and ten of two; a single character
outside of it turns the whole text into UCS-2.
"""

from dataclasses import dataclass
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED: Final = frozenset("^{}\\[~]|€\f")
BEYOND_BMP: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Count:
    """Hold how a text is cut."""

    encoding: str
    units: int
    segments: int
    per_part: int


def count(text: str) -> Count:
    """Count the units and segments of a text."""
    text = text.replace("\r\n", "\n")
    if set(text) <= BASIC | EXTENDED:
        weights = [2 if char in EXTENDED else 1 for char in text]
        return _cut("GSM-7", weights, 160, 153)
    weights = [2 if ord(char) > BEYOND_BMP else 1 for char in text]
    return _cut("UCS-2", weights, 70, 67)


def _cut(encoding: str, weights: list[int], whole: int, part: int) -> Count:
    units = sum(weights)
    if units <= whole:
        return Count(encoding, units, 1, whole)
    segments, used = 1, 0
    for weight in weights:
        # An escape or a surrogate pair moves to the next part undivided.
        if used + weight > part:
            segments, used = segments + 1, 0
        used += weight
    return Count(encoding, units, segments, part)
