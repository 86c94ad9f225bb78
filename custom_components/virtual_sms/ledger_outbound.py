"""The book of what went out: where each message stands until nothing can follow.

A message is *due* when something has to be done about it, and *doubtful* when an
attempt to send it has no known end: then the provider must be asked before
another is made. Its text is kept only until the provider has accepted it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
import json
import sqlite3

from .adapters.models import (
    DeliveryReceipt,
    DeliveryStatus,
    OutboundMessage,
    SentMessage,
)
from .announcements import StatusChanged
from .ledger_early import Progress, keep_early, take_early
from .ledger_inbound import Run, bump
from .ledger_rows import Due, read_change, read_due, read_time

SETTLE = timedelta(seconds=20)
"""How long a provider may still be working on a request that got no answer."""
_FAILURES = (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)


class OutboundRecords:
    """Write down each message before it is sent, and only ever move it forward."""

    def __init__(self, run: Run, now: Callable[[], datetime]) -> None:
        """Take the way to the disk and the clock."""
        self._run = run
        self._now = now

    async def add(
        self, messages: Sequence[OutboundMessage], deadline: datetime
    ) -> list[StatusChanged]:
        """Record messages whose first attempt follows at once."""
        now = self._now()

        def operation(connection: sqlite3.Connection) -> list[StatusChanged]:
            for message in messages:
                _insert(connection, message, deadline, now)
            return [_first_state(message, now) for message in messages]

        return await self._run(operation)

    async def attempt(self, message_id: str) -> bool:
        """Record that an attempt begins: until it ends, its outcome is in doubt.

        False when there is nothing left to attempt.
        """
        settled_at = (self._now() + SETTLE).timestamp()
        return await self._update(
            message_id,
            "settled_at = :settled_at, next_at = NULL",
            settled_at=settled_at,
        )

    async def postpone(self, message_id: str, next_at: datetime) -> None:
        """Record that the message waits; what is in doubt stays so."""
        await self._update(
            message_id, "next_at = :next_at", next_at=next_at.timestamp()
        )

    async def clear(self, message_id: str, next_at: datetime) -> None:
        """Record that the last attempt surely failed, and when to try again."""
        await self._update(
            message_id,
            "next_at = :next_at, settled_at = NULL",
            next_at=next_at.timestamp(),
        )

    async def doubt(
        self, message_id: str, next_at: datetime, settled_at: datetime
    ) -> StatusChanged | None:
        """Record that nobody knows whether the last attempt was accepted."""
        is_open = await self._update(
            message_id,
            "next_at = :next_at, settled_at = :settled_at",
            next_at=next_at.timestamp(),
            settled_at=settled_at.timestamp(),
        )
        if not is_open:
            return None
        return await self.move(message_id, Progress(status=DeliveryStatus.UNKNOWN))

    async def accept(self, message_id: str, sent: SentMessage) -> list[StatusChanged]:
        """Record that the provider has the message, with what it said of it early."""
        now = self._now()

        def operation(connection: sqlite3.Connection) -> list[StatusChanged]:
            if not _claim(connection, message_id, sent.provider_id):
                return []
            steps = [
                Progress(status=sent.status),
                *take_early(connection, sent.provider_id),
            ]
            moves = [
                _move(connection, row, step, now)
                for step in steps
                if (row := _row(connection, message_id))
            ]
            return [change for change in moves if change is not None]

        return await self._run(operation)

    async def move(self, message_id: str, progress: Progress) -> StatusChanged | None:
        """Move a message forward and return the change, None if it is no news.

        That is for us to say until the provider has accepted the message, and for
        its receipts from then on.
        """
        now = self._now()

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            row = _row(connection, message_id)
            if row is None or row["provider_id"]:
                return None
            return _move(connection, row, progress, now)

        return await self._run(operation)

    async def receive(
        self,
        receipt: DeliveryReceipt,
        then: Callable[[StatusChanged | None], None] | None = None,
    ) -> StatusChanged | None:
        """Apply a receipt, or keep it for a message whose acceptance is under way.

        Returns the change, None if it is no news; `then` hears of it also when
        nobody waits any more.
        """
        now = self._now()
        progress = Progress(
            status=receipt.status,
            reason=receipt.reason,
            error_code=receipt.error_code,
            at=receipt.at,
        )

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            row = _find(connection, receipt)
            if row is None:
                keep_early(connection, receipt, now)
                return None
            return _move(connection, row, progress, now)

        return await self._run(operation, then)

    async def owns(self, receipt: DeliveryReceipt) -> bool:
        """Say whether a receipt speaks of a message in this book."""
        return await self._run(
            lambda connection: _find(connection, receipt) is not None
        )

    async def is_claimed(self, provider_id: str) -> bool:
        """Say whether a provider's id belongs to a message in this book."""
        return await self._run(
            lambda connection: _message_id(connection, provider_id) is not None
        )

    async def has_twin(self, message_id: str) -> bool:
        """Say whether an equal message was not accepted either, as far as we know."""
        return await self._run(
            lambda connection: (
                connection.execute(
                    "SELECT 1 FROM outbound JOIN outbound AS twin "
                    "USING (recipient, content) WHERE outbound.message_id = ? "
                    "AND twin.message_id != outbound.message_id "
                    "AND twin.open AND twin.provider_id IS NULL",
                    (message_id,),
                ).fetchone()
                is not None
            )
        )

    async def due(self) -> list[Due]:
        """List what waits for something to be done now, oldest first."""
        now = self._now().timestamp()
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT * FROM outbound WHERE next_at <= ? ORDER BY created_at", (now,)
            ).fetchall()
        )
        return [read_due(row) for row in rows]

    async def next_due(self) -> datetime | None:
        """Return when the next message is due."""
        (when,) = await self._run(
            lambda connection: connection.execute(
                "SELECT min(next_at) FROM outbound WHERE next_at IS NOT NULL"
            ).fetchone()
        )
        return None if when is None else read_time(when)

    async def open_deliveries(self, limit: int) -> list[str]:
        """List provider ids whose end is unknown, the longest unasked first."""
        now = self._now().timestamp()
        return await self._run(lambda connection: _open(connection, limit, now))

    async def untold(self) -> list[StatusChanged]:
        """List the states that were reached but not announced."""
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT * FROM outbound WHERE told IS NOT status ORDER BY at"
            ).fetchall()
        )
        return [
            read_change(row, DeliveryStatus(row["told"]) if row["told"] else None)
            for row in rows
        ]

    async def recover(self) -> None:
        """Make every attempt that a crash cut short due, in doubt as it is.

        Its request may have left just before the crash, and long after the attempt
        began: the provider may be at work on it still.
        """
        now = self._now()
        await self._run(
            lambda connection: (
                connection.execute(
                    "UPDATE outbound SET next_at = ?, settled_at = ? "
                    "WHERE open AND provider_id IS NULL AND next_at IS NULL",
                    (now.timestamp(), (now + SETTLE).timestamp()),
                ).rowcount
            )
        )

    async def _update(self, message_id: str, change: str, **values: float) -> bool:
        """Change a message unless it has been accepted or has ended."""
        count = await self._run(
            lambda connection: (
                connection.execute(
                    f"UPDATE outbound SET {change} "  # noqa: S608  # our own constants
                    "WHERE message_id = :id AND open AND provider_id IS NULL",
                    {"id": message_id, **values},
                ).rowcount
            )
        )
        return bool(count)


