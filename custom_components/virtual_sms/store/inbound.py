"""The table of what came in: ids seen, and how far the history is known."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
import json
import sqlite3

from ..adapters.models import InboundMessage, Media, SetAside, SetAsideReason
from .changes import Received, Trust
from .database import Database
from .forgotten import forget_before, recall
from .recovery import BEGUN_ANEW
from .set_aside import SetAsideRow, drop_rows, list_rows, set_aside
from .transaction import Joint

_HORIZON = "horizon"
_PROGRESS = "progress"
_MOST_INBOUND = 50_000
UNPUBLISHED = (
    "SELECT message_id, received_at, late, content FROM inbound "
    "WHERE content IS NOT NULL ORDER BY received_at"
)

type Judge = Callable[[sqlite3.Connection, Received], Received]
"""Says, in the transaction that makes a message new, how it is kept and published.

It may be asked again about a message whose transaction failed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far the provider's record is known, in times of the provider's.

    All before `horizon` is history; up to `progress` the record was read.
    """

    horizon: datetime
    progress: datetime


class InboundTable:
    """Admit each inbound message once, and hand it out until it was published."""

    def __init__(self, database: Database) -> None:
        """Take the way to the disk."""
        self._database = database
        self._run = database.run

    async def begin(
        self, history: Sequence[InboundMessage | SetAside], since: datetime
    ) -> None:
        """Begin the table: what was there before is history and never published."""
        await self._run(lambda connection: _begin(connection, history, since))

    async def bounds(self) -> Bounds | None:
        """Return how far the provider's record is known; None before `begin`."""
        return await self._run(_bounds)

    async def progress(self) -> datetime | None:
        """Return up to when the provider's history is known; None before `begin`."""
        return await self._run(lambda connection: _time(connection, _PROGRESS))

    async def horizon(self) -> datetime | None:
        """Return the time before which everything is history; None before `begin`."""
        return await self._run(lambda connection: _time(connection, _HORIZON))

    async def is_begun_anew(self) -> bool:
        """Say whether the ids of an earlier store were lost."""
        begun = await self._run(lambda connection: _time(connection, BEGUN_ANEW))
        return begun is not None

    async def admit(
        self,
        messages: Iterable[InboundMessage],
        *,
        late: bool,
        then: Callable[[Sequence[Received]], None] | None = None,
        judge: Judge | None = None,
    ) -> list[Received]:
        """Record messages and return those that were not known, oldest first.

        From then on they are safe, and due to be published. `then` gets them
        also when nobody waits any more: recorded, they are known the next time.
        Each is written as `judge` returns it, so what that takes out is on no disk.
        """
        ordered = sorted(messages, key=lambda message: message.received_at)
        received = [Received(message=each, late=late) for each in ordered]
        admission = _Admission(received, judge or _take_as_it_is)
        return await self._run(Joint(_admit_all, admission), then)

    async def advance(self, until: datetime) -> None:
        """Note up to when the provider's history is known; it never goes back."""
        await self._run(
            lambda connection: _set_fact(connection, _PROGRESS, until.timestamp())
        )

    async def correct(self, bounds: Bounds) -> None:
        """Take back bounds that lie beyond what a reading has shown to be true."""
        await self._run(lambda connection: _correct(connection, bounds))

    async def known(self, message_ids: Sequence[str]) -> set[str]:
        """Tell which of some ids have been seen, however long ago."""
        return await self._run(lambda connection: recall(connection, message_ids))

    async def set_aside(
        self, records: Sequence[SetAside], now: datetime
    ) -> list[SetAsideRow]:
        """Keep records that cannot be taken, and return the rows of those kept."""
        return await self._run(lambda connection: set_aside(connection, records, now))

    async def list_set_aside(self) -> list[SetAsideRow]:
        """List the records that cannot be read, those since longest first."""
        rows = await self.list_waiting()
        return [row for row in rows if row.reason is SetAsideReason.UNREADABLE]

    async def list_waiting(self) -> list[SetAsideRow]:
        """List all that is to be read again, incomplete records among them."""
        return await self._run(list_rows)

    async def drop_set_aside(self, record_ids: Sequence[str]) -> None:
        """Wait no more for records: they were taken, or are gone."""
        await self._run(lambda connection: drop_rows(connection, record_ids))

    async def unpublished(self) -> list[Received]:
        """List what was admitted but not published, oldest first."""
        rows = await self._run(
            lambda connection: connection.execute(UNPUBLISHED).fetchall()
        )
        return [_load(*row) for row in rows]


def note_received(connection: sqlite3.Connection, messages: Iterable[Received]) -> None:
    """Note that messages were published; their texts are forgotten."""
    published = [each.message.message_id for each in messages]
    if published:
        connection.execute(
            "UPDATE inbound SET content = NULL "
            "WHERE message_id IN (SELECT value FROM json_each(?))",
            (json.dumps(published),),
        )


