"""Send each message at most once, and never drop one silently.

A message is written down before it leaves. What keeps it from the provider for
the moment (an outage, a limit) is waited out with growing pauses until its
deadline. What leaves its fate in doubt (a timeout, a crash) is settled by the
provider's own record before another attempt is made.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from uuid import uuid4

from .adapters.errors import (
    MessageRejectedError,
    ProviderUnavailableError,
    SendOutcomeUnknownError,
    SmsError,
)
from .adapters.models import (
    DeliveryStatus,
    OutboundMessage,
    RejectReason,
    SentMessage,
)
from .announcements import StatusChanged
from .ledger_early import Progress
from .ledger_outbound import SETTLE, OutboundRecords
from .ledger_rows import Due
from .line import Line, Surroundings
from .segments import count_segments

_LOGGER = logging.getLogger(__name__)

SHORTEST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=1)
_JITTER = (0.75, 1.25)
# The provider's clock and ours may disagree about when a message was made.
_CLOCK_SKEW = timedelta(minutes=5)
# After this, a doubt that no provider settles is settled against the message.
_LONGEST_DOUBT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a message stands after its first attempt, and what went wrong."""

    message: OutboundMessage
    status: DeliveryStatus
    provider_id: str | None = None
    error: SmsError | None = None

    @property
    def waits(self) -> bool:
        """Say whether the message is yet to be accepted."""
        return self.provider_id is None and not self.status.is_final