def note_changes(
    connection: sqlite3.Connection, changes: Iterable[StatusChanged]
) -> None:
    """Note that changes were announced, the last of each message."""
    told = {change.message_id: change.status for change in changes}
    connection.execute(
        "UPDATE outbound SET told = each.value FROM json_each(?) AS each "
        "WHERE message_id = each.key",
        (json.dumps(told),),
    )


def _insert(
    connection: sqlite3.Connection,
    message: OutboundMessage,
    deadline: datetime,
    now: datetime,
) -> None:
    connection.execute(
        "INSERT INTO outbound (message_id, recipient, content, status, at, created_at,"
        " deadline, settled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.message_id,
            message.recipient,
            json.dumps([message.text, message.media]),
            DeliveryStatus.QUEUED,
            now.timestamp(),
            message.created_at.timestamp(),
            deadline.timestamp(),
            (now + SETTLE).timestamp(),
        ),
    )


def _row(connection: sqlite3.Connection, message_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM outbound WHERE message_id = ?", (message_id,)
    ).fetchone()
    return row


def _message_id(connection: sqlite3.Connection, provider_id: str) -> str | None:
    row = connection.execute(
        "SELECT message_id FROM outbound WHERE provider_id = ?", (provider_id,)
    ).fetchone()
    return row[0] if row else None


