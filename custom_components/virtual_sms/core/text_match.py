"""Compare a text with what somebody is waiting for.

A pattern is whoever's who writes automations, and may be one that takes for ever. So it
is run by an engine that gives up in time, on no more than the longest text there is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
import re
from typing import Final

import regex

LONGEST_PATTERN: Final = 500
_LONGEST_TEXT: Final = 1600
_TIMEOUT: Final = 0.02
"""Seconds that a pattern may take; a good one takes some microseconds."""
_MOST_WRITTEN_OUT: Final = 1_000_000
_REPETITION: Final = re.compile(r"\{[^}0-9]*([0-9]+)")


class Match(StrEnum):
    """How a text is compared."""

    ANY = "any"
    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    REGEX = "regex"


class InvalidPatternError(ValueError):
    """A pattern cannot be read."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """What is waited for; `text` counts for all but ANY.

    Case never counts, and outer blanks do not where the whole text is compared. Raises
    InvalidPatternError for a pattern that cannot be read.
    """

    match: Match = Match.ANY
    text: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.match is Match.REGEX:
            self._pattern()

    def find(self, text: str) -> Mapping[str, str | None] | None:
        """Return the groups of a pattern, by number and by name; None for no match.

        A pattern that takes too long does not match.
        """
        if self.match is Match.REGEX:
            return self._search(text)
        compare = _COMPARISONS[self.match]
        return {} if compare(text.casefold(), self.text.casefold()) else None

    def _search(self, text: str) -> Mapping[str, str | None] | None:
        try:
            found = self._pattern().search(text[:_LONGEST_TEXT], timeout=_TIMEOUT)
        except TimeoutError:
            return None
        if found is None:
            return None
        numbered = {
            str(number): found[number] for number in range(len(found.groups()) + 1)
        }
        return {**numbered, **found.groupdict()}

    def _pattern(self) -> regex.Pattern[str]:
        if len(self.text) > LONGEST_PATTERN:
            raise InvalidPatternError(f"longer than {LONGEST_PATTERN} characters")
        if _count_written_out(self.text) > _MOST_WRITTEN_OUT:
            raise InvalidPatternError("repeats too much")
        try:
            # What was compiled before is kept by the engine.
            return regex.compile(self.text, regex.IGNORECASE)
        except (regex.error, ValueError) as err:
            raise InvalidPatternError(str(err)) from err


def _count_written_out(pattern: str) -> int:
    """Return at most how long a pattern is with each repetition written out.

    The engine writes them out, before any time is taken: `a{1000000000}` would fill
    the memory of the home.
    """
    bare = "".join(pattern.split())
    return len(bare) * prod(max(int(each), 1) for each in _REPETITION.findall(bare))


_COMPARISONS: Final[Mapping[Match, Callable[[str, str], bool]]] = {
    Match.ANY: lambda _, __: True,
    Match.EQUALS: lambda text, wanted: text.strip() == wanted.strip(),
    Match.CONTAINS: lambda text, wanted: wanted in text,
    Match.STARTS_WITH: lambda text, wanted: text.startswith(wanted),
}
