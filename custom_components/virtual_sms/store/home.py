"""Remember what spans the numbers of a home: questions, alerts, pictures that are served.

The file stands beside those of the numbers. What is stored of each is written whole at
each change: there are few of them, and each is small.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
import sqlite3

from .clock import SteadyClock, monotonic
from .clock_offset import ClockNotes
from .database import Database
from .salvage import Salvage

HOME_MIGRATIONS = (
    """
    CREATE TABLE question (
        item_id TEXT PRIMARY KEY, at REAL NOT NULL, content TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE alert (
        item_id TEXT PRIMARY KEY, at REAL NOT NULL, content TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID
    """,
    """
    CREATE TABLE picture (
        item_id TEXT PRIMARY KEY, at REAL NOT NULL, content TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
"""Each brings the file from one version to the next; never change a released one."""


class Kind(StrEnum):
    """What is stored, by the name of its table."""

    QUESTION = "question"
    ALERT = "alert"
    PICTURE = "picture"


class HomeStore:
    """The home's own file, and the clock by which its times are."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        """Take the file to write in, the home's clock, and one that never jumps."""
        self._database = database
        self.clock = SteadyClock(now, monotonic)
        self._clock_notes = ClockNotes(database, self.clock)

    async def open(self) -> None:
        """Open the file, and go on with its clock; raises StorageError."""
        await self._database.open()
        try:
            await self._clock_notes.begin(_read_newest)
        except BaseException:
            await self._database.close()
            raise

    @property
    def salvage(self) -> Salvage | None:
        """Return what was saved at `open`, if the file was damaged."""
        return self._database.salvage

    def on_damage(self, listener: Callable[[], None]) -> None:
        """Have the listener called once if the file turns out to be damaged."""
        self._database.on_damage = listener

    async def close(self) -> None:
        """Close the file; everything is on disk already."""
        await self._database.close()

    async def erase(self) -> None:
        """Delete the file."""
        await self._database.erase()

    async def load(self, kind: Kind) -> Sequence[str]:
        """List what is stored of a kind."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT content FROM {kind} ORDER BY at"  # noqa: S608  # our own names
            ).fetchall()
        )
        return [content for (content,) in rows]

    def save(self, kind: Kind, item_id: str, content: str) -> asyncio.Future[None]:
        """Write something whole; what is saved later is written later.

        Raises DatabaseClosedError; the future raises what the disk says.
        """
        now = self.clock.now()

        def operation(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT OR REPLACE INTO {kind} VALUES (?, ?, ?)",  # noqa: S608  # our own names
                (item_id, now.timestamp(), content),
            )

        # A later run must find this time where this one puts it.
        self.note_clock_soon()
        return self._database.post(operation)

    def note_clock_soon(self) -> asyncio.Future[None] | None:
        """Note how far the wall clock has stepped before all that is written from now on.

        None if it is noted. Raises DatabaseClosedError; the future raises what the
        disk says.
        """
        return self._clock_notes.note_soon()

    def delete(self, kind: Kind, item_id: str) -> asyncio.Future[None]:
        """Forget something."""

        def operation(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"DELETE FROM {kind} WHERE item_id = ?",  # noqa: S608  # our own names
                (item_id,),
            )

        return self._database.post(operation)


def _read_newest(connection: sqlite3.Connection) -> datetime | None:
    (newest,) = connection.execute(
        "SELECT max(at) FROM (SELECT at FROM question UNION SELECT at FROM alert)"
    ).fetchone()
    return None if newest is None else datetime.fromtimestamp(newest, UTC)
