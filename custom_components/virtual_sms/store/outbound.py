"""The table of what went out: where each message stands until nothing can follow.

A message is *due* when something has to be done about it, and its outcome *unknown*
when an attempt to send it has no known end: then the provider must be asked before
another is made. Its text is kept only until the provider has accepted it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import sqlite3

from ..adapters.models import (
    DeliveryReceipt,
    DeliveryStatus,
    OutboundMessage,
    SentMessage,
)
from .changes import Progress, StatusChanged
from .clock import TOLERANCE, SteadyClock
from .clock_offset import make_due, note_offset, read_offset
from .database import Database
from .outbound_moves import (
    STATE,
    claim,
    find,
    find_own,
    move,
    move_own,
    note_price,
    read_progress,
    read_state,
    withdraw,
)
from .outbound_orders import (
    SETTLE,
    WATCH,
    Order,
    add_order,
    list_open,
    note_asked,
)
from .outbound_rows import Due, read_due, read_time
from .prices import NameMonth, list_unpriced, name_utc_month
from .refusals import Refusal, foresee, show_ends
from .usage import Allowance


@dataclass(frozen=True, slots=True)
class Queued:
    """What was written down, and which messages were not, by their ids."""

    changes: list[StatusChanged]
    refusals: Mapping[str, Refusal]


class OutboundTable:
    """Write down each message before it is sent, and only ever move it forward."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], clock: SteadyClock
    ) -> None:
        """Take the way to the disk, the time that people see, and that of our own."""
        self._database = database
        self._run = database.run
        self._now = now
        self._noted_offset = timedelta()
        self.clock = clock
        """All times are its own, but for those that are published, and the provider's."""
        self.name_month: NameMonth = name_utc_month
        """By which calendar costs are counted."""

    async def add(
        self,
        messages: Sequence[OutboundMessage],
        deadline: datetime,
        sent_after: datetime | None = None,
    ) -> list[StatusChanged]:
        """Record messages whose first attempt follows at once."""
        return (await self.queue(messages, deadline, sent_after, None)).changes

    async def queue(
        self,
        messages: Sequence[OutboundMessage],
        deadline: datetime,
        sent_after: datetime | None,
        allowance: Allowance | None,
    ) -> Queued:
        """Record messages as `add` does, but for those that are not to be sent."""
        now = self._now()
        order = Order(messages, deadline, sent_after, self.clock.now(), now, allowance)
        refusals = await self._run(lambda connection: add_order(connection, order))
        kept = [each for each in messages if each.message_id not in refusals]
        return Queued(
            changes=[_first_state(message, now) for message in kept],
            refusals=show_ends(refusals, self.clock.offset),
        )

    async def foresee(
        self, messages: Sequence[OutboundMessage], allowance: Allowance
    ) -> Mapping[str, Refusal]:
        """Return which messages `queue` would not record now, by their ids."""
        now = self.clock.now()
        found = await self._run(
            lambda connection: foresee(connection, messages, allowance, now)
        )
        return show_ends(found, self.clock.offset)

    async def attempt(self, message_id: str) -> bool:
        """Record that an attempt begins: until it ends, its outcome is unknown.

        False when there is nothing left to attempt, or no time.
        """
        now = self.clock.now()
        return await self._update(
            message_id,
            "settled_at = :settled_at, next_at = :next_at",
            "AND deadline > :now",
            now=now.timestamp(),
            settled_at=(now + SETTLE).timestamp(),
            next_at=(now + WATCH).timestamp(),
        )

    async def postpone(self, message_id: str, next_at: datetime) -> None:
        """Record that the message waits; an unknown outcome stays so."""
        await self._update(
            message_id, "next_at = :next_at", next_at=next_at.timestamp()
        )

    async def watch(self, message_id: str) -> None:
        """Record that the message is looked at again a little later."""
        await self.postpone(message_id, self.clock.now() + WATCH)

    async def clear(self, message_id: str, next_at: datetime) -> list[StatusChanged]:
        """Record that the last attempt surely failed, and when to try again."""
        await self._update(
            message_id,
            "next_at = :next_at, settled_at = NULL",
            next_at=next_at.timestamp(),
        )
        return []

    async def doubt(
        self, message_id: str, next_at: datetime, settled_at: datetime
    ) -> list[StatusChanged]:
        """Record that nobody knows whether the last attempt was accepted."""
        is_open = await self._update(
            message_id,
            "next_at = :next_at, settled_at = :settled_at",
            next_at=next_at.timestamp(),
            settled_at=settled_at.timestamp(),
        )
        if not is_open:
            return []
        return await self.end(message_id, Progress(status=DeliveryStatus.UNKNOWN))

    async def accept(self, message_id: str, sent: SentMessage) -> list[StatusChanged]:
        """Record that the provider has the message, and return the changes."""
        progress, now, steady = Progress(status=sent.status), *self._times

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            state = claim(connection, message_id, sent.provider_id, steady)
            state = note_price(connection, state, sent.cost, self._name_month)
            return state and move(connection, state, progress, now)

        change = await self._run(operation)
        return [change] if change else []

    async def end(self, message_id: str, progress: Progress) -> list[StatusChanged]:
        """Move a message as `move` does, and return the changes."""
        change = await self.move(message_id, progress)
        return [change] if change else []

    async def find(self, message_id: str) -> StatusChanged | None:
        """Return where a message stands; None if this table does not know it."""
        return await self._run(lambda connection: find_own(connection, message_id))

    async def withdraw(self, message_id: str) -> list[StatusChanged]:
        """See to it that no attempt follows, and return the changes.

        A message that surely has not left is canceled. Of one that may have left, the
        outcome is still asked for, but it is not sent again.
        """
        steady, now = self.clock.now(), self._now()
        change = await self._run(
            lambda connection: withdraw(connection, message_id, steady, now)
        )
        return [change] if change else []

    async def move(self, message_id: str, progress: Progress) -> StatusChanged | None:
        """Move a message forward and return the change, None if it changes nothing.

        That is for us to say until the provider has accepted the message, and for
        its receipts from then on.
        """
        now = self._now()
        return await self._run(
            lambda connection: move_own(connection, message_id, progress, now)
        )

    async def receive(
        self,
        receipt: DeliveryReceipt,
        then: Callable[[StatusChanged | None], None] | None = None,
    ) -> StatusChanged | None:
        """Apply a receipt and return the change, None if it changes nothing.

        One of a message that nobody knows by its id is left to the next poll, which
        asks where each message stands. `then` gets the change also when nobody waits
        any more.
        """
        progress, now, steady = read_progress(receipt), *self._times

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            state = find(connection, receipt, steady)
            state = note_price(connection, state, receipt.cost, self._name_month)
            return state and move(connection, state, progress, now)

        return await self._run(operation, then)

    async def expects(self, receipt: DeliveryReceipt) -> bool:
        """Say whether a receipt may change a message in this table."""
        ids = (receipt.provider_id, receipt.message_id)
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT status FROM outbound WHERE provider_id = ? "
                "UNION SELECT status FROM outbound WHERE message_id = ?",
                ids,
            ).fetchall()
        )
        return any(not DeliveryStatus(status).is_final for (status,) in rows)

    async def is_claimed(self, provider_id: str) -> bool:
        """Say whether a provider's id belongs to a message in this table."""
        return await self._run(
            lambda connection: (
                connection.execute(
                    "SELECT 1 FROM outbound WHERE provider_id = ?", (provider_id,)
                ).fetchone()
                is not None
            )
        )

    async def count_doubtful(self, recipient: str) -> int:
        """Count the messages to a recipient of which nobody knows what became."""
        (count,) = await self._run(
            lambda connection: connection.execute(
                "SELECT count(*) FROM outbound WHERE recipient = ? AND open "
                "AND provider_id IS NULL AND settled_at IS NOT NULL",
                (recipient,),
            ).fetchone()
        )
        return int(count)

    async def has_duplicate(self, message_id: str) -> bool:
        """Say whether an equal message was not accepted either, as far as we know."""
        return await self._run(
            lambda connection: (
                connection.execute(
                    "SELECT 1 FROM outbound JOIN outbound AS duplicate "
                    "USING (recipient, content) WHERE outbound.message_id = ? "
                    "AND duplicate.message_id != outbound.message_id "
                    "AND duplicate.open AND duplicate.provider_id IS NULL",
                    (message_id,),
                ).fetchone()
                is not None
            )
        )

    async def due(self) -> list[Due]:
        """List what waits for something to be done now, oldest first."""
        now = self.clock.now().timestamp()
        # Left to itself, sqlite would walk through all by age, to save a sort.
        rows = await self._run(
            lambda connection: connection.execute(
                "SELECT * FROM outbound INDEXED BY outbound_due "
                "WHERE next_at <= ? ORDER BY created_at",
                (now,),
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
        """List provider ids whose end is unknown, the longest unasked first.

        The older a message is, the more seldom it is listed.
        """
        now = self.clock.now().timestamp()
        return await self._run(lambda connection: list_open(connection, limit, now))

    def note_asked(self, provider_id: str) -> asyncio.Future[None]:
        """Note that the provider was asked where a message stands, and has answered.

        Not before: what is listed and not asked, for the line closes, is still due.
        """
        now = self.clock.now().timestamp()
        return self._database.post(
            lambda connection: note_asked(connection, provider_id, now)
        )

    async def unpriced(self, limit: int) -> list[str]:
        """List provider ids whose price is to be asked for now, seldomer each time."""
        now = self.clock.now().timestamp()
        return await self._run(lambda connection: list_unpriced(connection, limit, now))

    async def unpublished(self) -> list[StatusChanged]:
        """List the states that were reached but not published."""
        rows = await self._run(
            lambda connection: connection.execute(
                f"SELECT {STATE}, told FROM outbound "  # noqa: S608  # our own constant
                "WHERE told IS NOT status ORDER BY at"
            ).fetchall()
        )
        return [
            read_state(state, DeliveryStatus(told) if told else None)
            for *state, told in rows
        ]

    async def recover(self) -> None:
        """Go on with the clock of an earlier run, and make all that waits due now.

        The request of an attempt that a crash cut short may have left just before,
        and long after it began: the provider may be at work on it still.
        """
        self._noted_offset, newest = await self._run(read_offset)
        self.clock.begin(self._noted_offset, newest)
        now = self.clock.now()
        await self._run(lambda connection: make_due(connection, now, now + SETTLE))

    async def note_clock(self) -> None:
        """Note how far the wall clock has stepped, so that a later run knows it."""
        offset = self.clock.offset
        if abs(offset - self._noted_offset) > TOLERANCE:
            await self._run(lambda connection: note_offset(connection, offset))
            self._noted_offset = offset

    @property
    def _times(self) -> tuple[datetime, datetime]:
        """Return the time that people see, and that of our own."""
        return self._now(), self.clock.now()

    def _name_month(self, steady: datetime) -> str:
        return self.name_month(steady + self.clock.offset)

    async def _update(
        self, message_id: str, change: str, and_if: str = "", **values: float
    ) -> bool:
        """Change a message unless it has been accepted or has ended."""
        count = await self._run(
            lambda connection: (
                connection.execute(
                    f"UPDATE outbound SET {change} "  # noqa: S608  # our own constants
                    f"WHERE message_id = :id AND open AND provider_id IS NULL {and_if}",
                    {"id": message_id, **values},
                ).rowcount
            )
        )
        return bool(count)


def note_changes(
    connection: sqlite3.Connection, changes: Iterable[StatusChanged]
) -> None:
    """Note that changes were published, the last of each message."""
    published = {change.message_id: change.status for change in changes}
    if published:
        connection.execute(
            "UPDATE outbound SET told = each.value FROM json_each(?) AS each "
            "WHERE message_id = each.key",
            (json.dumps(published),),
        )


def _first_state(message: OutboundMessage, now: datetime) -> StatusChanged:
    return StatusChanged(
        message_id=message.message_id,
        provider_id=None,
        recipient=message.recipient,
        contact=message.contact,
        status=DeliveryStatus.QUEUED,
        previous=None,
        at=now,
    )
