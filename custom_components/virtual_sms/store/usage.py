"""How much a line has sent of late, and what its limits leave.

It is counted in the transaction that writes messages or calls down, before any of them
leaves, so that fifty at once cannot slip past. A call counts as one segment; calls to
one person are limited as equal texts are, for no text of a call is kept. Hour and day
are sliding windows, by the clock that never jumps. A
month is counted apart, as the messages of its beginning may be forgotten by its end.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
import json
import sqlite3
from typing import Final

from ..adapters.call_models import Direction, OutboundCall
from ..adapters.models import OutboundMessage
from .clock import SteadyClock
from .database import Database
from .inbound import bump
from .outbound_rows import read_time

_SINCE: Final = "limits_since"
_MONTH: Final = "month_"
_MONTHS_KEPT: Final = 24
_CALL: Final = "call"
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
        limits = self.limits
        most = {
            Limit.HOUR: limits.hour,
            Limit.DAY: limits.day,
            Limit.MONTH: limits.month,
            Limit.REPEATS: limits.repeats,
        }[limit]
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
    """What a message or a call uses of the limits; `what` tells whether it is repeated."""

    item_id: str
    recipient: str = field(repr=False)
    segments: int
    what: str

    @classmethod
    def of(cls, item: OutboundMessage | OutboundCall) -> Use:
        """Return what something uses that is to be sent."""
        if isinstance(item, OutboundCall):
            return cls(
                item_id=item.call_id, recipient=item.recipient, segments=1, what=_CALL
            )
        return cls(
            item_id=item.message_id,
            recipient=item.recipient,
            segments=item.segments,
            what=hash_text(item),
        )


class UsageTable:
    """What a line has used of its limits."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        """Take the way to the disk, and the clock by which messages are made."""
        self._run = database.run
        self._clock = clock

    async def open_anew(self) -> None:
        """Count from now on only: what was sent before uses up nothing any more."""
        now = self._clock.now()
        await self._run(lambda connection: _open_anew(connection, now))


class Usage:
    """What was sent, as one transaction sees it, and what that adds."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        uses: Sequence[Use],
        now: datetime,
        unwritten: Sequence[OutboundMessage] = (),
    ) -> None:
        """Count what matters to something that is to be sent now.

        What has left and could not be written down counts as well.
        """
        self._connection = connection
        self._now = now
        (counts,) = connection.execute(
            _COUNT, self._parameters([each.recipient for each in uses])
        ).fetchone()
        hour, day, months, repeats = json.loads(counts)
        self._sent = {Limit.HOUR: hour, Limit.DAY: day}
        self._months = Counter(months)
        self._repeats = Counter({(to, what): count for to, what, count in repeats})
        self._added: Counter[str] = Counter()
        self._unwritten = sum(each.segments for each in unwritten)
        for each in unwritten:
            self._count(Use.of(each), now - each.created_at)

    def take(self, use: Use, allowance: Allowance | None) -> LimitReached | None:
        """Count a use if it fits into all limits, else say which one it does not."""
        if allowance is None:
            self._count(use)
            return None
        month = _MONTH + allowance.month.name
        used = self._sent | {
            Limit.MONTH: self._months[month] + self._added[month] + self._unwritten,
            Limit.REPEATS: self._repeats[use.recipient, use.what],
        }
        for limit in Limit:
            cost, most = _cost(limit, use), allowance.most(limit)
            over = 0 if most is None else used[limit] + cost - most
            if most is not None and over > 0:
                end = self._find_end(limit, over, use, allowance.month)
                return LimitReached(limit, end if cost <= most else None)
        self._count(use)
        self._added[month] += use.segments
        return None

    def write(self) -> None:
        """Write down what each month has used."""
        for month, count in self._added.items():
            _add_to_month(
                self._connection, month, count, is_new=month not in self._months
            )

    def _count(self, use: Use, age: timedelta = timedelta()) -> None:
        for limit in self._sent:
            self._sent[limit] += use.segments * (age < WINDOWS[limit])
        self._repeats[use.recipient, use.what] += age < WINDOWS[Limit.REPEATS]

    def _find_end(self, limit: Limit, over: int, use: Use, month: Month) -> datetime:
        """Say when so much will have left a window that a use fits into it."""
        if limit is Limit.MONTH:
            return month.ends_at
        query = _LIST_REPEATS if limit is Limit.REPEATS else _LIST
        parameters = self._parameters([use.recipient])
        parameters |= {"start": parameters[limit], "text": use.what}
        for created_at, count in self._connection.execute(query, parameters):
            over -= count
            if over <= 0:
                return read_time(created_at) + WINDOWS[limit]
        # It is filled by those of this very transaction.
        return self._now + WINDOWS[limit]

    def _parameters(self, recipients: Sequence[str]) -> dict[str, object]:
        starts = {
            each.value: (self._now - window).timestamp()
            for each, window in WINDOWS.items()
        }
        return {
            **starts,
            "now": self._now.timestamp(),
            "recipients": json.dumps(recipients),
        }