class Outbox:
    """The outbound messages of one line."""

    def __init__(
        self,
        line: Line,
        records: OutboundRecords,
        announce: Callable[[Sequence[StatusChanged]], None],
        surroundings: Surroundings,
    ) -> None:
        """Take the line, its book, and whom to tell of each change."""
        self._line = line
        self._records = records
        self._announce = announce
        self._now = surroundings.now
        self._jitter = surroundings.jitter
        self._in_flight: Counter[str] = Counter()
        self._working = asyncio.Lock()

    def compose(
        self, recipient: str, text: str, media: Sequence[str] = ()
    ) -> OutboundMessage:
        """Make a message, or raise what the provider cannot express."""
        count = count_segments(text)
        message = OutboundMessage(
            message_id=uuid4().hex,
            recipient=recipient,
            text=text,
            media=tuple(media),
            segments=count.segments,
            encoding=count.encoding,
            created_at=self._now(),
        )
        self._line.adapter.check(message)
        return message

    async def send(
        self, messages: Sequence[OutboundMessage], patience: timedelta
    ) -> list[Outcome]:
        """Write messages down, try each once, and say where it stands then.

        For `patience` what can be tried again is tried again by `work`.
        """
        deadline = self._now() + patience
        queued = await self._records.add(messages, deadline)
        # To send comes before to tell of it.
        attempts = [
            asyncio.Task(self._attempt(message, deadline), eager_start=True)
            for message in messages
        ]
        self._announce(queued)
        return await asyncio.gather(*attempts)

    async def work(self) -> datetime | None:
        """Do what is due, and return when something will be due again."""
        async with self._working:
            due = await self._records.due()
            await asyncio.gather(*(self._resume(each) for each in due))
            return await self._records.next_due()

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
            await self._attempt(message, due.deadline)

    async def _is_free(self, due: Due, settled_at: datetime) -> bool:
        """Ask the provider for a doubtful message; say whether it surely has not."""
        message = due.message
        try:
            found = await self._find(message)
        except SmsError as err:
            _LOGGER.debug("A doubtful message cannot be looked up now: %s", err.code)
            await self._wait_in_doubt(due, err)
            return False
        is_settled = self._now() >= settled_at
        if found is None and is_settled and not self._in_flight[message.recipient]:
            return True
        # What is found may be a twin's, while this one's own is yet to show.
        if found and (
            is_settled or not await self._records.has_twin(message.message_id)
        ):
            self._announce(await self._records.accept(message.message_id, found))
        else:
            next_at = max(settled_at, self._now() + SHORTEST_PAUSE)
            await self._records.postpone(message.message_id, next_at)
        return False

    async def _wait_in_doubt(self, due: Due, err: SmsError) -> None:
        if self._now() >= due.deadline + _LONGEST_DOUBT:
            await self._fail(due.message, RejectReason.EXPIRED)
        else:
            next_at = self._next_at(due.message, err)
            await self._records.postpone(due.message.message_id, next_at)

    async def _find(self, message: OutboundMessage) -> SentMessage | None:
        """Find a message in the provider's record that no other of ours claims.

        Where the record knows no ids of ours, an equal message that is on its way
        at this moment cannot be told apart, so there must be none.
        """
        since = message.created_at - _CLOCK_SKEW
        number = self._line.number
        found = await self._line.adapter.find_sent(number, message, since)
        if self._in_flight[message.recipient]:
            return None
        for sent in found:
            if not await self._records.is_claimed(sent.provider_id):
                return sent
        return None

    async def _attempt(self, message: OutboundMessage, deadline: datetime) -> Outcome:
        try:
            sent = await self._hand_over(message)
        except SmsError as err:
            return await self._handle(message, deadline, err)
        return _accepted(message, sent)

    async def _hand_over(self, message: OutboundMessage) -> SentMessage:
        line = self._line
        self._in_flight[message.recipient] += 1
        try:
            sent = await line.adapter.send(line.number, message, line.callback_url)
            self._announce(await self._records.accept(message.message_id, sent))
        finally:
            self._in_flight[message.recipient] -= 1
        return sent

    async def _handle(
        self, message: OutboundMessage, deadline: datetime, err: SmsError
    ) -> Outcome:
        """Decide what an error means for the message it happened to."""
        match err:
            case SendOutcomeUnknownError():
                await self._doubt(message, err)
                if self._now() >= deadline:
                    return await self._settle_now(message, err)
                return Outcome(message=message, status=DeliveryStatus.UNKNOWN)
            case ProviderUnavailableError() if self._now() < deadline:
                next_at = min(self._next_at(message, err), deadline)
                await self._records.clear(message.message_id, next_at)
                return Outcome(message=message, status=DeliveryStatus.QUEUED)
            case ProviderUnavailableError():
                await self._fail(message, RejectReason.EXPIRED, err.provider_code)
            case MessageRejectedError():
                await self._fail(message, err.reason, err.provider_code)
            case _:
                await self._fail(message, RejectReason.OTHER, err.provider_code)
        return Outcome(message=message, status=DeliveryStatus.FAILED, error=err)

    async def _settle_now(
        self, message: OutboundMessage, err: SendOutcomeUnknownError
    ) -> Outcome:
        """Ask at once about a message that must not wait.

        If that settles nothing, whoever sends hears of the doubt as of a failure,
        and `work` goes on to settle it.
        """
        try:
            found = await self._find(message)
        except SmsError:
            return Outcome(message=message, status=DeliveryStatus.UNKNOWN, error=err)
        if found and not await self._records.has_twin(message.message_id):
            self._announce(await self._records.accept(message.message_id, found))
            return _accepted(message, found)
        if found or not err.answered or self._in_flight[message.recipient]:
            return Outcome(message=message, status=DeliveryStatus.UNKNOWN, error=err)
        await self._fail(message, RejectReason.EXPIRED)
        error = ProviderUnavailableError(str(err), maybe_processed=False)
        return Outcome(message=message, status=DeliveryStatus.FAILED, error=error)

    async def _doubt(
        self, message: OutboundMessage, err: SendOutcomeUnknownError
    ) -> None:
        settled_at = self._now() if err.answered else self._now() + SETTLE
        change = await self._records.doubt(
            message.message_id, self._next_at(message, err), settled_at
        )
        self._announce([change] if change else [])

    async def _fail(
        self, message: OutboundMessage, reason: RejectReason, code: str | None = None
    ) -> None:
        failed = Progress(status=DeliveryStatus.FAILED, reason=reason, error_code=code)
        change = await self._records.move(message.message_id, failed)
        self._announce([change] if change else [])

    def _next_at(self, message: OutboundMessage, err: SmsError) -> datetime:
        """Pause for longer the older a message is, and as long as was asked for."""
        now = self._now()
        pause = min(max((now - message.created_at) / 2, SHORTEST_PAUSE), LONGEST_PAUSE)
        asked = timedelta(seconds=getattr(err, "retry_after", None) or 0)
        return now + max(pause * self._jitter(*_JITTER), asked)


def _accepted(message: OutboundMessage, sent: SentMessage) -> Outcome:
    return Outcome(message=message, status=sent.status, provider_id=sent.provider_id)
