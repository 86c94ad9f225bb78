"""Send each message at most once, and never drop one silently.

A message leaves while it is being written down, and what is not on disk is never sent
again. What keeps it from the provider for the moment (an outage, a limit) is waited out
with growing pauses until its deadline. Where its outcome is unknown (a timeout, a
crash), the provider's own record decides before another attempt is made.

Every message that is not accepted has a next time at which `work` takes it up, so
that none depends on an answer, or on a disk, that may never come.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
import logging
import sqlite3
from uuid import uuid7

from ..adapters.errors import (
    MessageRejectedError,
    ProviderUnavailableError,
    SendOutcomeUnknownError,
    SmsError,
)
from ..adapters.models import (
    DeliveryStatus,
    OutboundMessage,
    RejectReason,
    SentMessage,
)
from ..adapters.plain_text import clean
from ..adapters.segments import count_segments
from ..store.changes import Progress, StatusChanged
from ..store.outbound import Leave, OutboundTable, Queued
from ..store.outbound_orders import RECONCILE_AFTER, Order
from ..store.outbound_rows import Due
from ..store.usage import Allowance
from .departure import Departure, Report
from .line import Dependencies, Line
from .outcome import Outcome, accepted
from .reconciliation import LONGEST_UNCLEAR, LONGEST_UNKNOWN, Reconciliation
from .results import Results, Write

_LOGGER = logging.getLogger(__name__)

SHORTEST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=1)
_JITTER = (0.75, 1.25)
_LONGEST_ASKED = timedelta(hours=1)
"""The longest pause that a provider is granted."""


class Outbox:
    """The outbound messages of one line."""

    def __init__(
        self,
        line: Line,
        records: OutboundTable,
        publish: Callable[[Sequence[StatusChanged]], None],
        dependencies: Dependencies,
    ) -> None:
        """Take the line, its table, and who publishes each change."""
        self._line = line
        self._records = records
        self._publish = publish
        self._now = records.clock.now
        self._jitter = dependencies.jitter
        self._attempts: dict[str, str] = {}
        """The recipients of the messages that are on their way at this moment."""
        self._results = Results(publish)
        self._reconciliation = Reconciliation(
            line, records, self._is_on_its_way, dependencies
        )
        self._working = asyncio.Lock()

    @property
    def has_work(self) -> bool:
        """Say whether something could not be written down, which `work` will do."""
        return self._results.has_work

    def on_disk_change(self, listener: Callable[[], None]) -> None:
        """Have the listener called when writing begins to fail, and works again."""
        self._results.on_change = listener

    def compose(
        self,
        recipient: str,
        text: str,
        media: Sequence[str] = (),
        contact: str | None = None,
    ) -> OutboundMessage:
        """Make a message, or raise what the provider cannot express."""
        text = clean(text)
        count = count_segments(text)
        message = OutboundMessage(
            # In the order of time, so that new rows stand together in the file.
            message_id=uuid7().hex,
            recipient=recipient,
            text=text,
            media=tuple(media),
            segments=count.segments,
            encoding=count.encoding,
            created_at=self._now(),
            contact=contact,
        )
        self._line.adapter.check(message)
        return message

    async def send(
        self,
        messages: Sequence[OutboundMessage],
        retry_window: timedelta,
        report: Report = lambda _: None,
        allowance: Allowance | None = None,
        *,
        may_have_left: bool = False,
    ) -> list[Outcome]:
        """Write messages down, try each once meanwhile, and say where it stands then.

        For `retry_window` what can be tried again is tried again by `work`. Those that
        `allowance` leaves no room for, or whose recipient wants none, are neither
        written down nor sent. `report` hears where each stands once that is known, and
        again when it has changed.

        Where the disk takes nothing, each leaves once and is not remembered. Raises what
        keeps even that from being decided, and then nothing is sent. What may have left
        before this run is left to `work`, which looks for it first.
        """
        # A later run must find the times of these where this one puts them.
        self._records.note_clock_soon()
        order = self._records.order(
            messages,
            self._now() + retry_window,
            self._reconciliation.sent_after,
            allowance,
            may_have_left=may_have_left,
        )
        departure = Departure(order, self._attempt, self._publish, report)
        return await departure.run(self._queue)

    async def _queue(self, order: Order, leave: Leave) -> Queued:
        queued = await self._records.queue(order, leave)
        self._results.note(works=queued.is_written)
        return queued

    async def withdraw(self, message_id: str) -> None:
        """See to it that a message is not sent again, nor for the first time.

        What is on its way, or was accepted, cannot be held back any more.
        """
        self._publish(await self._records.withdraw(message_id))

    async def withdraw_all(self, message_ids: Sequence[str]) -> None:
        """Withdraw messages, most of which have come to their end long ago."""
        for message_id in await self._records.find_open(message_ids):
            await self.withdraw(message_id)

    async def work(self) -> timedelta | None:
        """Do what is due, and return after what pause something will be due again."""
        async with self._working:
            self._records.note_clock_soon()
            # One write tells whether there is any sense in all of them.
            if not await self._can_write():
                return LONGEST_PAUSE
            await self._results.work()
            if not await self._can_write():
                return LONGEST_PAUSE
            await self._resume_all(await self._records.due())
            next_at = await self._records.next_due()
        if self.has_work:
            return LONGEST_PAUSE
        return None if next_at is None else max(next_at - self._now(), timedelta())

    async def _can_write(self) -> bool:
        """Try the disk if it took nothing when that was last tried."""
        if not self._results.is_failing:
            return True
        try:
            await self._records.note_clock(always=True)
        except OSError, sqlite3.Error:
            return False
        self._results.note(works=True)
        return True

    async def _resume_all(self, dues: Sequence[Due]) -> None:
        """Take up what is due; one that cannot be keeps no other from its turn."""
        busy = self._attempts.keys() | self._results.ids
        for due in dues:
            if due.message.message_id in busy:
                # Its attempt goes on, or its end is yet to be written down.
                await self._records.watch(due.message.message_id)
        results = await asyncio.gather(
            *(self._resume(due) for due in dues if due.message.message_id not in busy),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _resume(self, due: Due) -> None:
        """Reconcile an unknown outcome, then try again or give up."""
        message = due.message
        if due.settled_at is not None and not await self._is_free(due, due.settled_at):
            return
        if self._now() >= due.deadline:
            await self._fail(message, RejectReason.EXPIRED)
            return
        # A callback may have claimed the message while that was asked for.
        if await self._records.attempt(message.message_id):
            await self._attempt(due)

    async def _is_free(self, due: Due, settled_at: datetime) -> bool:
        """Reconcile an unknown outcome; say whether the message surely has not left."""
        message = due.message
        try:
            found = await self._reconciliation.find(due)
        except SmsError as err:
            _LOGGER.debug("An unknown outcome cannot be reconciled now: %s", err.code)
            await self._ask_later(due, err)
            return False
        is_conclusive = self._now() >= settled_at
        if not found:
            if is_conclusive and not self._is_on_its_way(message.recipient):
                return True
            next_at = max(settled_at, self._now() + SHORTEST_PAUSE)
            await self._records.postpone(message.message_id, next_at)
        elif await self._reconciliation.may_claim(
            due, found, is_conclusive=is_conclusive
        ):
            await self._claim(message, found[0])
        elif is_conclusive and self._now() >= due.deadline + LONGEST_UNCLEAR:
            await self._fail(message, RejectReason.EXPIRED)
        else:
            await self._ask_later(due, None)
        return False

    async def _ask_later(self, due: Due, err: SmsError | None) -> None:
        if self._now() >= due.deadline + LONGEST_UNKNOWN:
            await self._fail(due.message, RejectReason.EXPIRED)
        else:
            next_at = self._next_at(due, err)
            await self._records.postpone(due.message.message_id, next_at)

    async def _claim(self, message: OutboundMessage, sent: SentMessage) -> None:
        """Take what was found for the message, and ask where it stands.

        What was called back about it meanwhile could not be told whose it was.
        """
        accept = partial(self._records.accept, message.message_id, sent)
        if await self._record(message.message_id, accept):
            receipt = await self._reconciliation.fetch_receipt(sent)
            if receipt is not None:
                change = await self._records.receive(receipt)
                self._publish([change] if change else [])

    async def _attempt(
        self, due: Due, written: asyncio.Future[bool] | None = None
    ) -> Outcome:
        """Hand a message over, once; whatever happens, something becomes of it.

        `written` says whether a new one could be written down.
        """
        message = due.message
        self._attempts[message.message_id] = message.recipient
        try:
            return await self._hand_over(due, written)
        finally:
            del self._attempts[message.message_id]

    async def _hand_over(
        self, due: Due, written: asyncio.Future[bool] | None
    ) -> Outcome:
        line, message = self._line, due.message
        try:
            sent = await line.adapter.send(line.number, message, line.callback_url)
        except SmsError as err:
            return await self._handle_any(due, err, written)
        # Nobody knows how far it got.
        except Exception as err:
            _LOGGER.exception("An attempt to send ended in an unforeseen way")
            unknown = SendOutcomeUnknownError(type(err).__name__)
            return await self._handle_any(due, unknown, written)
        accept = partial(self._records.accept, message.message_id, sent)
        # A crash before that is on disk leaves an unknown outcome, to be reconciled.
        self._results.begin(message.message_id, accept)
        return accepted(message, sent)

    async def _handle_any(
        self, due: Due, err: SmsError, written: asyncio.Future[bool] | None
    ) -> Outcome:
        """Decide what an error means, also for a message that nobody remembers."""
        if written is None or await asyncio.shield(written):
            return await self._handle(due, err)
        if isinstance(err, SendOutcomeUnknownError):
            await self._note_unknown(due, err)
            return Outcome(message=due.message, status=DeliveryStatus.UNKNOWN)
        self._records.forget(due.message.message_id)
        return Outcome(message=due.message, status=DeliveryStatus.FAILED, error=err)

    async def _handle(self, due: Due, err: SmsError) -> Outcome:
        """Decide what an error means for the message it happened to."""
        message, is_late = due.message, self._now() >= due.deadline
        match err:
            case SendOutcomeUnknownError():
                await self._note_unknown(due, err)
                if is_late:
                    return await self._reconcile_now(due, err)
                return Outcome(message=message, status=DeliveryStatus.UNKNOWN)
            case ProviderUnavailableError() if not is_late:
                await self._clear(due, err)
                return Outcome(message=message, status=DeliveryStatus.QUEUED)
            case ProviderUnavailableError():
                return await self._give_up(message, err, RejectReason.EXPIRED)
            case MessageRejectedError():
                return await self._give_up(message, err, err.reason)
        return await self._give_up(message, err, RejectReason.OTHER)

    async def _give_up(
        self, message: OutboundMessage, err: SmsError, reason: RejectReason
    ) -> Outcome:
        """End a message, and say so if that is written down.

        If it cannot be, a crash would have the message sent again by the next run.
        """
        if await self._fail(message, reason, err.provider_code):
            return Outcome(message=message, status=DeliveryStatus.FAILED, error=err)
        return Outcome(message=message, status=DeliveryStatus.QUEUED)

    async def _reconcile_now(self, due: Due, err: SendOutcomeUnknownError) -> Outcome:
        """Ask at once about a message that must not wait.

        If that decides nothing, `work` goes on to reconcile it.
        """
        message = due.message
        unknown = Outcome(message=message, status=DeliveryStatus.UNKNOWN)
        try:
            found = await self._reconciliation.find(due, but=message.message_id)
        except SmsError:
            return unknown
        if found and await self._reconciliation.may_claim(
            due, found, is_conclusive=False
        ):
            await self._claim(message, found[0])
            return accepted(message, found[0])
        others = self._is_on_its_way(message.recipient, but=message.message_id)
        if found or others or not err.answered:
            return unknown
        error = ProviderUnavailableError(str(err), maybe_processed=False)
        return await self._give_up(message, error, RejectReason.EXPIRED)

    async def _note_unknown(self, due: Due, err: SendOutcomeUnknownError) -> None:
        message_id, now = due.message.message_id, self._now()
        settled_at = now if err.answered else now + RECONCILE_AFTER
        note = partial(
            self._records.note_unknown, message_id, self._next_at(due, err), settled_at
        )
        await self._record(message_id, note)

    async def _clear(self, due: Due, err: SmsError) -> None:
        """Note that the message surely did not leave, and when to try again."""
        message_id = due.message.message_id
        clear = partial(self._records.clear, message_id, self._next_at(due, err))
        await self._record(message_id, clear)

    async def _fail(
        self, message: OutboundMessage, reason: RejectReason, code: str | None = None
    ) -> bool:
        failed = Progress(status=DeliveryStatus.FAILED, reason=reason, error_code=code)
        end = partial(self._records.end, message.message_id, failed)
        return await self._record(message.message_id, end)

    async def _record(self, message_id: str, write: Write) -> bool:
        """Write down what became of a message, at once or else by `work`."""
        return await asyncio.shield(self._results.begin(message_id, write))

    def _is_on_its_way(self, recipient: str, but: str = "") -> bool:
        """Say whether a message to a recipient is being handed over now."""
        unwritten = {
            message_id: left.message.recipient
            for message_id, left in self._records.unwritten.items()
        }
        return any(
            to == recipient and message_id != but
            for message_id, to in (unwritten | self._attempts).items()
        )

    def _next_at(self, due: Due, err: SmsError | None) -> datetime:
        """Pause for longer the older a message is, and as long as was asked for.

        No pause goes beyond the deadline: at that moment the message must end.
        """
        now, age = self._now(), self._now() - due.message.created_at
        pause = min(max(age / 2, SHORTEST_PAUSE), LONGEST_PAUSE)
        seconds = getattr(err, "retry_after", None) or 0.0
        asked = timedelta(seconds=min(seconds, _LONGEST_ASKED.total_seconds()))
        next_at = now + max(pause * self._jitter(*_JITTER), asked)
        return min(next_at, due.deadline) if now < due.deadline else next_at
