"""What is remembered of codes over restarts: wrong ones, used ones, who is locked.

Times of attempts are the provider's: a home's clock that jumps neither locks nor
forgives anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
import sqlite3

from .database import Database

WINDOW = timedelta(hours=1)
"""Within this, wrong codes add up."""
MOST_WRONG = 5
"""Wrong codes within the window that lock a contact."""
STEPS_KEPT = 2880
"""How long a used code is known, in its steps of half a minute: a day."""


@dataclass(frozen=True, slots=True)
class CodeRows:
    """All that is stored of codes; times in seconds, by the provider's clock."""

    attempts: Sequence[tuple[str, float]]
    used: Sequence[tuple[str, int]]
    locked: Sequence[str]


class CodeTable:
    """Read what an earlier run left, and forgive."""

    def __init__(self, database: Database) -> None:
        """Take the way to the disk."""
        self._run = database.run

    async def read(self) -> CodeRows:
        """Return all that is stored."""
        return await self._run(_read)

    async def unlock(self, contact_id: str) -> None:
        """Forget a contact's lock and wrong codes."""
        await self._run(lambda connection: unlock(connection, contact_id))

    async def forget(self, contact_id: str) -> None:
        """Forget all of a contact's codes: it is gone, or its code is another."""
        await self._run(lambda connection: _forget(connection, contact_id))


def note_wrong(connection: sqlite3.Connection, contact_id: str, at: float) -> None:
    """Note a wrong code; two at one moment are two."""
    connection.execute(
        "DELETE FROM code_attempt WHERE contact_id = ? AND at <= ?",
        (contact_id, at - WINDOW.total_seconds()),
    )
    # A provider's time is in whole seconds, and each row has a time of its own.
    connection.execute(
        "INSERT INTO code_attempt SELECT ?1, max(?2, ifnull(max(at) + 0.001, ?2))"
        " FROM code_attempt WHERE contact_id = ?1 AND at >= ?2 AND at < ?2 + 0.5",
        (contact_id, at),
    )


def note_used(connection: sqlite3.Connection, contact_id: str, step: int) -> None:
    """Note that a code was used; long after, it is forgotten."""
    connection.execute(
        "INSERT OR IGNORE INTO code_used VALUES (?, ?)", (contact_id, step)
    )
    connection.execute(
        "DELETE FROM code_used WHERE contact_id = ? AND step < ?",
        (contact_id, step - STEPS_KEPT),
    )


def lock(connection: sqlite3.Connection, contact_id: str, at: float) -> None:
    """Note that a contact is locked since a time."""
    connection.execute(
        "INSERT OR IGNORE INTO code_lock VALUES (?, ?)", (contact_id, at)
    )


def unlock(connection: sqlite3.Connection, contact_id: str) -> None:
    """Note that a contact is locked no more, and what was wrong is forgiven."""
    for table in ("code_lock", "code_attempt"):
        connection.execute(
            f"DELETE FROM {table} WHERE contact_id = ?",  # noqa: S608  # see above
            (contact_id,),
        )


def _forget(connection: sqlite3.Connection, contact_id: str) -> None:
    unlock(connection, contact_id)
    connection.execute("DELETE FROM code_used WHERE contact_id = ?", (contact_id,))


def _read(connection: sqlite3.Connection) -> CodeRows:
    def select(columns: str) -> list[sqlite3.Row]:
        return connection.execute(f"SELECT {columns}").fetchall()

    return CodeRows(
        attempts=[(who, at) for who, at in select("contact_id, at FROM code_attempt")],
        used=[(who, step) for who, step in select("contact_id, step FROM code_used")],
        locked=[who for (who,) in select("contact_id FROM code_lock")],
    )
