"""Headers that say something about time, read in one way for all providers."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE: Final = 86_400.0
"""Seconds a provider may make us wait: nobody means more than a day."""

_YEARS: Final = range(2020, 2100)
_REMEMBERED: Final = 4
"""Headers that are not read again: many answers come in the same second."""


@lru_cache(_REMEMBERED)
def read_date(header: str | None) -> datetime | None:
    """Read a moment in the form of a `Date` header; None for what is none."""
    with suppress(IndexError, OverflowError, TypeError, ValueError):
        date = parsedate_to_datetime(header or "")
        # "-0000" leaves the zone open; the header is in UTC by its definition.
        date = date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
        return date if date.year in _YEARS else None
    return None


def read_pause(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds an answer wants us to wait, a day at most.

    `Retry-After` is a number of seconds or a moment, which is compared with the
    time the same answer gives.
    """
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value), LONGEST_PAUSE)
    moment = read_date(value)
    if moment is None:
        return None
    now = read_date(headers.get("Date")) or datetime.now(UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_PAUSE)
