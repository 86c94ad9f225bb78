"""The book of what came in: ids seen, and how far the history is known."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
import json
import sqlite3

from .adapters.models import InboundMessage, Media
from .announcements import Received
from .journal import Journal

_HORIZON = "horizon"
_PROGRESS = "progress"


class InboundRecords:
    """Admit each inbound message once, and hand it out until it was announced."""

    def __init__(self, journal: Journal, now: Callable[[], datetime]) -> None:
        """Take the way to the disk."""
        self._journal = journal
        self._run = journal.run
        self._now = now

    async def begin(self, history: Sequence[InboundMessage], since: datetime) -> None:
        """Start the book: what was there before is history and never announced."""
        await self._run(lambda connection: _begin(connection, history, since))

    async def progress(self) -> datetime | None:
        """Return up to when the provider's history is known; None before `begin`."""
        return await self._run(lambda connection: _time(connection, _PROGRESS))

    async def horizon(self) -> datetime:
        """Return the time before which everything is history."""
        horizon = await self._run(lambda connection: _time(connection, _HORIZON))
        return horizon or self._now()

    async def admit(
        self,
        messages: Iterable[InboundMessage],
        *,
        late: bool,
        then: Callable[[Sequence[Received]], None] | None = None,
    ) -> list[Received]:
        """Record messages and return those that are news, oldest first.

        From then on they are safe, and due to be announced. `then` hears of them
        also when nobody waits any more: recorded, they are no news the next time.
        """
        ordered = sorted(messages, key=lambda message: message.received_at)
        received = [Received(message=each, late=late) for each in ordered]
        return await self._journal.post(_admit, received, then)

    async def advance(self, until: datetime) -> None:
        """Note up to when the provider's history is known; it never goes back."""
        await self._run(
            lambda connection: _set_fact(connection, _PROGRESS, until.timestamp())
        )

    async def known(self, message_ids: Sequence[str]) -> set[str]:
        """Tell which of some ids have been seen."""
        return await self._run(lambda connection: _known(connection, message_ids))

    async def untold(self) -> list[Received]:
        """List what was admitted but not announced, oldest first."""
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT message_id, received_at, late, content FROM inbound "
                "WHERE content IS NOT NULL ORDER BY received_at"
            ).fetchall()
        )
        return [
            Received(message=_load(message_id, received_at, content), late=bool(late))
            for message_id, received_at, late, content in rows
        ]


def note_received(connection: sqlite3.Connection, messages: Iterable[Received]) -> None:
    """Note that messages were announced; their texts are forgotten."""
    told = [each.message.message_id for each in messages]
    if told:
        connection.execute(
            "UPDATE inbound SET content = NULL "
            "WHERE message_id IN (SELECT value FROM json_each(?))",
            (json.dumps(told),),
        )


def bump(connection: sqlite3.Connection, counter: str, by: int) -> None:
    """Count some more, for ever."""
    if by:
        connection.execute(
            "INSERT INTO fact VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (counter, by),
        )


def _begin(
    connection: sqlite3.Connection, history: Sequence[InboundMessage], since: datetime
) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO inbound (message_id, received_at, late) VALUES (?, ?, 0)",
        [(each.message_id, each.received_at.timestamp()) for each in history],
    )
    for name in (_HORIZON, _PROGRESS):
        _set_fact(connection, name, since.timestamp())


def _admit(
    connection: sqlite3.Connection, deliveries: Sequence[Sequence[Received]]
) -> list[list[Received]]:
    """Record deliveries, and return what is news of each."""
    seen = _known(
        connection, [each.message.message_id for some in deliveries for each in some]
    )
    news = [
        [each for each in some if _is_first(each.message.message_id, seen)]
        for some in deliveries
    ]
    _insert(connection, [each for some in news for each in some])
    return news


def _is_first(message_id: str, seen: set[str]) -> bool:
    if message_id in seen:
        return False
    seen.add(message_id)
    return True


def _known(connection: sqlite3.Connection, message_ids: Sequence[str]) -> set[str]:
    # As one row, for to fetch one is to wait once.
    (known,) = connection.execute(
        "SELECT json_group_array(message_id) FROM inbound "
        "WHERE message_id IN (SELECT value FROM json_each(?))",
        (json.dumps(message_ids),),
    ).fetchone()
    return set(json.loads(known))


def _insert(connection: sqlite3.Connection, news: Sequence[Received]) -> None:
    rows = [
        (
            each.message.message_id,
            each.message.received_at.timestamp(),
            each.late,
            _dump(each.message),
        )
        for each in news
    ]
    if rows:
        connection.execute(
            "INSERT INTO inbound (message_id, received_at, late, content) SELECT"
            " value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
            (json.dumps(rows),),
        )
    bump(connection, "received", len(rows))


def _set_fact(connection: sqlite3.Connection, name: str, value: float) -> None:
    connection.execute(
        "INSERT INTO fact VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (name, value),
    )


def _time(connection: sqlite3.Connection, name: str) -> datetime | None:
    row = connection.execute(
        "SELECT value FROM fact WHERE name = ?", (name,)
    ).fetchone()
    return datetime.fromtimestamp(row[0], UTC) if row else None


def _dump(message: InboundMessage) -> str:
    media = [[each.url, each.content_type] for each in message.media]
    return json.dumps(
        [message.number, message.sender, message.text, message.segments, media]
    )


def _load(message_id: str, received_at: float, content: str) -> InboundMessage:
    number, sender, text, segments, media = json.loads(content)
    return InboundMessage(
        message_id=message_id,
        number=number,
        sender=sender,
        text=text,
        received_at=datetime.fromtimestamp(received_at, UTC),
        segments=segments,
        media=tuple(Media(url=url, content_type=kind) for url, kind in media),
    )
