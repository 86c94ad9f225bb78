"""Who wants no more messages from a line, and since when.

A message is written down only for those who do not mind, which is looked up in the
same transaction. What was said last counts, in whatever order it becomes known.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
import json
import sqlite3

from .database import Database

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

    async def list_stopped(self, correspondents: Iterable[str]) -> set[str]:
        """List those of some correspondents who want no more messages."""
        asked = list(correspondents)
        return await self._run(lambda connection: list_stopped(connection, asked))

    async def note_listed(self, correspondents: Iterable[str], at: datetime) -> bool:
        """Note whom a provider lists as opted out; False if that is nothing new.

        Its list does not tell since when. So whoever has given their consent by a word
        is left alone: if the provider still minds, it refuses the next message.
        """
        listed = json.dumps(list(correspondents))
        return await self._run(
            lambda connection: bool(
                connection.execute(
                    "INSERT OR IGNORE INTO consent"
                    " SELECT value, ?, ? FROM json_each(?)",
                    (at.timestamp(), Source.PROVIDER, listed),
                ).rowcount
            )
        )


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
