"""Hand a message over, once, and decide what becomes of it.

What the provider says is written down while the caller goes on; what it leaves unclear
is decided by its own record before another attempt.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
import logging

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
from ..store.changes import Progress
from ..store.outbound import OutboundTable
from ..store.outbound_orders import RECONCILE_AFTER
from ..store.outbound_rows import Due
from .line import Dependencies, Line
from .outcome import Outcome, accepted
from .reconciliation import Reconciliation
from .results import Results, Write

_LOGGER = logging.getLogger(__name__)

SHORTEST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=1)
_JITTER = (0.75, 1.25)


class Handover:
    """What is on its way to the provider of one line."""

    def __init__(
        self,
        line: Line,
        records: OutboundTable,
        results: Results,
        dependencies: Dependencies,
    ) -> None:
        """Take the line, its table, and who writes down what became of a message."""
        self._line = line
        self._records = records
        self._results = results
        self._now = records.clock.now
        self._jitter = dependencies.jitter
        self._under_way: dict[str, str] = {}
        """The recipients of the messages that are on their way at this moment."""
        self.reconciliation = Reconciliation(
            line, records, self.is_on_its_way, dependencies
        )

    @property
    def ids(self) -> set[str]:
        """List what is on its way, or whose end is yet to be written down."""
        return self._under_way.keys() | self._results.ids

    async def claim(self, message: OutboundMessage, sent: SentMessage) -> None:
        """Take what was found for the message, and ask where it stands.

        What was called back about it meanwhile could not be told whose it was.
        """
        accept = partial(self._records.accept, message.message_id, sent)
        if await self._record(message.message_id, accept):
            receipt = await self.reconciliation.fetch_receipt(sent)
            if receipt is not None:
                change = await self._records.receive(receipt)
                self._results.publish([change] if change else [])

    async def attempt(
        self, due: Due, written: asyncio.Future[bool] | None = None
    ) -> Outcome:
        """Hand a message over, once; whatever happens, something becomes of it.

        `written` says whether a new one could be written down.
        """
        message = due.message
        self._under_way[message.message_id] = message.recipient
        try:
            return await self._hand_over(due, written)
        finally:
            del self._under_way[message.message_id]

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
        # Where only the flush has failed it is there all the same, and would be due.
        await self._handle(replace(due, deadline=self._now()), err)
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
        if await self.fail(message, reason, err.provider_code):
            return Outcome(message=message, status=DeliveryStatus.FAILED, error=err)
        return Outcome(message=message, status=DeliveryStatus.QUEUED)

    async def _reconcile_now(self, due: Due, err: SendOutcomeUnknownError) -> Outcome:
        """Ask at once about a message that must not wait.

        If that decides nothing, `work` goes on to reconcile it.
        """
        message = due.message
        unknown = Outcome(message=message, status=DeliveryStatus.UNKNOWN)
        try:
            found = await self.reconciliation.find(due, but=message.message_id)
        except SmsError:
            return unknown
        if found and await self.reconciliation.may_claim(
            due, found, is_conclusive=False
        ):
            await self.claim(message, found[0])
            return accepted(message, found[0])
        others = self.is_on_its_way(message.recipient, but=message.message_id)
        if found or others or not err.answered:
            return unknown
        error = ProviderUnavailableError(str(err), maybe_processed=False)
        return await self._give_up(message, error, RejectReason.EXPIRED)

    async def _note_unknown(self, due: Due, err: SendOutcomeUnknownError) -> None:
        message_id, now = due.message.message_id, self._now()
        settled_at = now if err.answered else now + RECONCILE_AFTER
        note = partial(
            self._records.note_unknown, message_id, self.next_at(due, err), settled_at
        )
        await self._record(message_id, note)

    async def _clear(self, due: Due, err: SmsError) -> None:
        """Note that the message surely did not leave, and when to try again."""
        message_id = due.message.message_id
        clear = partial(self._records.clear, message_id, self.next_at(due, err))
        await self._record(message_id, clear)

    async def fail(
        self, message: OutboundMessage, reason: RejectReason, code: str | None = None
    ) -> bool:
        """End a message that does not go out any more; say if that is written down."""
        failed = Progress(status=DeliveryStatus.FAILED, reason=reason, error_code=code)
        end = partial(self._records.end, message.message_id, failed)
        return await self._record(message.message_id, end)

    async def _record(self, message_id: str, write: Write) -> bool:
        """Write down what became of a message, at once or else by `work`."""
        return await asyncio.shield(self._results.begin(message_id, write))

    def is_on_its_way(self, recipient: str, but: str = "") -> bool:
        """Say whether a message to a recipient is being handed over now."""
        unwritten = {
            message_id: left.message.recipient
            for message_id, left in self._records.unwritten.items()
        }
        return any(
            to == recipient and message_id != but
            for message_id, to in (unwritten | self._under_way).items()
        )

    def next_at(self, due: Due, err: SmsError | None) -> datetime:
        """Pause for longer the older a message is, and as long as was asked for.

        No pause goes beyond the deadline: at that moment the message must end.
        """
        now, age = self._now(), self._now() - due.message.created_at
        pause = min(max(age / 2, SHORTEST_PAUSE), LONGEST_PAUSE)
        asked = timedelta(seconds=err.asked_pause if err else 0.0)
        next_at = now + max(pause * self._jitter(*_JITTER), asked)
        return min(next_at, due.deadline) if now < due.deadline else next_at
