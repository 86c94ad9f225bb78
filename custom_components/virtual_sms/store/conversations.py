"""The table of what was written by whom, kept for as long as the home wants to read it.

The tables of what comes in and goes out forget a text as soon as nothing is to be done
with it. Triggers of the schema copy each message here in the transaction that writes it
down, as long as the number keeps conversations at all, and follow its status.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import sqlite3
from typing import Final

from ..adapters.models import DeliveryStatus, Media, RejectReason
from ..adapters.segments import count_segments
from .attachments import PartTypes, find_types
from .changes import Trust
from .database import Database
from .inbound import cap_time

KEEP: Final = "keep_conversations"
"""The fact that says for how many days messages are kept; the triggers read it."""
MOST_AT_ONCE: Final = 100
MOST_CONVERSATIONS: Final = 500
_MOST_MESSAGES: Final = 100_000

_LIST: Final = """
    WITH newest AS (
        SELECT correspondent, max(at) AS last_at
        FROM message INDEXED BY message_correspondent
        GROUP BY correspondent ORDER BY last_at DESC LIMIT ?
    )
    SELECT correspondent, (
        SELECT message_id FROM message INDEXED BY message_correspondent
        WHERE correspondent = newest.correspondent
        ORDER BY at DESC, message_id DESC LIMIT 1
    ) AS message_id, (
        SELECT count(*) FROM message INDEXED BY message_correspondent
        WHERE unread AND correspondent = newest.correspondent
    ) AS unread
    FROM newest ORDER BY last_at DESC, correspondent
"""
PAGE: Final = """
    SELECT * FROM message INDEXED BY message_correspondent
    WHERE correspondent = ? AND (at, message_id) < (?, ?)
    ORDER BY at DESC, message_id DESC LIMIT ?
"""
PRUNE: Final = """
    DELETE FROM message WHERE message_id IN (
        WITH kept AS (
            SELECT at, message_id FROM message INDEXED BY message_correspondent
        )
        SELECT message_id FROM kept WHERE at < ? UNION ALL SELECT * FROM (
            SELECT message_id FROM kept ORDER BY at DESC LIMIT -1 OFFSET ?
        )
    )
"""
_BEYOND: Final = (float("inf"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message of a conversation; only one that we sent has a status.

    `trust` is whom the home believed to have written one that came in.
    """

    message_id: str
    correspondent: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    status: DeliveryStatus | None = None
    reason: RejectReason | None = None
    segments: int
    media: tuple[Media, ...] = ()
    trust: Trust | None = None

    @property
    def is_inbound(self) -> bool:
        """Say whether the correspondent wrote it."""
        return self.status is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was written last with a correspondent, and how much of theirs is unread."""

    last: StoredMessage
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationPage:
    """Some messages of a conversation, newest first, and whether there are older ones."""

    messages: Sequence[StoredMessage]
    more: bool


class Conversations:
    """Read what was written with each correspondent, and forget it."""

    def __init__(self, database: Database) -> None:
        """Take the way to the disk."""
        self._run = database.run
        self._post = database.post
        self._compact = database.compact

    async def keep(self, days: int, now: datetime) -> None:
        """Keep messages for some days from now on; for 0 none, and drop all at once."""

        def operation(connection: sqlite3.Connection) -> int:
            connection.execute(
                "INSERT OR REPLACE INTO fact VALUES (?, ?)", (KEEP, days)
            )
            return prune_messages(connection, now)

        if await self._run(operation):
            self._compact()

    async def list_newest(
        self, limit: int = MOST_CONVERSATIONS
    ) -> Sequence[Conversation]:
        """List conversations, that with the newest message first."""
        return await self._run(lambda connection: _list(connection, limit))

    async def read(
        self, correspondent: str, before: datetime | str | None, limit: int
    ) -> ConversationPage:
        """Read messages older than a time, or than the message of an id.

        Without `before`, and before a message that is gone, the newest.
        """
        return await self._run(
            lambda connection: _read_page(connection, correspondent, before, limit)
        )

    async def get(self, message_id: str) -> StoredMessage | None:
        """Return a message that is kept."""
        return await self._run(lambda connection: _get(connection, message_id))

    def get_later(
        self, message_id: str, then: Callable[[StoredMessage, PartTypes], None]
    ) -> None:
        """Have a message and its files handed over if it is kept, in order of requests.

        A disk that fails now hands nothing over. Raises DatabaseClosedError.
        """

        def operation(
            connection: sqlite3.Connection,
        ) -> tuple[StoredMessage | None, PartTypes]:
            kept = find_types(connection, [message_id])
            return _get(connection, message_id), kept.get(message_id, {})

        def hand_over(found: tuple[StoredMessage | None, PartTypes]) -> None:
            message, kept = found
            if message is not None:
                then(message, kept)

        reading = self._post(operation, hand_over)
        reading.add_done_callback(asyncio.Future.exception)

    async def mark_read(self, correspondent: str) -> bool:
        """Note that all of a correspondent's messages were read; False if all were."""
        return await self._run(
            lambda connection: bool(
                connection.execute(
                    "UPDATE message SET unread = 0 WHERE unread AND correspondent = ?",
                    (correspondent,),
                ).rowcount
            )
        )

    async def forget(self, correspondents: Iterable[str]) -> None:
        """Drop all that was written with some correspondents."""
        listed = json.dumps(list(correspondents))
        await self._run(
            lambda connection: (
                connection.execute(
                    "DELETE FROM message "
                    "WHERE correspondent IN (SELECT value FROM json_each(?))",
                    (listed,),
                ).rowcount
            )
        )
        self._compact()


