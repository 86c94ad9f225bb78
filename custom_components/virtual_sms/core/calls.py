"""Call people, each at most once, and take the calls of others.

A call is written down before it is made. Where its outcome stays unknown (a timeout, a
crash) the provider's own record tells whether it was made; it is never made again, for
a phone that rings twice is worse than an action that says it failed. What no callback
tells of an open call, the provider is asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import logging
from uuid import uuid4

from ..adapters.call_models import (
    CallEvent,
    CallReply,
    CallState,
    CallUpdate,
    IncomingCall,
    KeyRequest,
    OutboundCall,
    Speech,
)
from ..adapters.errors import (
    MessageRejectedError,
    NotFoundError,
    SendOutcomeUnknownError,
    SmsError,
)
from ..adapters.models import Capability, RejectReason
from ..adapters.plain_text import clean
from ..store.call_rows import CHECK, DueCall, WantedKey
from ..store.calls import CallTable, QueuedCalls
from ..store.changes import CallChanged
from ..store.database import CANNOT_WRITE
from ..store.usage import Allowance
from .limits import as_error
from .line import Line

_LOGGER = logging.getLogger(__name__)

_ROUNDED = timedelta(seconds=30)
"""How much the provider's `Date` and the time in its record may differ."""
_UNCERTAIN = timedelta(minutes=5)
"""How far to look back further where the provider's time was not known."""
LONGEST_GAP = timedelta(days=7)
"""How far back calls are caught up that nothing told of: a part of how long they are kept."""
LONGEST_OPEN = timedelta(days=1)
"""After this, a call of which nothing more is known has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What somebody hears who calls the home; nobody answers without a speech."""

    speech: Speech | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """Where a call stands after it was asked for, and what went wrong.

    `error` is only there when the call is surely not made.
    """

    call: OutboundCall
    state: CallState
    provider_id: str | None = None
    error: SmsError | None = None


