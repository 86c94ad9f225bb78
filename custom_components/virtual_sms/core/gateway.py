"""A number at work: it sends, it receives, and it catches up."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
import logging
import sqlite3

from ..adapters.errors import CallbackRejectedError, CallbackUnreadableError, SmsError
from ..adapters.models import (
    Acknowledgement,
    CallbackRequest,
    Capability,
    DeliveryReceipt,
    Event,
    OutboundMessage,
)
from ..store.changes import Change, Received
from ..store.database import DatabaseClosedError
from ..store.store import Store
from .confirmation_queue import ConfirmationQueue
from .inbox import Inbox, bare
from .line import Dependencies, Line
from .outbox import Outbox, Outcome
from .publisher import Publisher

_LOGGER = logging.getLogger(__name__)

FORGERIES_IN_A_ROW = 4
"""Callbacks that are refused before the rest of the home has a turn."""


class LineAwayError(Exception):
    """The line of a callback is not at work now, but about to come back."""


class NoSuchLineError(CallbackUnreadableError):
    """An authentic callback is for a number that is no line of this home.

    `number` is for the eyes of its owner and for no log.
    """

    def __init__(self, number: str) -> None:
        """Keep the number."""
        super().__init__("no line of this home")
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHooks:
    """What a gateway asks of whoever runs it.

    `publish` hears each change, `wake` has the outbox work on what waits,
    `ask_later` has all lines of the account caught up before long, `siblings` lists
    the gateways of one account, this one among them, and `lines_away` the numbers of
    those that are about to come back.
    """

    publish: Callable[[Change], None]
    wake: Callable[[], None]
    ask_later: Callable[[], None]
    siblings: Callable[[], Iterable[Gateway]]
    lines_away: Callable[[], Collection[str]] = tuple


class Gateway:
    """One line and everything that happens on it."""

    def __init__(
        self, line: Line, store: Store, hooks: GatewayHooks, dependencies: Dependencies
    ) -> None:
        """Compose the parts; nothing runs before `open`."""
        self.line = line
        self.store = store
        self._hooks = hooks
        self._spawn = dependencies.spawn
        self._now, self._guard = dependencies.now, dependencies.guard
        self._publisher = Publisher(store, self._publish)
        publish = self._publisher.publish
        self.outbox = Outbox(line, store.outbound, publish, dependencies)
        self.inbox = Inbox(line, store, publish, dependencies, hooks.ask_later)
        self._confirmation_queue = ConfirmationQueue(self, dependencies)
        self._door = asyncio.Lock()
        self._forgeries = 0

    async def open(self) -> None:
        """Open the store, and take up what an earlier run left."""
        await self.store.open()
        await self._publisher.load()

    def start(self) -> None:
        """Begin to publish, what was held back first."""
        self._publisher.start()

    async def close(self) -> None:
        """Finish what is being written and close the store."""
        self._publisher.stop()
        with suppress(DatabaseClosedError, OSError, sqlite3.Error):
            await self.store.outbound.note_clock()
        await self.store.close()

    async def send(
        self, messages: Sequence[OutboundMessage], retry_window: timedelta
    ) -> list[Outcome]:
        """Send messages and say where they stand after the first attempt.

        An attempt is carried to its end even when nobody waits for it any more. When
        the line closes meanwhile, what is written down goes on when it opens again,
        and its outcome says so. Raises DatabaseClosedError or what the disk says when
        nothing was written down, and then nothing is sent.
        """
        outcomes: dict[str, Outcome] = {}

        def report(outcome: Outcome) -> None:
            outcomes[outcome.message.message_id] = outcome

        async def send() -> None:
            await self.outbox.send(messages, retry_window, report)
            if self.outbox.has_work or any(each.waits for each in outcomes.values()):
                self._hooks.wake()

        task = self._spawn(send(), "send")
        await asyncio.wait([task])
        if not outcomes:
            if task.cancelled():
                raise DatabaseClosedError
            task.result()
        elif not task.cancelled() and (error := task.exception()):
            _LOGGER.error("Sending ended in an unforeseen way", exc_info=error)
        return list(outcomes.values())

    async def receive(self, request: CallbackRequest) -> Acknowledgement:
        """Take in a provider's callback and return the answer it wants.

        When this returns, what the callback brought is safe. Raises
        CallbackRejectedError for what is not authentic, CallbackUnreadableError
        for what makes no sense, and LineAwayError for what is to be tried again.
        """
        adapter = self.line.adapter
        await self._verify(request)
        if request.truncated:
            raise CallbackUnreadableError("longer than any provider sends")
        event = adapter.parse(request)
        if Capability.SIGNED_CALLBACKS in adapter.capabilities:
            await self._take(event)
        else:
            self._confirmation_queue.ring(event)
        return adapter.acknowledge(event)

    def _publish(self, change: Change) -> None:
        """Publish a change; whom we believe depends on when that is."""
        if isinstance(change, Received):
            now = self.line.provider_time(self._now())
            change = self._guard.review(change, now)
        self._hooks.publish(change)

    async def _verify(self, request: CallbackRequest) -> None:
        """Check a callback. After a few forgeries, all else in the home has a turn.

        So the lights wait for a few of a flood, and not for all that came at once.
        """
        async with self._door:
            try:
                self.line.adapter.verify(request)
            except CallbackRejectedError:
                self._forgeries += 1
                if self._forgeries % FORGERIES_IN_A_ROW == 0:
                    await asyncio.sleep(0)
                raise

    async def catch_up(self, *, late: bool = False) -> None:
        """Read the provider's record on all lines of the account.

        Trouble with one of them is raised when all have been read.
        """
        trouble: SmsError | None = None
        for sibling in self._hooks.siblings():
            try:
                await sibling.inbox.catch_up(late=late)
            except SmsError as err:
                trouble = trouble or err
        if trouble is not None:
            raise trouble

    async def concerns(self, event: Event) -> bool:
        """Say whether a bell may bring news to a line of the account."""
        return bool(await self._concerned(event))

    async def look_up(self, event: Event) -> bool:
        """Ask the provider about a bell, for each line it may concern."""
        answers = [
            await sibling.inbox.look_up(event)
            for sibling in await self._concerned(event)
        ]
        return any(answers)

    def ask_later(self) -> None:
        """See to it that the provider is asked again before long."""
        self._hooks.ask_later()

    async def _concerned(self, event: Event) -> Sequence[Gateway]:
        return [
            sibling
            for sibling in self._hooks.siblings()
            if await sibling.inbox.concerns(event)
        ]

    async def _take(self, event: Event) -> None:
        """Hand an authentic event to the line it belongs to."""
        try:
            for gateway in await self._addressees(event):
                await gateway.inbox.take_signed(event)
        except (LineAwayError, DatabaseClosedError) as err:
            self.ask_later()
            raise LineAwayError from err

    async def _addressees(self, event: Event) -> Sequence[Gateway]:
        """List whose event it is, or raise why it is nobody's."""
        if isinstance(event, DeliveryReceipt):
            return await self._senders(event)
        if event.number is None:
            return [self]
        siblings = self._hooks.siblings()
        found = [each for each in siblings if each.inbox.has_number(event.number)]
        if not found:
            self._expect_line(event.number)
            raise NoSuchLineError(event.number)
        return found

    async def _senders(self, receipt: DeliveryReceipt) -> Sequence[Gateway]:
        """List whose message a receipt is about.

        One nobody knows may have overtaken the answer to its own message, and is
        kept here, unless it may be about a message of a line that is away.
        """
        siblings, away = list(self._hooks.siblings()), self._hooks.lines_away()
        if len(siblings) == 1 and not away:
            return siblings
        found = await self._concerned(receipt) or [
            each for each in siblings if await each.inbox.has_sent(receipt)
        ]
        if not found and away:
            raise LineAwayError
        return found or [self]

    def _expect_line(self, number: str) -> None:
        """Raise LineAwayError for a number that is about to come back."""
        if bare(number) in {bare(each) for each in self._hooks.lines_away()}:
            raise LineAwayError
