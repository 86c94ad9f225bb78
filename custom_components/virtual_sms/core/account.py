"""One account at a provider: its adapters, its lines at work, and what they share.

Several numbers may live in one account, and often the account has a single callback
URL for all of them. So what comes in is verified and read once, whichever number's
webhook was called, and then given to the line that it is for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ..adapters.base import SmsAdapter
from ..adapters.call_models import CallEvent, CallUpdate, IncomingCall
from ..adapters.errors import CallbackRejectedError, CallbackUnreadableError, SmsError
from ..adapters.models import (
    Acknowledgement,
    CallbackRequest,
    Capability,
    DeliveryReceipt,
    Event,
)
from ..store.database import DatabaseClosedError
from .confirmation_queue import ConfirmationQueue
from .flood_gate import FloodGate
from .gateway import Gateway
from .inbox import bare
from .line import Spawn


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
class AccountHooks:
    """What an account asks of whoever runs it.

    `catch_up_soon` has all its lines caught up before long; `numbers` lists the lines
    that are at work or about to come back.
    """

    catch_up_soon: Callable[[], None]
    numbers: Callable[[], Collection[str]]
    spawn: Spawn


class Account:
    """The lines of one account that are at work."""

    def __init__(self, hooks: AccountHooks) -> None:
        """Begin without a line."""
        self._hooks = hooks
        self._gateways: dict[str, Gateway] = {}
        self._adapters: dict[frozenset[tuple[str, str]], SmsAdapter] = {}
        self._making = asyncio.Lock()
        self._gate = FloodGate()
        self._queue = ConfirmationQueue(
            self._confirm, self.catch_up, self.catch_up_soon, hooks.spawn
        )

    @property
    def gateways(self) -> Sequence[Gateway]:
        """Return the lines at work."""
        return list(self._gateways.values())

    async def get_adapter(
        self,
        credentials: Mapping[str, str],
        create: Callable[[], Awaitable[SmsAdapter]],
    ) -> SmsAdapter:
        """Return the adapter for these credentials, the same to all lines with them."""
        key = frozenset(credentials.items())
        async with self._making:
            if key not in self._adapters:
                self._adapters[key] = await create()
            return self._adapters[key]

    def join(self, gateway: Gateway) -> Callable[[], None]:
        """Have a line take part from now on, until what is returned is called."""
        number = gateway.line.number.number
        self._gateways[number] = gateway

        def leave() -> None:
            del self._gateways[number]
            in_use = {each.line.adapter for each in self.gateways}
            self._adapters = {
                key: adapter
                for key, adapter in self._adapters.items()
                if adapter in in_use
            }
            if not self._gateways:
                self._queue.stop()

        return leave

    def catch_up_soon(self) -> None:
        """See to it that the provider's record is read on all lines before long."""
        self._hooks.catch_up_soon()

    async def catch_up(self) -> None:
        """Read the provider's record on all lines.

        Trouble with one of them is raised when all have been read.
        """
        trouble: SmsError | None = None
        for gateway in self.gateways:
            try:
                await gateway.inbox.catch_up(late=False)
            except SmsError as err:
                trouble = trouble or err
        if trouble is not None:
            raise trouble

    async def receive(
        self, called: Gateway, request: CallbackRequest
    ) -> Acknowledgement:
        """Take in a callback to a line's webhook and return the answer it wants.

        When this returns, what the callback brought is safe. Raises
        CallbackRejectedError for what is not authentic, CallbackUnreadableError
        for what makes no sense, and LineAwayError for what is to be tried again.
        """
        adapter = called.line.adapter
        await self._verify(adapter, request)
        if request.truncated:
            raise CallbackUnreadableError("longer than any provider sends")
        event = adapter.parse(request)
        if isinstance(event, IncomingCall | CallUpdate):
            return await self._take_call(called, event)
        if Capability.SIGNED_CALLBACKS in adapter.capabilities:
            await self._take(called, event)
        else:
            self._queue.add(event)
        return adapter.acknowledge(event)

    async def _verify(self, adapter: SmsAdapter, request: CallbackRequest) -> None:
        """Check a callback; after a forgery, yield to the event loop.

        So the lights wait for one of a flood, and not for all that came at once.
        """
        await self._gate.enter()
        try:
            adapter.verify(request)
        except CallbackRejectedError:
            self._gate.note_forgery()
            raise

    async def _take_call(self, called: Gateway, event: CallEvent) -> Acknowledgement:
        """Hand a call to the line it belongs to, and answer what the person hears."""
        try:
            gateway = await self._find_line_of_call(called, event)
            reply = await gateway.calls.take(event)
        except DatabaseClosedError as err:
            raise LineAwayError from err
        line = gateway.line
        return line.adapter.answer_call(reply, line.callback_url)

    async def _find_line_of_call(self, called: Gateway, event: CallEvent) -> Gateway:
        if isinstance(event, CallUpdate):
            known = [each for each in self.gateways if await each.calls.knows(event)]
            return known[0] if known else called
        for gateway in self.gateways:
            if gateway.inbox.has_number(event.number):
                return gateway
        if bare(event.number) in {bare(each) for each in self._away}:
            raise LineAwayError
        raise NoSuchLineError(event.number)

    async def _take(self, called: Gateway, event: Event) -> None:
        """Hand an authentic event to the line it belongs to."""
        try:
            for gateway in await self._find_lines(called, event):
                await gateway.inbox.take_signed(event)
        except (LineAwayError, DatabaseClosedError) as err:
            self.catch_up_soon()
            raise LineAwayError from err

    async def _find_lines(self, called: Gateway, event: Event) -> Sequence[Gateway]:
        """List whose event it is, or raise why it is nobody's."""
        if isinstance(event, DeliveryReceipt):
            return await self._find_senders(called, event)
        number = event.number
        if number is None:
            return [called]
        found = [each for each in self.gateways if each.inbox.has_number(number)]
        if found:
            return found
        if bare(number) in {bare(each) for each in self._away}:
            raise LineAwayError
        raise NoSuchLineError(number)

    async def _find_senders(
        self, called: Gateway, receipt: DeliveryReceipt
    ) -> Sequence[Gateway]:
        """List whose message a receipt is about.

        One nobody knows may have overtaken the answer to its own message, and is
        kept by the line that was called, unless it may be about a message of a line
        that is away.
        """
        away = self._away
        if len(self._gateways) == 1 and not away:
            return self.gateways
        found = await self._find_concerned(receipt) or [
            each for each in self.gateways if await each.inbox.has_sent(receipt)
        ]
        if not found and away:
            raise LineAwayError
        return found or [called]

    @property
    def _away(self) -> Collection[str]:
        return set(self._hooks.numbers()) - self._gateways.keys()

    async def _find_concerned(self, event: Event) -> Sequence[Gateway]:
        return [each for each in self.gateways if await each.inbox.concerns(event)]

    async def _confirm(self, event: Event, may_ask: Callable[[], bool]) -> bool:
        """Ask the provider about an unsigned event, for each line it may concern.

        False if it may not be asked now, or knows nothing of it.
        """
        concerned = await self._find_concerned(event)
        if not concerned:
            return True
        if not may_ask():
            return False
        return any([await each.inbox.look_up(event) for each in concerned])
