"""Who wants no more messages from a line, and since when.

That is known in memory too, for a message must not wait for the disk to find it out.
What was said last counts, in whatever order it becomes known.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
import json
import sqlite3
from typing import Final

from .database import Database
from .inbound import bump

CHANGES: Final = "consent_changes"
"""The fact that counts how often somebody has said something: then all is read anew."""
_AT_ONCE = 5.0
"""Seconds within which nobody changes their mind twice."""


class Source(StrEnum):
    """By what a consent is known: a word of theirs, or the provider's refusal.

    START is the word by which it is given again; the others take it back.
    """

    PROVIDER = "provider"
    START = "start"
    STOP = "stop"


class ConsentTable:
    """Who has opted out of a line."""

    def __init__(self, database: Database) -> None:
        """Take the way to the disk."""
        self._run = database.run
        self._changes = -1
        self.stopped: frozenset[str] = frozenset()
        """Who wants no more messages, as the disk has it."""

    async def list_stopped(self, correspondents: Iterable[str]) -> set[str]:
        """List those of some correspondents who want no more messages."""
        asked = list(correspondents)
        return await self._run(lambda connection: list_stopped(connection, asked))

    def read_anew(self, connection: sqlite3.Connection, changes: int) -> frozenset[str]:
        """Return who is stopped, after so many changes."""
        return self.stopped if changes == self._changes else _read_all(connection)

    def know(self, stopped: frozenset[str], changes: int) -> None:
        """Know who is stopped, now that it is on disk."""
        self.stopped, self._changes = stopped, changes

    async def note_listed(self, correspondents: Iterable[str], at: datetime) -> bool:
        """Note whom a provider lists as opted out; False if that is nothing new.

        Its list does not tell since when. So whoever has given their consent by a word
        is left alone: if the provider still minds, it refuses the next message.
        """
        listed = list(correspondents)
        return await self._run(lambda connection: _note_listed(connection, listed, at))


def note_consent(
    connection: sqlite3.Connection, correspondent: str, source: Source, at: datetime
) -> None:
    """Note what somebody wants, unless they have said something else since.

    Words have the provider's time, in whole seconds at best. That of a refusal may be
    the home's, which may be wrong. So for those, and for words that come at about the
    same time, the order of their coming decides.
    """
    connection.execute(
        "INSERT INTO consent VALUES (?, ?, ?) ON CONFLICT (correspondent) DO UPDATE SET"
        " stopped_at = excluded.stopped_at, source = excluded.source"
        " WHERE excluded.stopped_at >= stopped_at - ? OR ? IN (source, excluded.source)",
        (correspondent, at.timestamp(), source, _AT_ONCE, Source.PROVIDER),
    )
    bump(connection, **{CHANGES: 1})


def _note_listed(
    connection: sqlite3.Connection, listed: Sequence[str], at: datetime
) -> bool:
    added = connection.execute(
        "INSERT OR IGNORE INTO consent SELECT value, ?, ? FROM json_each(?)",
        (at.timestamp(), Source.PROVIDER, json.dumps(listed)),
    ).rowcount
    bump(connection, **{CHANGES: added})
    return bool(added)


def list_stopped(
    connection: sqlite3.Connection, correspondents: Iterable[str]
) -> set[str]:
    """List those of some correspondents who want no more messages."""
    # As one row, for to fetch one is to wait once.
    (stopped,) = connection.execute(
        "SELECT json_group_array(correspondent) FROM consent WHERE correspondent IN"
        " (SELECT value FROM json_each(?)) AND source != ?",
        (json.dumps(list(correspondents)), Source.START),
    ).fetchone()
    return set(json.loads(stopped))


def _read_all(connection: sqlite3.Connection) -> frozenset[str]:
    (stopped,) = connection.execute(
        "SELECT json_group_array(correspondent) FROM consent WHERE source != ?",
        (Source.START,),
    ).fetchone()
    return frozenset(json.loads(stopped))
