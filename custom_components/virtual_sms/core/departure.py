"""Have messages leave while they are being written down.

Which may is decided in memory, so nobody waits for the disk before that. What a crash
forgets is never sent again. Only what was planned is on disk first: its record at the
provider must not be taken for that of an alarm to the same person.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
import logging
import sqlite3
from typing import Any, Protocol

from ..adapters.models import DeliveryStatus, OutboundMessage
from ..store.outbound import OutboundTable, Queued
from ..store.outbound_orders import Order
from ..store.outbound_rows import Due
from ..store.whole_call import wait_out
from .outcome import Outcome, refused
from .results import Results

DISK_TROUBLE = (OSError, sqlite3.OperationalError)
"""What keeps no message from leaving: the disk takes nothing."""
_LOGGER = logging.getLogger(__name__)

type Report = Callable[[Outcome], None]


class Attempt(Protocol):
    """Hands a message over; the future says whether it could be written down."""

    async def __call__(self, due: Due, written: asyncio.Future[bool]) -> Outcome:
        """Return where it stands then."""


class Departure:
    """Some messages that are sent together."""

    def __init__(
        self, order: Order, records: OutboundTable, results: Results, report: Report
    ) -> None:
        """Take the messages, where they are written down, and who learns of what."""
        self._order = order
        self._records = records
        self._results = results
        self._report = report
        self._outcomes: dict[str, Outcome] = {}
        self._attempts: list[asyncio.Task[None]] = []
        self._trouble: BaseException | None = None
        self._is_stopped = False
        self._written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def begin(self, attempt: Attempt, *, is_planned: bool = False) -> None:
        """Begin to write them down, and have those leave that are not refused.

        What is planned leaves once it is on disk, or the disk has failed. Raises
        DatabaseClosedError, and then none leaves.
        """
        queued = self._records.queue(self._order)
        leave = partial(self._leave, queued.kept, attempt)
        conclude = partial(self._conclude, queued, leave if is_planned else None)
        queued.written.add_done_callback(lambda _: conclude())
        for each in refused(self._order.messages, queued.refusals):
            self._note(each)
        if not is_planned and not self._order.may_have_left:
            leave()

    def _leave(self, kept: Sequence[OutboundMessage], attempt: Attempt) -> None:
        # The first in this very step, and not all of them, to hold up nobody else.
        self._attempts = [
            asyncio.Task(self._send(each, attempt), eager_start=number == 0)
            for number, each in enumerate(kept)
        ]

    async def finish(self) -> list[Outcome]:
        """Return where they stand once each was tried, and all is on disk.

        Raises what keeps them from the disk if they have not left. Whoever ends it
        meanwhile waits until it is known what is on disk.
        """
        try:
            while going_on := self._going_on:
                await asyncio.wait(going_on)
        except asyncio.CancelledError as err:
            self._is_stopped = True
            for attempt in self._attempts:
                attempt.cancel()
            await wait_out(self._written)
            if self._trouble is not None:
                raise self._trouble from err
            raise
        if self._trouble is not None:
            raise self._trouble
        for attempt in self._attempts:
            attempt.result()
        return [self._outcomes[each.message_id] for each in self._order.messages]

    @property
    def _going_on(self) -> list[asyncio.Future[Any]]:
        every: list[asyncio.Future[Any]] = [self._written, *self._attempts]
        return [each for each in every if not each.done()]

    def _conclude(self, queued: Queued, leave: Callable[[], None] | None) -> None:
        """Say what is on disk now, and what could not be written down."""
        trouble = queued.written.exception()
        if trouble is None:
            self._results.publish(queued.changes)
        elif self._order.may_have_left or (
            leave is not None and not isinstance(trouble, DISK_TROUBLE)
        ):
            self._stay(queued, trouble)
        else:
            _LOGGER.warning("Messages leave that cannot be written down now")
        if queued.kept and self._trouble is None:
            self._results.note(works=trouble is None)
            self._note_all(queued.kept, is_written=trouble is None)
            if leave is not None and not self._is_stopped:
                leave()
        self._written.set_result(trouble is None)

    def _stay(self, queued: Queued, trouble: BaseException) -> None:
        """Forget what has not left in this run, and is on no disk."""
        for each in queued.kept:
            self._records.forget(each.message_id)
        if not isinstance(trouble, sqlite3.OperationalError):
            self._trouble = trouble

    def _note_all(self, kept: Sequence[OutboundMessage], *, is_written: bool) -> None:
        """Note where those stand of which nothing is known yet, and what is forgotten."""
        status = DeliveryStatus.QUEUED if is_written else DeliveryStatus.UNKNOWN
        for each in kept:
            known = self._outcomes.get(each.message_id)
            if known is None:
                self._note(
                    Outcome(message=each, status=status, is_remembered=is_written)
                )
            elif not is_written:
                self._note(replace(known, is_remembered=False))

    async def _send(self, message: OutboundMessage, attempt: Attempt) -> None:
        order = self._order
        due = Due(message=message, deadline=order.deadline, sent_after=order.sent_after)
        outcome = await attempt(due, self._written)
        if self._written.done() and not self._written.result():
            outcome = replace(outcome, is_remembered=False)
        self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        self._outcomes[outcome.message.message_id] = outcome
        self._report(outcome)
