"""What a file tells the next run about its clock."""

import asyncio
from datetime import datetime, timedelta
import sqlite3

from .clock import TOLERANCE, SteadyClock
from .database import Database
from .outbound_rows import read_time
from .transaction import Operation

_OFFSET = "clock_offset"


class ClockNotes:
    """How far the wall clock has stepped, as a file knows it for the next run."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        """Take the file, and the clock that goes on with it."""
        self._database = database
        self._clock = clock
        self._noted = timedelta()

    async def begin(self, read_newest: Operation[datetime | None]) -> None:
        """Go on with the clock of an earlier run, from the newest time in the file."""
        self._noted, newest = await self._database.run(
            lambda connection: (_read_offset(connection), read_newest(connection))
        )
        self._clock.begin(self._noted, newest)

    def note_soon(self, *, always: bool = False) -> asyncio.Future[None] | None:
        """Note it before all that is written from now on; None if it is noted.

        Raises DatabaseClosedError; the future raises what the disk says.
        """
        offset = self._clock.offset
        if abs(offset - self._noted) <= TOLERANCE and not always:
            return None

        def then(_: None) -> None:
            self._noted = offset

        noting = self._database.post(
            lambda connection: _note_offset(connection, offset), then
        )
        # What went wrong is for whoever waits: it is tried again.
        noting.add_done_callback(lambda each: each.cancelled() or each.exception())
        return noting


def _read_offset(connection: sqlite3.Connection) -> timedelta:
    row = connection.execute(
        "SELECT value FROM fact WHERE name = ?", (_OFFSET,)
    ).fetchone()
    return timedelta(seconds=row[0] if row else 0.0)


def read_newest(connection: sqlite3.Connection) -> datetime | None:
    """Return the newest time of ours among the messages that were sent."""
    # One at a time: a start looks at all rows, and at those under way once more.
    (created,) = connection.execute("SELECT max(created_at) FROM outbound").fetchone()
    (checked,) = connection.execute(
        "SELECT max(checked_at) FROM outbound INDEXED BY outbound_open WHERE open"
    ).fetchone()
    return None if created is None else read_time(max(created, checked or 0.0))


def _note_offset(connection: sqlite3.Connection, offset: timedelta) -> None:
    connection.execute(
        "REPLACE INTO fact VALUES (?, ?)", (_OFFSET, offset.total_seconds())
    )


def make_due(
    connection: sqlite3.Connection, now: datetime, settled_at: datetime
) -> None:
    """Make all that waits due, and reconcile unknown outcomes anew."""
    connection.execute(
        "UPDATE outbound INDEXED BY outbound_open SET next_at = ?,"
        " settled_at = iif(settled_at IS NULL, NULL, ?)"
        " WHERE open AND provider_id IS NULL",
        (now.timestamp(), settled_at.timestamp()),
    )