def use_month(connection: sqlite3.Connection, month: Month, segments: int) -> None:
    """Write down that a month has used more segments."""
    _add_to_month(connection, _MONTH + month.name, segments, is_new=True)


def _add_to_month(
    connection: sqlite3.Connection, month: str, segments: int, *, is_new: bool
) -> None:
    bump(connection, **{month: segments})
    if is_new:
        # The last one is not over for certain: a clock may be put back.
        connection.execute(_FORGET_MONTHS, {"month": month})


def hash_text(message: OutboundMessage) -> str:
    """Return what tells a repeated text, and nothing of what it says."""
    content = json.dumps([message.text, message.media])
    return blake2b(content.encode(), digest_size=8).hexdigest()


def forget_texts(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget the hashes of texts that can be no repeats any more."""
    connection.execute(
        "UPDATE outbound SET text_hash = NULL"
        " WHERE text_hash IS NOT NULL AND created_at < ?",
        ((now - WINDOWS[Limit.REPEATS]).timestamp(),),
    )


def _cost(limit: Limit, use: Use) -> int:
    return 1 if limit is Limit.REPEATS else use.segments


def _open_anew(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute("DELETE FROM fact WHERE name GLOB ?", (f"{_MONTH}*",))
    connection.execute(
        "INSERT OR REPLACE INTO fact VALUES (?, ?)", (_SINCE, now.timestamp())
    )


# One that lies in the future, since a clock was put back, opens nothing.
_FROM = f"""
    WITH since (at) AS (
        SELECT ifnull(max(value), 0) FROM fact WHERE name = '{_SINCE}' AND value <= :now
    )
"""  # noqa: S608  # our own constant
_FORGET_MONTHS = f"""
    DELETE FROM fact WHERE name GLOB '{_MONTH}*' AND name != :month AND name NOT IN (
        SELECT name FROM fact WHERE name GLOB '{_MONTH}*'
        ORDER BY name DESC LIMIT {_MONTHS_KEPT}
    )
"""  # noqa: S608  # our own constants
_CALLS = f"FROM call, since WHERE direction = '{Direction.OUTBOUND}'"
_TO = "IN (SELECT value FROM json_each(:recipients))"
# As one row, for to fetch one is to wait once.
_COUNT = f"""{_FROM} SELECT json_array(
    (SELECT ifnull(sum(segments), 0) FROM outbound, since
        WHERE created_at > max(:limit_hour, since.at))
    + (SELECT count(*) {_CALLS} AND created_at > max(:limit_hour, since.at)),
    (SELECT ifnull(sum(segments), 0) FROM outbound, since
        WHERE created_at > max(:limit_day, since.at))
    + (SELECT count(*) {_CALLS} AND created_at > max(:limit_day, since.at)),
    json((SELECT json_group_object(name, CAST(value AS INTEGER)) FROM fact
        WHERE name GLOB '{_MONTH}*')),
    json((SELECT json_group_array(json_array(recipient, text_hash, count)) FROM (
        SELECT recipient, text_hash, count(*) AS count FROM outbound, since
        WHERE text_hash IS NOT NULL AND recipient {_TO}
        AND created_at > max(:limit_repeats, since.at) GROUP BY 1, 2
        UNION ALL SELECT correspondent, '{_CALL}', count(*) {_CALLS}
        AND correspondent {_TO}
        AND created_at > max(:limit_repeats, since.at) GROUP BY 1
    )))
)"""  # noqa: S608  # our own constants
_LIST = f"""{_FROM} SELECT created_at, ifnull(segments, 0) FROM outbound, since
    WHERE created_at > max(:start, since.at)
    UNION ALL SELECT created_at, 1 {_CALLS} AND created_at > max(:start, since.at)
    ORDER BY created_at
"""  # noqa: S608  # our own constants
_LIST_REPEATS = f"""{_FROM} SELECT created_at, 1 FROM outbound, since
    WHERE recipient {_TO} AND text_hash = :text AND created_at > max(:start, since.at)
    UNION ALL SELECT created_at, 1 {_CALLS}
    AND correspondent {_TO} AND :text = '{_CALL}' AND created_at > max(:start, since.at)
    ORDER BY created_at
"""  # noqa: S608  # our own constants
