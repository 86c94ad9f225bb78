"""Have messages leave while they are being written down.

They leave once it is decided which may, and a crash of Home Assistant would not forget
them; nobody waits for the disk before that. What a power cut forgets is never sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
import logging

from ..adapters.models import DeliveryStatus, OutboundMessage
from ..store.changes import StatusChanged
from ..store.outbound import Leave, Queued
from ..store.outbound_orders import Order
from ..store.outbound_rows import Due
from ..store.whole_call import wait_out
from .outcome import Outcome, queued_or_refused

_LOGGER = logging.getLogger(__name__)

type Report = Callable[[Outcome], None]
type Queue = Callable[[Order, Leave], Awaitable[Queued]]
type Attempt = Callable[[Due, asyncio.Future[bool]], Awaitable[Outcome]]
"""Hands a message over; the future says whether it could be written down."""


class Departure:
    """Some messages that are sent together."""

    def __init__(
        self,
        order: Order,
        attempt: Attempt,
        publish: Callable[[Sequence[StatusChanged]], None],
        report: Report,
    ) -> None:
        """Take the messages, how to send one, and who learns of what."""
        self._order = order
        self._attempt = attempt
        self._publish = publish
        self._report = report
        self._outcomes: dict[str, Outcome] = {}
        self._leaving: list[OutboundMessage] = []
        self._attempts: list[asyncio.Task[None]] = []
        self._is_stopped = False
        self._written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def run(self, queue: Queue) -> list[Outcome]:
        """Write them down, try each once, and say where it stands then.

        Raises what keeps them from leaving. Whoever ends it meanwhile waits until it is
        known what is on disk.
        """
        writing = asyncio.ensure_future(self._write(queue))
        try:
            await asyncio.wait([writing])
            writing.result()
            await asyncio.gather(*self._attempts)
        except asyncio.CancelledError:
            await self._stop(writing)
            raise
        return [self._outcomes[each.message_id] for each in self._order.messages]

    async def _write(self, queue: Queue) -> None:
        queued = await queue(self._order, self._leave)
        self._written.set_result(queued.is_written)
        if queued.is_written:
            self._publish(queued.changes)
        else:
            _LOGGER.warning("Messages leave that cannot be written down now")
        for each in queued_or_refused(self._order.messages, queued):
            if each.message.message_id not in self._outcomes:
                self._note(each)

    def _leave(self, queued: Queued) -> None:
        """Have those leave that are not refused, unless the line closes."""
        if self._is_stopped or self._order.may_have_left:
            return
        self._leaving = [
            each
            for each in self._order.messages
            if each.message_id not in queued.refusals
        ]
        self._attempts += [
            asyncio.Task(self._send(each), eager_start=True) for each in self._leaving
        ]

    async def _send(self, message: OutboundMessage) -> None:
        order = self._order
        due = Due(message=message, deadline=order.deadline, sent_after=order.sent_after)
        outcome = await self._attempt(due, self._written)
        self._note(outcome)
        if not await asyncio.shield(self._written):
            self._note(replace(outcome, is_remembered=False))

    async def _stop(self, writing: asyncio.Future[None]) -> None:
        """Make no attempt any more, and learn what is on disk."""
        self._is_stopped = True
        for attempt in self._attempts:
            attempt.cancel()
        await wait_out(writing)
        if not self._leaving:
            writing.result()
        for each in self._leaving:
            # Home Assistant may have ended the writing as well.
            if each.message_id not in self._outcomes:
                self._note(Outcome(message=each, status=DeliveryStatus.UNKNOWN))

    def _note(self, outcome: Outcome) -> None:
        self._outcomes[outcome.message.message_id] = outcome
        self._report(outcome)
