"""How much a line has sent of late, and what its limits leave.

It is counted in memory, before a message leaves or a call is made, so that nothing waits
for the disk and fifty at once cannot slip past. A call counts as one segment; calls to
one person are limited as equal texts are, for no text of a call is kept. Hour and day
are sliding windows, by the clock that never jumps. A month is counted apart, as the
messages of its beginning may be forgotten by its end.
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
import json
from operator import itemgetter
from typing import Final

from ..adapters.call_models import OutboundCall
from ..adapters.models import OutboundMessage
from .outbound_rows import read_time

MONTHS_KEPT: Final = 24
"""Two years are more than a clock can be wrong by."""
_REMEMBERED: Final = 4
"""Texts that are not written again: an alarm says the same to everybody."""
CALL: Final = "call"
"""What all calls to somebody have in common; no hash of a text is so short."""


class Limit(StrEnum):
    """What there may not be more of."""

    HOUR = "limit_hour"
    DAY = "limit_day"
    MONTH = "limit_month"
    REPEATS = "limit_repeats"


WINDOWS: Final = {
    Limit.HOUR: timedelta(hours=1),
    Limit.DAY: timedelta(days=1),
    Limit.REPEATS: timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Segments per hour, day and month, and equal texts to one recipient.

    None where there is no limit.
    """

    hour: int | None = 100
    day: int | None = 300
    month: int | None = None
    repeats: int | None = 5

    def most(self, limit: Limit) -> int | None:
        """Return how much there may be; None if there may be any number."""
        by_limit = {
            Limit.HOUR: self.hour,
            Limit.DAY: self.day,
            Limit.MONTH: self.month,
            Limit.REPEATS: self.repeats,
        }
        return by_limit[limit]


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month where the home is: its name, as 2026-11, and its end."""

    name: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What messages may use: all limits once, and critical ones a second time."""

    limits: Limits
    month: Month
    is_critical: bool = False

    def most(self, limit: Limit) -> int | None:
        """Return how much there may be; None if there may be any number."""
        most = self.limits.most(limit)
        return most * 2 if most is not None and self.is_critical else most


