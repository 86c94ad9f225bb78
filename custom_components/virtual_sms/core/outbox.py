"""Send each message at most once, and never drop one silently.

It is decided in memory whether a message may leave, and it does at once, while it is
being written down. What is not on disk is never sent again. What keeps it from the
provider for the moment (an outage, a limit) is waited out with growing pauses until its
deadline. Where its outcome is unknown (a timeout, a crash), the provider's own record
decides before another attempt is made.

Every message that is not accepted has a next time at which `work` takes it up, so
that none depends on an answer, or on a disk, that may never come.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
import logging
import sqlite3

from ..adapters.errors import SmsError
from ..adapters.models import OutboundMessage, RejectReason
from ..adapters.plain_text import clean
from ..adapters.segments import count_segments
from ..store.changes import StatusChanged
from ..store.outbound import OutboundTable
from ..store.outbound_rows import Due
from ..store.usage import Allowance
from .departure import Departure, Report
from .handover import LONGEST_PAUSE, SHORTEST_PAUSE, Handover
from .line import Dependencies, Line
from .message_ids import MessageIds
from .outcome import Outcome
from .reconciliation import LONGEST_UNCLEAR, LONGEST_UNKNOWN
from .results import Results

_LOGGER = logging.getLogger(__name__)


class Plan(Enum):
    """Whether messages have ids that were chosen before, and by which run.

    What an earlier run planned may have left already.
    """

    NONE = auto()
    OF_THIS_RUN = auto()
    OF_EARLIER_RUN = auto()


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
        self._ids = MessageIds()
        self._results = Results(publish)
        self._handover = Handover(line, records, self._results, dependencies)
        self._reconciliation = self._handover.reconciliation
        self._looked_up: set[str] = set()
        """What was planned, and leaves if it turns out to be new."""
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
            message_id=self._ids.new(),
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
        plan: Plan = Plan.NONE,
    ) -> list[Outcome]:
        """Send messages while they are written down, and say where each stands then.

        For `retry_window` what can be tried again is tried again by `work`. Those that
        `allowance` leaves no room for, or whose recipient wants none, are neither
        written down nor sent. `report` hears where each stands once that is known, and
        again when it has changed.

        Where the disk takes nothing, each leaves once and is not remembered. Raises what
        keeps that from being begun, and then nothing is sent. What may have left before
        this run is left to `work`, which looks for it first.
        """
        begin = partial(self._begin, messages, retry_window, report, allowance, plan)
        if plan is not Plan.OF_THIS_RUN:
            return await begin().finish()
        ids = {each.message_id for each in messages}
        return await (await self._begin_once(ids, begin)).finish()

    async def _begin_once(
        self, ids: set[str], begin: Callable[[], Departure]
    ) -> Departure:
        """Begin with what was planned, or raise sqlite3.IntegrityError if it is known."""
        if ids & self._looked_up:
            raise sqlite3.IntegrityError
        self._looked_up |= ids
        try:
            await self._records.require_new(ids)
            return begin()
        finally:
            self._looked_up -= ids

    def _begin(
        self,
        messages: Sequence[OutboundMessage],
        retry_window: timedelta,
        report: Report,
        allowance: Allowance | None,
        plan: Plan,
    ) -> Departure:
        # A later run must find the times of these where this one puts them.
        self._records.note_clock_soon()
        order = self._records.order(
            messages,
            self._now() + retry_window,
            self._reconciliation.sent_after,
            allowance,
            may_have_left=plan is Plan.OF_EARLIER_RUN,
        )
        departure = Departure(order, self._records, self._results, report)
        planned = plan is Plan.OF_THIS_RUN
        departure.begin(self._handover.attempt, is_planned=planned)
        return departure

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
        busy = self._handover.ids
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
            await self._handover.fail(message, RejectReason.EXPIRED)
            return
        # A callback may have claimed the message while that was asked for.
        if await self._records.attempt(message.message_id):
            await self._handover.attempt(due)

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
            if is_conclusive and not self._handover.is_on_its_way(message.recipient):
                return True
            next_at = max(settled_at, self._now() + SHORTEST_PAUSE)
            await self._records.postpone(message.message_id, next_at)
        elif await self._reconciliation.may_claim(
            due, found, is_conclusive=is_conclusive
        ):
            await self._handover.claim(message, found[0])
        elif is_conclusive and self._now() >= due.deadline + LONGEST_UNCLEAR:
            await self._handover.fail(message, RejectReason.EXPIRED)
        else:
            await self._ask_later(due, None)
        return False

    async def _ask_later(self, due: Due, err: SmsError | None) -> None:
        if self._now() >= due.deadline + LONGEST_UNKNOWN:
            await self._handover.fail(due.message, RejectReason.EXPIRED)
        else:
            next_at = self._handover.next_at(due, err)
            await self._records.postpone(due.message.message_id, next_at)