def prune_messages(connection: sqlite3.Connection, now: datetime) -> int:
    """Drop what is older than the number keeps, or too much; return how many."""
    row = connection.execute(
        "SELECT value FROM fact WHERE name = ?", (KEEP,)
    ).fetchone()
    days = row[0] if row else 0
    past = cap_time(connection, now) - timedelta(days=days)
    oldest = past.timestamp() if days else float("inf")
    return connection.execute(
        PRUNE,
        (oldest, _MOST_MESSAGES),
    ).rowcount


def _list(connection: sqlite3.Connection, limit: int) -> Sequence[Conversation]:
    rows = connection.execute(_LIST, (limit,)).fetchall()
    messages = {
        message_id: message
        for _, message_id, _ in rows
        if (message := _get(connection, message_id))
    }
    return [
        Conversation(last=messages[message_id], unread=unread)
        for _, message_id, unread in rows
    ]


def _read_page(
    connection: sqlite3.Connection,
    correspondent: str,
    before: datetime | str | None,
    limit: int,
) -> ConversationPage:
    limit = min(limit, MOST_AT_ONCE)
    mark = _locate(connection, before)
    rows = connection.execute(PAGE, (correspondent, *mark, limit + 1)).fetchall()
    return ConversationPage(
        messages=[_load(row) for row in rows[:limit]], more=len(rows) > limit
    )


def _locate(
    connection: sqlite3.Connection, before: datetime | str | None
) -> tuple[float, str]:
    """Return the time and the id that all messages asked for stand below."""
    if isinstance(before, datetime):
        return before.timestamp(), ""
    row = connection.execute(
        "SELECT at, message_id FROM message WHERE message_id = ?", (before,)
    ).fetchone()
    return tuple(row) if row else _BEYOND


def _get(connection: sqlite3.Connection, message_id: str) -> StoredMessage | None:
    row = connection.execute(
        "SELECT * FROM message WHERE message_id = ?", (message_id,)
    ).fetchone()
    return row and _load(row)


def _load(row: sqlite3.Row) -> StoredMessage:
    text, segments, media, trust = _READERS[row["status"] is None](row)
    return StoredMessage(
        message_id=row["message_id"],
        correspondent=row["correspondent"],
        text=text,
        at=datetime.fromtimestamp(row["at"], UTC),
        status=row["status"] and DeliveryStatus(row["status"]),
        reason=row["reason"] and RejectReason(row["reason"]),
        segments=segments or count_segments(text).segments,
        media=media,
        trust=trust,
    )


type _Content = tuple[str, int | None, tuple[Media, ...], Trust | None]


def _read_inbound(row: sqlite3.Row) -> _Content:
    _, _, text, segments, media, *judged = json.loads(row["content"])
    return (
        text,
        segments,
        tuple(Media(url=url, content_type=kind) for url, kind in media),
        Trust(judged[0]) if judged else None,
    )


def _read_outbound(row: sqlite3.Row) -> _Content:
    text, media = json.loads(row["content"])
    return text, row["segments"], tuple(Media(url=url) for url in media), None


_READERS: Final = {True: _read_inbound, False: _read_outbound}
"""How a message was written down, by whether it came in."""
