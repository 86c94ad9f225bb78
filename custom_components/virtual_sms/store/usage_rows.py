"""What a line has used of its limits, as its file knows it for the next run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
import sqlite3
from typing import Final

from ..adapters.call_models import Direction
from .clock import SteadyClock
from .database import Database
from .inbound import bump
from .usage import CALL, MONTHS_KEPT, WINDOWS, Limit, Usage, Use

_SINCE: Final = "limits_since"
_MONTH: Final = "month_"
_FORGET_MONTHS: Final = f"""
    DELETE FROM fact WHERE name GLOB '{_MONTH}*' AND name != :month AND name NOT IN (
        SELECT name FROM fact WHERE name GLOB '{_MONTH}*'
        ORDER BY name DESC LIMIT {MONTHS_KEPT}
    )
"""  # noqa: S608  # our own constants


@dataclass(frozen=True, slots=True)
class UsageRows:
    """What counts of what was sent before, and how much each month has used."""

    uses: list[Use]
    months: Mapping[str, int]


class UsageTable:
    """What a line has used of its limits, from run to run."""

    def __init__(self, database: Database, clock: SteadyClock, counted: Usage) -> None:
        """Take the way to the disk, the clock by which messages are made, the count."""
        self._run = database.run
        self._clock = clock
        self._counted = counted

    def load(self, rows: UsageRows) -> None:
        """Begin with what the file knows."""
        self._counted.load(rows.uses, rows.months)

    async def open_anew(self) -> None:
        """Count from now on only: what was sent before uses up nothing any more."""
        now = self._clock.now()
        await self._run(lambda connection: _open_anew(connection, now))
        self._counted.open_anew(now)


def read_usage(connection: sqlite3.Connection, now: datetime) -> UsageRows:
    """Return what may still count, at a time of our own clock."""
    months = connection.execute(
        "SELECT substr(name, ?), CAST(value AS INTEGER) FROM fact WHERE name GLOB ?",
        (len(_MONTH) + 1, f"{_MONTH}*"),
    ).fetchall()
    return UsageRows([*_read_uses(connection, now)], dict(map(tuple, months)))


def _read_uses(connection: sqlite3.Connection, now: datetime) -> Iterator[Use]:
    # One that lies in the future, since a clock was put back, opens nothing.
    (since,) = connection.execute(
        "SELECT ifnull(max(value), 0) FROM fact WHERE name = ? AND value <= ?",
        (_SINCE, now.timestamp()),
    ).fetchone()
    day, repeats = (
        max((now - WINDOWS[limit]).timestamp(), since)
        for limit in (Limit.DAY, Limit.REPEATS)
    )
    rows = connection.execute(_LIST, {"day": day, "repeats": repeats})
    for at, segments, recipient, what in rows:
        yield Use(recipient=recipient or "", segments=segments, what=what, at=at)


def use_month(connection: sqlite3.Connection, month: str, segments: int) -> None:
    """Write down that a month has used more segments."""
    bump(connection, **{_MONTH + month: segments})
    # The last one is not over for certain: a clock may be put back.
    connection.execute(_FORGET_MONTHS, {"month": _MONTH + month})


def forget_texts(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget the hashes of texts that can be no repeats any more."""
    connection.execute(
        "UPDATE outbound SET text_hash = NULL"
        " WHERE text_hash IS NOT NULL AND created_at < ?",
        ((now - WINDOWS[Limit.REPEATS]).timestamp(),),
    )


def _open_anew(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute("DELETE FROM fact WHERE name GLOB ?", (f"{_MONTH}*",))
    connection.execute(
        "INSERT OR REPLACE INTO fact VALUES (?, ?)", (_SINCE, now.timestamp())
    )


# Whom a text went to, and what it said, counts as long as it can be a repeat.
_LIST = f"""
    SELECT created_at, ifnull(segments, 0), iif(created_at > :repeats, recipient, NULL),
        iif(created_at > :repeats, text_hash, NULL)
    FROM outbound WHERE created_at > :day
    UNION ALL SELECT created_at, 1, correspondent, '{CALL}' FROM call
    WHERE direction = '{Direction.OUTBOUND}' AND created_at > :day
"""  # noqa: S608  # our own constants