class Calls:
    """The calls of one line."""

    def __init__(
        self,
        line: Line,
        table: CallTable,
        publish: Callable[[Sequence[CallChanged]], None],
        wake: Callable[[], None],
    ) -> None:
        """Take the line, its table, who publishes changes, and who has us work."""
        self._line = line
        self._table = table
        self._publish = publish
        self._wake = wake
        self._under_way: set[str] = set()
        self._unwanted: set[str] = set()
        """Calls to be canceled once the provider's id of them is known."""
        self._working = asyncio.Lock()
        self._is_forgotten = False
        self.greeting: Greeting | None = None
        """What becomes of calls to the home; None where they are none of ours."""

    def compose(
        self,
        recipient: str,
        speech: Speech,
        key: KeyRequest | None = None,
        contact: str | None = None,
        call_id: str | None = None,
    ) -> OutboundCall:
        """Make a call, or raise what the provider cannot express."""
        call = OutboundCall(
            call_id=call_id or uuid4().hex,
            recipient=recipient,
            speech=replace(speech, text=clean(speech.text)),
            key=key,
            created_at=self._table.clock.now(),
            contact=contact,
        )
        self._line.adapter.check_call(call, self._line.callback_url)
        return call

    async def place(
        self, calls: Sequence[OutboundCall], allowance: Allowance | None = None
    ) -> list[CallOutcome]:
        """Write calls down, make each once, and say where it stands then.

        Without an allowance no limit keeps any from being made.

        Raises what keeps them from being written down, and then nobody is called.
        """
        time_there = self._line.adapter.provider_time
        self._under_way |= {call.call_id for call in calls}
        try:
            since = time_there and time_there - _ROUNDED
            queued = await self._table.queue(calls, since, allowance)
            new = {each.call_id for each in queued.changes}
            attempts = [
                asyncio.Task(self._attempt(call), eager_start=True)
                for call in calls
                if call.call_id in new
            ]
            self._publish(queued.changes)
            made = await asyncio.gather(*attempts)
            return [*_list_rest(calls, queued), *made]
        finally:
            self._under_way -= {call.call_id for call in calls}
            self._wake()

    async def _attempt(self, call: OutboundCall) -> CallOutcome:
        line = self._line
        try:
            placed = await line.adapter.make_call(line.number, call, line.callback_url)
        except SmsError as err:
            return await self._handle(call, err)
        # Nobody knows how far it got.
        except Exception as err:
            _LOGGER.exception("A call was asked for and ended in an unforeseen way")
            unknown = SendOutcomeUnknownError(type(err).__name__)
            return await self._handle(call, unknown)
        await self._try_to_note(self._table.accept(call.call_id, placed))
        await self._cancel_unwanted(call.call_id, placed.provider_id)
        return CallOutcome(
            call=call, state=placed.state, provider_id=placed.provider_id
        )

    async def _handle(self, call: OutboundCall, err: SmsError) -> CallOutcome:
        """Decide what an error means for the call it happened to."""
        if isinstance(err, SendOutcomeUnknownError):
            return CallOutcome(call=call, state=CallState.QUEUED)
        self._unwanted.discard(call.call_id)
        reason = RejectReason.OTHER
        if isinstance(err, MessageRejectedError):
            reason = err.reason
        await self._try_to_note(
            self._table.end(call.call_id, reason, err.provider_code)
        )
        return CallOutcome(call=call, state=CallState.FAILED, error=err)

    async def withdraw(self, call_id: str) -> None:
        """Stop a phone that rings or is about to; an answered call goes on to its end.

        Trouble with that is no trouble: the phone stops ringing by itself.
        """
        self._unwanted.add(call_id)
        found = await self._table.find(call_id)
        rings = found is not None and found.state.rank < CallState.ANSWERED.rank
        if found is not None and found.provider_id and rings:
            await self._cancel_unwanted(call_id, found.provider_id)
        elif not rings and call_id not in self._under_way:
            self._unwanted.discard(call_id)

    async def take(self, event: CallEvent) -> CallReply | None:
        """Take in what a signed callback says, and return what the person hears.

        None where nobody is asked. On return it is safe on disk.
        """
        if isinstance(event, IncomingCall):
            return await self._ring(event)
        if event.digits is None:
            await self._note(self._table.receive(event))
            self._wake()
            return None
        return await self._press(event, event.digits)

    async def knows(self, update: CallUpdate) -> bool:
        """Say whether a call is one of this line's."""
        return await self._table.knows(update)

    async def _ring(self, call: IncomingCall) -> CallReply:
        greeting = self.greeting
        if greeting is None:
            return CallReply(rejected=True)
        is_rejected = greeting.speech is None
        await self._note(self._table.ring(call, rejected=is_rejected))
        self._wake()
        return CallReply(speech=greeting.speech, rejected=is_rejected)

    async def _press(self, update: CallUpdate, digits: str) -> CallReply:
        """Take a key: the wanted one is thanked for, another is asked for again."""
        wanted = await self._table.find_key(update)
        is_right = wanted is not None and digits == wanted.request.digit
        state = CallState.ACKNOWLEDGED if is_right else CallState.ANSWERED
        shown = digits if is_right else None
        pressed = replace(update, state=state, digits=shown)
        await self._note(self._table.receive(pressed))
        return _reply(wanted, is_right=is_right)

    async def work(self) -> timedelta | None:
        """Ask what is due, and return after what pause something will be due again."""
        async with self._working:
            for due in await self._table.due():
                await self._ask(due)
            next_at = await self._table.next_due()
        if next_at is None:
            return None
        return max(next_at - self._table.clock.now(), timedelta())

    async def catch_up(self) -> None:
        """Take the calls of others that no callback told of; raises as the adapter does.

        Those from before the home wanted to know of them are history.
        """
        line = self._line
        if Capability.CALLS not in line.adapter.capabilities:
            return
        if self.greeting is None:
            if not self._is_forgotten:
                await self._table.forget_record()
                self._is_forgotten = True
            return
        now = await line.adapter.fetch_time()
        since = max(await self._table.begin_record(now), now - LONGEST_GAP)
        found = await line.adapter.fetch_incoming_calls(line.number, since)
        await self._note(self._table.admit(found))

    async def _ask(self, due: DueCall) -> None:
        """Ask about a call; trouble with it is for the next time."""
        if due.call_id in self._under_way:
            await self._table.postpone(due.call_id, CHECK)
            return
        age = self._table.clock.now() - due.created_at
        try:
            if due.provider_id is None:
                await self._reconcile(due)
            else:
                await self._follow(due, due.provider_id)
        except SmsError as err:
            _LOGGER.debug("A call cannot be asked about now: %s", err.code)
            await self._table.postpone(due.call_id, max(CHECK, age / 4))
            if age > LONGEST_OPEN:
                await self._give_up(due)

    async def _cancel_unwanted(self, call_id: str, provider_id: str) -> None:
        if call_id not in self._unwanted:
            return
        self._unwanted.discard(call_id)
        line = self._line
        try:
            update = await line.adapter.cancel_call(line.number, provider_id)
        except SmsError as err:
            _LOGGER.debug("A call cannot be canceled: %s", err.code)
            return
        await self._try_to_note(self._table.receive(update))

    async def _reconcile(self, due: DueCall) -> None:
        """Look for a call whose outcome is unknown in the provider's record."""
        line = self._line
        since = due.sent_after or await self._guess_since(due)
        for placed in await line.adapter.find_calls(
            line.number, due.correspondent, since
        ):
            if not await self._table.is_claimed(placed.provider_id):
                await self._note(self._table.accept(due.call_id, placed))
                await self._follow(due, placed.provider_id)
                return
        now = self._table.clock.now()
        if now >= due.settled_at:
            await self._note(self._table.end(due.call_id, RejectReason.EXPIRED))
        else:
            await self._table.postpone(due.call_id, due.settled_at - now)

    async def _follow(self, due: DueCall, provider_id: str) -> None:
        line = self._line
        try:
            update = await line.adapter.fetch_call(line.number, provider_id)
        except NotFoundError:
            await self._give_up(replace(due, provider_id=provider_id))
            return
        await self._note(self._table.receive(update))
        await self._cancel_unwanted(due.call_id, provider_id)
        age = self._table.clock.now() - due.created_at
        await self._table.postpone(due.call_id, max(CHECK, age / 4))

    async def _give_up(self, due: DueCall) -> None:
        reason = RejectReason.OTHER
        if due.provider_id is None:
            await self._note(self._table.end(due.call_id, reason))
            return
        failed = CallUpdate(
            provider_id=due.provider_id, state=CallState.FAILED, reason=reason
        )
        await self._note(self._table.receive(failed))

    async def _guess_since(self, due: DueCall) -> datetime:
        """Guess when a call was made, by the provider's clock."""
        age = self._table.clock.now() - due.created_at
        return await self._line.adapter.fetch_time() - age - _UNCERTAIN

    async def _try_to_note(self, write: Awaitable[Sequence[CallChanged]]) -> None:
        """Write down what became of a call; if that fails, it is asked for later."""
        try:
            await self._note(write)
        except CANNOT_WRITE as err:
            _LOGGER.warning(
                "What became of a call cannot be written down now: %s",
                type(err).__name__,
            )

    async def _note(self, write: Awaitable[Sequence[CallChanged]]) -> None:
        self._publish(await write)


def _list_rest(calls: Sequence[OutboundCall], queued: QueuedCalls) -> list[CallOutcome]:
    """Say which calls are not made now: one is refused, or was written down before."""
    new = {each.call_id for each in queued.changes}
    rest = [call for call in calls if call.call_id not in new]
    refusals = {key: as_error(each) for key, each in queued.refusals.items()}
    return [
        CallOutcome(
            call=call,
            state=CallState.FAILED if call.call_id in refusals else CallState.QUEUED,
            error=refusals.get(call.call_id),
        )
        for call in rest
    ]


def _reply(wanted: WantedKey | None, *, is_right: bool) -> CallReply:
    if wanted is None:
        return CallReply()
    text = wanted.request.thanks if is_right else wanted.request.prompt
    return CallReply(
        speech=Speech(text=text, language=wanted.language),
        call_id=None if is_right else wanted.call_id,
    )