def bump(connection: sqlite3.Connection, **counts: int) -> None:
    """Count some more of each, for ever."""
    if any(counts.values()):
        rows = ", ".join(["(?, ?)"] * len(counts))
        connection.execute(
            f"INSERT INTO fact VALUES {rows} "  # noqa: S608  # our own constants
            "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            [*chain.from_iterable(counts.items())],
        )


def prune_inbound(
    connection: sqlite3.Connection, now: datetime, retention: timedelta
) -> int:
    """Forget what is too old, or too much, and raise the horizon to it; count it.

    How old a message is, the provider's clock tells: the time up to which its record
    was read. A home's clock that runs behind may keep more, and never less. What
    came at the horizon itself is kept: only what is before it is history.
    """
    (excess,) = connection.execute(
        "SELECT max(received_at) FROM (SELECT received_at FROM inbound "
        "ORDER BY received_at LIMIT max(0, (SELECT count(*) FROM inbound) - ?))",
        (_MOST_INBOUND,),
    ).fetchone()
    progress = _time(connection, _PROGRESS)
    past = cap_time(connection, now) - retention
    oldest = 0.0 if progress is None else past.timestamp()
    horizon = max(oldest, excess or 0.0)
    count = forget_before(connection, horizon)
    connection.execute(
        "UPDATE fact SET value = max(value, ?) WHERE name = ?", (horizon, _HORIZON)
    )
    return count


def cap_time(connection: sqlite3.Connection, now: datetime) -> datetime:
    """Return the home's time, or that up to which the provider's record was read.

    What is deleted by a clock that is ahead does not come back with the right time.
    """
    progress = _time(connection, _PROGRESS)
    return now if progress is None else min(progress, now)


def _begin(
    connection: sqlite3.Connection,
    history: Sequence[InboundMessage | SetAside],
    since: datetime,
) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO inbound (message_id, received_at, late) VALUES (?, ?, 0)",
        [_describe_history(each, since) for each in history],
    )
    for name in (_HORIZON, _PROGRESS):
        _set_fact(connection, name, since.timestamp())


def _describe_history(
    record: InboundMessage | SetAside, since: datetime
) -> tuple[str, float]:
    if isinstance(record, SetAside):
        return record.record_id, (record.at or since).timestamp()
    return record.message_id, record.received_at.timestamp()


def _bounds(connection: sqlite3.Connection) -> Bounds | None:
    horizon, progress = _time(connection, _HORIZON), _time(connection, _PROGRESS)
    if horizon is None or progress is None:
        return None
    return Bounds(horizon=horizon, progress=progress)


def _correct(connection: sqlite3.Connection, bounds: Bounds) -> None:
    connection.executemany(
        "UPDATE fact SET value = min(value, ?) WHERE name = ?",
        [
            (bounds.horizon.timestamp(), _HORIZON),
            (bounds.progress.timestamp(), _PROGRESS),
        ],
    )


@dataclass(frozen=True, slots=True)
class _Admission:
    """Messages that are recorded if they are new, and how each is judged then."""

    received: Sequence[Received]
    judge: Judge

    def take(self, connection: sqlite3.Connection, seen: set[str]) -> list[Received]:
        """Judge what has not been seen, which it is from then on."""
        new = []
        for each in self.received:
            if each.message.message_id not in seen:
                seen.add(each.message.message_id)
                new.append(self.judge(connection, each))
        return new


def _admit_all(
    connection: sqlite3.Connection, admissions: Sequence[_Admission]
) -> list[list[Received]]:
    """Record messages as they are judged, and return those that were not known."""
    received = chain.from_iterable(each.received for each in admissions)
    seen = recall(connection, [each.message.message_id for each in received])
    admitted = [each.take(connection, seen) for each in admissions]
    new = [*chain.from_iterable(admitted)]
    connection.executemany(
        "INSERT INTO inbound"
        " (message_id, received_at, late, content, correspondent, kept)"
        " VALUES (?, ?, ?, ?, ?, ifnull("
        "(SELECT value > 0 FROM fact WHERE name = 'keep_conversations'), 0))",
        [
            (
                each.message.message_id,
                each.message.received_at.timestamp(),
                each.late,
                _dump(each),
                each.message.sender,
            )
            for each in new
        ],
    )
    bump(connection, received=len(new))
    return admitted


def _take_as_it_is(_: sqlite3.Connection, received: Received) -> Received:
    return received


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


def _dump(received: Received) -> str:
    message = received.message
    media = [[each.url, each.content_type] for each in message.media]
    content = [message.number, message.sender, message.text, message.segments, media]
    return json.dumps([*content, received.trust, received.contact_id])


def _load(message_id: str, received_at: float, late: int, content: str) -> Received:
    number, sender, text, segments, media, *judged = json.loads(content)
    # An earlier release judged nobody.
    trust, contact_id = judged or (Trust.UNKNOWN, None)
    message = InboundMessage(
        message_id=message_id,
        number=number,
        sender=sender,
        text=text,
        received_at=datetime.fromtimestamp(received_at, UTC),
        segments=segments,
        media=tuple(Media(url=url, content_type=kind) for url, kind in media),
    )
    return Received(
        message=message, late=bool(late), trust=Trust(trust), contact_id=contact_id
    )
