"""The table of what went out: where each message stands until nothing can follow.

A message is *due* when something has to be done about it, and its outcome *unknown*
when an attempt to send it has no known end: then the provider must be asked before
another is made. Its text is kept only until the provider has accepted it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
import sqlite3

from ..adapters.models import (
    DeliveryReceipt,
    DeliveryStatus,
    OutboundMessage,
    SentMessage,
)
from .changes import Progress, StatusChanged
from .clock import SteadyClock
from .clock_offset import ClockNotes, make_due, read_newest
from .database import Database, DatabaseClosedError
from .outbound_lookups import OutboundLookups
from .outbound_moves import (
    claim,
    find_own,
    move,
    move_own,
    note_price,
    wait,
    withdraw,
)
from .outbound_orders import (
    RECONCILE_AFTER,
    WATCH,
    Intent,
    Left,
    Line,
    Order,
    first_state,
    note_asked,
    restore,
    restore_all,
    write_all,
)
from .prices import NameMonth, name_utc_month
from .receipts import Arrival, receive_all
from .refusals import Refusal, Rules, show_ends
from .transaction import Joint, Operation
from .usage import Allowance

type Written = asyncio.Future[list[StatusChanged]]
"""The changes, once they are on disk."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What is being written down, and which messages were refused, by their ids.

    `written` raises what keeps it from the disk.
    """

    kept: Sequence[OutboundMessage]
    now: datetime
    refusals: Mapping[str, Refusal]
    written: asyncio.Future[None]

    @property
    def changes(self) -> list[StatusChanged]:
        """Return the first states of what is written down."""
        return [first_state(each, self.now) for each in self.kept]


class OutboundTable(OutboundLookups):
    """Write down each message that is sent, and only ever move it forward."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        clock: SteadyClock,
        rules: Rules,
    ) -> None:
        """Take the way to the disk, both times, and who decides what may be sent."""
        super().__init__(database, clock)
        self._rules = rules
        self._run = database.run
        self._now = now
        self._clock_notes = ClockNotes(database, clock)
        self.name_month: NameMonth = name_utc_month
        """By which calendar costs are counted."""
        self._leaving: list[Line] = []
        self.unwritten: dict[str, Left] = {}
        """What may have left and is not on disk, by its id."""
        database.journal.is_needed = lambda: bool(self.unwritten)

    async def add(
        self,
        messages: Sequence[OutboundMessage],
        deadline: datetime,
        sent_after: datetime | None = None,
    ) -> list[StatusChanged]:
        """Record messages whose first attempt follows at once."""
        queued = self.queue(self.order(messages, deadline, sent_after))
        await queued.written
        return queued.changes

    def order(
        self,
        messages: Sequence[OutboundMessage],
        deadline: datetime,
        sent_after: datetime | None = None,
        allowance: Allowance | None = None,
        *,
        may_have_left: bool = False,
    ) -> Order:
        """Have messages sent from now until a deadline, as far as they are allowed.

        What may have left before this run is looked for as what a crash cut short is.
        """
        now, steady = self._times
        if may_have_left:
            begun_at, sent_after = self.clock.begun_at, None
            messages = [replace(each, created_at=begun_at) for each in messages]
        return Order(
            messages, deadline, sent_after, steady, now, allowance, may_have_left
        )

    async def require_new(self, message_ids: Iterable[str]) -> None:
        """Raise sqlite3.IntegrityError if a message was handed over before."""
        for each in message_ids:
            if await self.find(each):
                raise sqlite3.IntegrityError

    def queue(self, order: Order) -> Queued:
        """Decide which messages may leave, and begin to write those down.

        They may leave at once, and count from now on. Raises DatabaseClosedError.
        """
        decision = self._rules.take(order.messages, order.allowance, order.steady)
        uses = decision.uses
        kept = [each for each in order.messages if each.message_id in uses]
        try:
            written = self._write(order, kept)
        except DatabaseClosedError:
            self._rules.give_back(uses.values())
            raise
        for each in kept:
            self.unwritten[each.message_id] = Left(each, order, uses[each.message_id])
        return Queued(
            kept=kept,
            now=order.now,
            refusals=show_ends(decision.refusals, self.clock.offset),
            written=written,
        )

    def _write(
        self, order: Order, kept: Sequence[OutboundMessage]
    ) -> asyncio.Future[None]:
        def conclude(written: asyncio.Future[None]) -> None:
            if written.exception() is None:
                for each in kept:
                    self.unwritten.pop(each.message_id, None)

        self._database.require_open()
        if not kept:
            return _done()
        intent = Intent.of(order, kept)
        self._note_in_journal(intent)
        written = self._database.post(Joint(write_all, intent))
        written.add_done_callback(conclude)
        return written

    def _note_in_journal(self, intent: Intent) -> None:
        """Note it in the next step, with all that leaves in this one, which goes first."""
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._note_leaving)
        self._leaving += intent.lines

    def _note_leaving(self) -> None:
        lines, self._leaving = self._leaving, []
        self._database.journal.note(lines)

    def forget(self, message_id: str) -> None:
        """Forget a message that could not be written down, and surely has not left."""
        left = self.unwritten.pop(message_id, None)
        self._rules.give_back([left.use] if left else [])
        self._database.journal.void(message_id)

    def foresee(
        self, messages: Sequence[OutboundMessage], allowance: Allowance
    ) -> Mapping[str, Refusal]:
        """Return which messages `queue` would refuse now, by their ids."""
        found = self._rules.foresee(messages, allowance, self.clock.now())
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
            settled_at=(now + RECONCILE_AFTER).timestamp(),
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

    def clear(self, message_id: str, next_at: datetime) -> Written:
        """Record that the last attempt surely failed, and when to try again."""

        def operation(connection: sqlite3.Connection) -> None:
            wait(connection, message_id, next_at, None)

        return self._post(message_id, operation)

    def note_unknown(
        self, message_id: str, next_at: datetime, settled_at: datetime
    ) -> Written:
        """Record that nobody knows whether the last attempt was accepted."""
        unknown, now = Progress(status=DeliveryStatus.UNKNOWN), self._now()

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            if not wait(connection, message_id, next_at, settled_at):
                return None
            return move_own(connection, message_id, unknown, now)

        return self._post(message_id, operation)

    def accept(self, message_id: str, sent: SentMessage) -> Written:
        """Record that the provider has the message, and return the changes."""
        progress, now = Progress(status=sent.status), self._now()

        def operation(connection: sqlite3.Connection) -> StatusChanged | None:
            state = claim(connection, message_id, sent.provider_id)
            state = note_price(connection, state, sent.cost, self._name_month)
            return state and move(connection, state, progress, now)

        return self._post(message_id, operation)

    def end(self, message_id: str, progress: Progress) -> Written:
        """Move a message as `move` does, and return the changes."""
        now = self._now()
        return self._post(
            message_id,
            lambda connection: move_own(connection, message_id, progress, now),
        )

    def _post(
        self, message_id: str, operation: Operation[StatusChanged | None]
    ) -> Written:
        """Record what became of a message, and the message itself if need be."""

        def whole(connection: sqlite3.Connection) -> list[StatusChanged]:
            left, first = self.unwritten.get(message_id), []
            if left is not None and restore(connection, left):
                first = [first_state(left.message, left.order.now)]
            change = operation(connection)
            return [*first, change] if change else first

        def then(_: object) -> None:
            self.unwritten.pop(message_id, None)

        return self._database.post(whole, then)

    async def find(self, message_id: str) -> StatusChanged | None:
        """Return where a message stands; None if this table does not know it.

        What has left and is not on disk is known all the same.
        """
        found = await self._database.read(
            lambda connection: find_own(connection, message_id)
        )
        left = self.unwritten.get(message_id)
        return found or (first_state(left.message, left.order.now) if left else None)

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
        arrival = Arrival(receipt, self._now())
        return await self._run(Joint(self._receive_all, arrival), then)

    def _receive_all(
        self, connection: sqlite3.Connection, arrivals: Sequence[Arrival]
    ) -> list[StatusChanged | None]:
        return receive_all(connection, arrivals, self._name_month)

    def note_asked(self, provider_id: str) -> asyncio.Future[None]:
        """Note that the provider was asked where a message stands, and has answered.

        Not before: what is listed and not asked, for the line closes, is still due.
        """
        now = self.clock.now().timestamp()
        return self._database.note(
            lambda connection: note_asked(connection, provider_id, now)
        )

    async def recover(self) -> None:
        """Go on with the clock of an earlier run, and make all that waits due now.

        The request of an attempt that a crash cut short may have left just before,
        and long after it began: the provider may be at work on it still.
        """
        journal = self._database.journal
        await self._run(
            lambda connection: restore_all(
                connection, journal.read_kept(), journal.read()
            )
        )
        await self._database.read(lambda _: journal.open())
        await self._clock_notes.begin(read_newest)
        now = self.clock.now()
        await self._run(
            lambda connection: make_due(connection, now, now + RECONCILE_AFTER)
        )

    async def note_clock(self, *, always: bool = False) -> None:
        """Note how far the wall clock has stepped, so that a later run knows it."""
        if noting := self.note_clock_soon(always=always):
            await noting

    def note_clock_soon(self, *, always: bool = False) -> asyncio.Future[None] | None:
        """Note it before all that is written from now on; None if it is noted."""
        return self._clock_notes.note_soon(always=always)

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


def _done() -> asyncio.Future[None]:
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