def _find(
    connection: sqlite3.Connection, receipt: DeliveryReceipt
) -> sqlite3.Row | None:
    """Return the message a receipt speaks of, learning the provider's id."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM outbound WHERE provider_id = ?", (receipt.provider_id,)
    ).fetchone()
    ours = receipt.message_id
    if row is None and ours and _claim(connection, ours, receipt.provider_id):
        return _row(connection, ours)
    return row


def _claim(connection: sqlite3.Connection, message_id: str, provider_id: str) -> bool:
    """Give a message its provider's id, once; its text is needed no more."""
    if _message_id(connection, provider_id) == message_id:
        return True
    claimed = connection.execute(
        "UPDATE OR IGNORE outbound SET provider_id = ?, content = NULL, next_at = NULL "
        "WHERE message_id = ? AND provider_id IS NULL AND open",
        (provider_id, message_id),
    ).rowcount
    if claimed:
        bump(connection, "sent")
    return bool(claimed)


def _move(
    connection: sqlite3.Connection,
    row: sqlite3.Row,
    progress: Progress,
    now: datetime,
) -> StatusChanged | None:
    previous = DeliveryStatus(row["status"])
    if progress.status.rank <= previous.rank:
        return None
    final = progress.status.is_final
    # Providers round their times: no state may seem older than the one before it.
    at = max((progress.at or now).timestamp(), row["at"])
    connection.execute(
        "UPDATE outbound SET status = :status, reason = :reason, error_code = :code,"
        " at = :at, open = NOT :final, next_at = iif(:final, NULL, next_at),"
        " content = iif(:final, NULL, content) WHERE message_id = :id",
        {
            "status": progress.status,
            "reason": progress.reason,
            "code": progress.error_code,
            "at": at,
            "final": final,
            "id": row["message_id"],
        },
    )
    if progress.status in _FAILURES:
        bump(connection, "failed")
    return StatusChanged(
        message_id=row["message_id"],
        provider_id=row["provider_id"],
        recipient=row["recipient"],
        status=progress.status,
        previous=previous,
        reason=progress.reason,
        error_code=progress.error_code,
        at=read_time(at),
    )


def _open(connection: sqlite3.Connection, limit: int, now: float) -> list[str]:
    rows = connection.execute(
        "SELECT provider_id FROM outbound "
        "WHERE open AND provider_id IS NOT NULL ORDER BY checked_at LIMIT ?",
        (limit,),
    ).fetchall()
    connection.executemany(
        "UPDATE outbound SET checked_at = ? WHERE provider_id = ?",
        [(now, provider_id) for (provider_id,) in rows],
    )
    return [provider_id for (provider_id,) in rows]


def _first_state(message: OutboundMessage, now: datetime) -> StatusChanged:
    return StatusChanged(
        message_id=message.message_id,
        provider_id=None,
        recipient=message.recipient,
        status=DeliveryStatus.QUEUED,
        previous=None,
        at=now,
    )
