"""What a file tells the next run about its clock."""

from datetime import datetime, timedelta
import sqlite3

from .outbound_rows import read_time

_OFFSET = "clock_offset"


def read_offset(connection: sqlite3.Connection) -> tuple[timedelta, datetime | None]:
    """Return the step of the wall clock that was noted, and the newest time of ours."""
    offset = connection.execute(
        "SELECT value FROM fact WHERE name = ?", (_OFFSET,)
    ).fetchone()
    # One at a time, so that each is found in its index.
    (created,) = connection.execute("SELECT max(created_at) FROM outbound").fetchone()
    (checked,) = connection.execute(
        "SELECT max(checked_at) FROM outbound INDEXED BY outbound_open WHERE open"
    ).fetchone()
    newest = None if created is None else max(created, checked or 0.0)
    return (
        timedelta(seconds=offset[0] if offset else 0.0),
        None if newest is None else read_time(newest),
    )


def note_offset(connection: sqlite3.Connection, offset: timedelta) -> None:
    """Note how far the wall clock has stepped."""
    connection.execute(
        "REPLACE INTO fact VALUES (?, ?)", (_OFFSET, offset.total_seconds())
    )


def make_due(
    connection: sqlite3.Connection, now: datetime, settled_at: datetime
) -> None:
    """Make all that waits due, and reconcile unknown outcomes anew."""
    connection.execute(
        "UPDATE outbound SET next_at = ?, settled_at = iif(settled_at IS NULL, NULL, ?)"
        " WHERE open AND provider_id IS NULL",
        (now.timestamp(), settled_at.timestamp()),
    )
