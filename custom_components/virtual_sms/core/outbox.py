"""Send each message at most once, and never drop one silently.

A message is written down before it leaves. What keeps it from the provider for
the moment (an outage, a limit) is waited out with growing pauses until its
deadline. What leaves its fate in doubt (a timeout, a crash) is settled by the
provider's own record before another attempt is made.

Every message that is not accepted has a next time at which `work` takes it up, so
that none depends on an answer, or on a disk, that may never come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
import logging
import sqlite3
from uuid import uuid4

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
from ..store.database import DatabaseClosedError
from ..store.outbound import OutboundTable, Queued
from ..store.outbound_orders import SETTLE
from ..store.outbound_rows import Due
from ..store.usage import Allowance
from ..store.whole_call import wait_out
from .line import Dependencies, Line
from .outcome import Outcome, accepted, queued_or_refused, refused
from .reconciliation import LONGEST_DOUBT, Reconciliation

_LOGGER = logging.getLogger(__name__)

SHORTEST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=1)
_JITTER = (0.75, 1.25)
_LONGEST_ASKED = timedelta(hours=1)
"""The longest pause that a provider is granted."""
_CANNOT_WRITE = (DatabaseClosedError, OSError, sqlite3.Error)

type Write = Callable[[], Awaitable[Sequence[StatusChanged]]]


class Outbox:
    """The outbound messages of one line."""

    def __init__(
        self,
        line: Line,
        records: OutboundTable,
        publish: Callable[[Sequence[StatusChanged]], None],
        dependencies: Dependencies,
    ) -> None:
        """Take the line, its book, and whom to tell of each change."""
        self._line = line
        self._records = records
        self._publish = publish
        self._now = records.clock.now
        self._jitter = dependencies.jitter
        self._attempts: dict[str, str] = {}
        """The recipients of the messages that are on their way at this moment."""
        self._unwritten: dict[str, Write] = {}
        """What became of messages, and could not be written down yet."""
        self._reconciliation = Reconciliation(
            line, records, self._is_on_its_way, dependencies
        )
        self._working = asyncio.Lock()

    @property
    def has_work(self) -> bool:
        """Say whether something could not be written down, which `work` will do."""
        return bool(self._unwritten)

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
            message_id=uuid4().hex,
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
        report: Callable[[Outcome], None] = lambda _: None,
        allowance: Allowance | None = None,
    ) -> list[Outcome]:
        """Write messages down, try each once, and say where it stands then.

        For `retry_window` what can be tried again is tried again by `work`. Raises what
        keeps them from being written down, and then nothing is sent. `report` hears
        where each stands once they are written, and again after its attempt. Those
        that `allowance` leaves no room for, or whose recipient wants none, are neither
        written down nor sent.
        """
        # A later run must find the times of these where this one puts them.
        await self._records.note_clock()
        deadline = self._now() + retry_window
        sent_after = self._reconciliation.sent_after
        queue = self._records.queue(messages, deadline, sent_after, allowance)
        queued = await self._write_down(messages, queue, report)
        dues = [
            Due(message=message, deadline=deadline, sent_after=sent_after)
            for message in messages
            if message.message_id not in queued.refusals
        ]
        # To send comes before to tell of it.
        attempts = [
            asyncio.Task(self._attempt(due, report), eager_start=True) for due in dues
        ]
        self._publish(queued.changes)
        return refused(messages, queued) + await asyncio.gather(*attempts)

    async def _write_down(
        self,
        messages: Sequence[OutboundMessage],
        queue: Coroutine[object, object, Queued],
        report: Callable[[Outcome], None],
    ) -> Queued:
        """Write messages down, and report it whatever ends this task meanwhile."""

        async def write() -> Queued:
            queued = await queue
            for outcome in queued_or_refused(messages, queued):
                report(outcome)
            return queued

        writing = asyncio.ensure_future(write())
        try:
            await asyncio.wait([writing])
        except asyncio.CancelledError:
            await wait_out(writing)
            writing.result()
            raise
        return writing.result()

    async def withdraw(self, message_id: str) -> None:
        """See to it that a message is not sent again, nor for the first time.

        What is on its way, or was accepted, cannot be held back any more.
        """
        self._publish(await self._records.withdraw(message_id))

    async def work(self) -> timedelta | None:
        """Do what is due, and return after what pause something will be due again."""
        async with self._working:
            await self._records.note_clock()
            for message_id, write in list(self._unwritten.items()):
                await self._record(message_id, write)
            await self._resume_all(await self._records.due())
            next_at = await self._records.next_due()
        if next_at is None:
            return None
        return max(next_at - self._now(), timedelta())

    async def _resume_all(self, dues: Sequence[Due]) -> None:
        """Take up what is due; one that cannot be keeps no other from its turn."""
        busy = self._attempts.keys() | self._unwritten.keys()
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
        """Settle a doubt, then try again or give up, whichever it is time for."""
        message = due.message
        if due.settled_at is not None and not await self._is_free(due, due.settled_at):
            return
        if self._now() >= due.deadline:
            await self._fail(message, RejectReason.EXPIRED)
            return
        # A callback may have claimed the message while its doubt was looked into.
        if await self._records.attempt(message.message_id):
            await self._attempt(due)

    async def _is_free(self, due: Due, settled_at: datetime) -> bool:
        """Ask the provider for a doubtful message; say whether it surely has not."""
        message = due.message
        try:
            found = await self._reconciliation.find(due)
        except SmsError as err:
            _LOGGER.debug("A doubtful message cannot be looked up now: %s", err.code)
            await self._wait_in_doubt(due, err)
            return False
        is_settled = self._now() >= settled_at
        if not found:
            if is_settled and not self._is_on_its_way(message.recipient):
                return True
            next_at = max(settled_at, self._now() + SHORTEST_PAUSE)
            await self._records.postpone(message.message_id, next_at)
        elif await self._reconciliation.may_claim(due, found, is_settled=is_settled):
            await self._claim(message, found[0])
        else:
            await self._wait_in_doubt(due, None)
        return False

    async def _wait_in_doubt(self, due: Due, err: SmsError | None) -> None:
        if self._now() >= due.deadline + LONGEST_DOUBT:
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
        self, due: Due, report: Callable[[Outcome], None] = lambda _: None
    ) -> Outcome:
        """Hand a message over, once; whatever happens, something becomes of it."""
        message = due.message
        self._attempts[message.message_id] = message.recipient
        try:
            outcome = await self._hand_over(due)
        finally:
            del self._attempts[message.message_id]
        report(outcome)
        return outcome

    async def _hand_over(self, due: Due) -> Outcome:
        line, message = self._line, due.message
        try:
            sent = await line.adapter.send(line.number, message, line.callback_url)
        except SmsError as err:
            return await self._handle(due, err)
        # Nobody knows how far it got.
        except Exception as err:
            _LOGGER.exception("An attempt to send ended in an unforeseen way")
            return await self._handle(due, SendOutcomeUnknownError(type(err).__name__))
        accept = partial(self._records.accept, message.message_id, sent)
        await self._record(message.message_id, accept)
        return accepted(message, sent)

    async def _handle(self, due: Due, err: SmsError) -> Outcome:
        """Decide what an error means for the message it happened to."""
        message, is_late = due.message, self._now() >= due.deadline
        match err:
            case SendOutcomeUnknownError():
                await self._doubt(due, err)
                if is_late:
                    return await self._settle_now(due, err)
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

    async def _settle_now(self, due: Due, err: SendOutcomeUnknownError) -> Outcome:
        """Ask at once about a message that must not wait.

        If that settles nothing, `work` goes on to settle it.
        """
        message = due.message
        unknown = Outcome(message=message, status=DeliveryStatus.UNKNOWN)
        try:
            found = await self._reconciliation.find(due, but=message.message_id)
        except SmsError:
            return unknown
        if found and await self._reconciliation.may_claim(due, found, is_settled=False):
            await self._claim(message, found[0])
            return accepted(message, found[0])
        others = self._is_on_its_way(message.recipient, but=message.message_id)
        if found or others or not err.answered:
            return unknown
        error = ProviderUnavailableError(str(err), maybe_processed=False)
        return await self._give_up(message, error, RejectReason.EXPIRED)

    async def _doubt(self, due: Due, err: SendOutcomeUnknownError) -> None:
        message_id, now = due.message.message_id, self._now()
        settled_at = now if err.answered else now + SETTLE
        doubt = partial(
            self._records.doubt, message_id, self._next_at(due, err), settled_at
        )
        await self._record(message_id, doubt)

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
        try:
            self._publish(await write())
        except _CANNOT_WRITE as err:
            _LOGGER.warning(
                "What became of a message cannot be written down now: %s",
                type(err).__name__,
            )
            self._unwritten[message_id] = write
            return False
        self._unwritten.pop(message_id, None)
        return True

    def _is_on_its_way(self, recipient: str, but: str = "") -> bool:
        """Say whether a message to a recipient is being handed over now."""
        return any(
            to == recipient and message_id != but
            for message_id, to in self._attempts.items()
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