@dataclass(frozen=True, slots=True)
class LimitReached:
    """Which limit a message does not fit into, and until when.

    None where it never will, by itself: it is larger than all of the limit.
    """

    limit: Limit
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a message or a call uses; `month` is the name of one that counts it.

    `what` tells whether it is repeated, and is None where nobody asks any more.
    """

    recipient: str = field(repr=False)
    segments: int
    what: str | None
    at: float
    month: str | None = None

    @classmethod
    def of(
        cls, item: OutboundMessage | OutboundCall, allowance: Allowance | None
    ) -> Use:
        """Return what something uses that is to be sent."""
        segments, what = 1, CALL
        if isinstance(item, OutboundMessage):
            segments, what = item.segments, hash_text(item)
        return cls(
            recipient=item.recipient,
            segments=segments,
            what=what,
            at=item.created_at.timestamp(),
            month=allowance.month.name if allowance else None,
        )

    def cost(self, limit: Limit) -> int:
        """Return how much of a limit it uses."""
        return 1 if limit is Limit.REPEATS else self.segments

    def key(self, limit: Limit) -> str:
        """Return what it is counted together with."""
        return f"{self.recipient} {self.what}" if limit is Limit.REPEATS else ""


type _Entry = tuple[float, str, int]
"""When something was used, what, and how much of it."""


class _Window:
    """What was used of late, and no longer ago than some time."""

    def __init__(self, length: timedelta) -> None:
        self._length = length
        self._entries: list[_Entry] = []
        self._sums: Counter[str] = Counter()

    def add(self, entry: _Entry) -> None:
        insort(self._entries, entry)
        self._sums[entry[1]] += entry[2]

    def remove(self, entry: _Entry) -> None:
        """Take back what was added, unless that is too long ago to count."""
        with suppress(ValueError):
            self._entries.remove(entry)
            self._subtract(entry)

    def move_on(self, now: datetime) -> None:
        """Forget what counts no more."""
        self.forget((now - self._length).timestamp())

    def sum(self, key: str) -> int:
        """Return how much of something counts."""
        return self._sums[key]

    def forget(self, until: float) -> None:
        """Forget all up to a time."""
        over = bisect_right(self._entries, until, key=itemgetter(0))
        for entry in self._entries[:over]:
            self._subtract(entry)
        del self._entries[:over]

    def find_end(self, key: str, over: int) -> datetime:
        """Say when so much of something will count no more."""
        entries = [each for each in self._entries if each[1] == key]
        sums = accumulate(count for _, _, count in entries)
        ends = (
            at for (at, _, _), used in zip(entries, sums, strict=True) if used >= over
        )
        return read_time(next(ends)) + self._length

    def _subtract(self, entry: _Entry) -> None:
        _, key, count = entry
        self._sums[key] -= count
        if not self._sums[key]:
            del self._sums[key]


class Usage:
    """What a line has used of its limits."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._windows = {limit: _Window(length) for limit, length in WINDOWS.items()}
        self._months: Counter[str] = Counter()

    def load(self, uses: Iterable[Use], months: Mapping[str, int]) -> None:
        """Begin with what an earlier run has used."""
        for each in uses:
            self._count(each)
        self._months.update(months)

    def take(
        self, use: Use, allowance: Allowance | None, now: datetime
    ) -> LimitReached | None:
        """Count a use if it fits into all limits, else say which one it does not."""
        # Also those that no limit asks for, which would grow without an end.
        for window in self._windows.values():
            window.move_on(now)
        reached = self._find_reached(use, allowance) if allowance else None
        if reached is None:
            self._count(use)
            if use.month is not None:
                self._count_month(use.month, use.segments)
        return reached

    def give_back(self, use: Use) -> None:
        """Count a use no more: nothing has left, and nothing will."""
        for window, entry in self._place(use):
            window.remove(entry)
        # Not of one that was opened anew meanwhile, which counts nothing of it.
        if use.month is not None and use.month in self._months:
            self._months[use.month] -= use.segments

    def open_anew(self, now: datetime) -> None:
        """Count from now on only."""
        for window in self._windows.values():
            window.forget(now.timestamp())
        self._months.clear()

    def _find_reached(self, use: Use, allowance: Allowance) -> LimitReached | None:
        for limit in Limit:
            most, cost = allowance.most(limit), use.cost(limit)
            if most is None:
                continue
            over = self._sum(limit, use) + cost - most
            if over > 0:
                fits = cost <= most
                end = (
                    self._find_end(limit, use, over, allowance.month) if fits else None
                )
                return LimitReached(limit, end)
        return None

    def _sum(self, limit: Limit, use: Use) -> int:
        if limit is Limit.MONTH:
            return self._months[str(use.month)]
        return self._windows[limit].sum(use.key(limit))

    def _find_end(self, limit: Limit, use: Use, over: int, month: Month) -> datetime:
        """Say when so much will have left a window that a use fits into it."""
        if limit is Limit.MONTH:
            return month.ends_at
        return self._windows[limit].find_end(use.key(limit), over)

    def _count(self, use: Use) -> None:
        for window, entry in self._place(use):
            window.add(entry)

    def _place(self, use: Use) -> Iterator[tuple[_Window, _Entry]]:
        """List where a use is counted, and as what."""
        for limit, window in self._windows.items():
            if use.what is not None or limit is not Limit.REPEATS:
                yield window, (use.at, use.key(limit), use.cost(limit))

    def _count_month(self, month: str, segments: int) -> None:
        is_new = month not in self._months
        self._months[month] += segments
        if is_new:
            # The last one is not over for certain: a clock may be put back.
            newest = sorted(self._months, reverse=True)[:MONTHS_KEPT]
            kept = {each: self._months[each] for each in (*newest, month)}
            self._months = Counter(kept)


def hash_text(message: OutboundMessage) -> str:
    """Return what tells a repeated text, and nothing of what it says."""
    return _hash(write_content(message.text, message.media))


@lru_cache(_REMEMBERED)
def write_content(text: str, media: tuple[str, ...]) -> str:
    """Return what a message says as one text."""
    return json.dumps([text, media])


@lru_cache(_REMEMBERED)
def _hash(content: str) -> str:
    return blake2b(content.encode(), digest_size=8).hexdigest()
