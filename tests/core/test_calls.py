"""Calls: at most one each, followed to their end, and acknowledged by the right key."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any, override
from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.call_models import (
    CallEvent,
    CallReply,
    CallState,
    CallUpdate,
    Direction,
    IncomingCall,
    KeyRequest,
    OutboundCall,
    PlacedCall,
    RecordedCall,
    Speech,
)
from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    CallbackRejectedError,
    MessageRejectedError,
    NotFoundError,
    ProviderUnavailableError,
    SendOutcomeUnknownError,
)
from custom_components.virtual_sms.adapters.models import (
    Acknowledgement,
    CallbackRequest,
    Capability,
    PhoneNumber,
    RejectReason,
)
from custom_components.virtual_sms.core.account import LineAwayError, NoSuchLineError
from custom_components.virtual_sms.core.calls import LONGEST_OPEN, Greeting
from custom_components.virtual_sms.core.gateway import Gateway, GatewayHooks
from custom_components.virtual_sms.core.line import Line
from custom_components.virtual_sms.store.changes import CallChanged, Change
from custom_components.virtual_sms.store.database import Database, DatabaseClosedError
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import RETENTION, Store
from tests.fakes import (
    NUMBER,
    Clock,
    FakeAdapter,
    make_account,
    make_dependencies,
    run_inline,
)

CALLEE = "+33612345678"
KEY = KeyRequest(digit="1", prompt="Press 1.", thanks="Thank you.")
WATER = Speech(text="Water!", language="fr", repeat=2)


class Phone(FakeAdapter):
    """Call as scripted in `failures`; `states` is what the record says of each call."""

    capabilities = FakeAdapter.capabilities | Capability.CALLS

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.failures: deque[Exception] = deque()
        self.made: list[OutboundCall] = []
        self.recorded: list[RecordedCall] = []
        self.states: dict[str, CallState] = {}
        self.asked: list[str] = []
        self.canceled: list[str] = []
        self.trouble_with_calls: Exception | None = None
        self.answers: list[CallReply | None] = []
        self.events: dict[bytes, CallEvent] = {}
        self.loses_answers = False

    @override
    def check_call(self, call: OutboundCall, callback_url: str | None) -> None:
        if len(call.speech.text) > 10:
            raise MessageRejectedError

    @override
    async def _make_call(
        self, number: PhoneNumber, call: OutboundCall, callback_url: str | None
    ) -> PlacedCall:
        await asyncio.sleep(0)
        if self.failures and not self.loses_answers:
            raise self.failures.popleft()
        self.made.append(call)
        provider_id = f"C{len(self.made)}"
        self.states.setdefault(provider_id, CallState.QUEUED)
        if self.failures:
            raise self.failures.popleft()
        return PlacedCall(provider_id=provider_id)

    @override
    async def fetch_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        self.asked.append(provider_id)
        if self.trouble_with_calls:
            raise self.trouble_with_calls
        if provider_id not in self.states:
            raise NotFoundError
        return CallUpdate(provider_id=provider_id, state=self.states[provider_id])

    @override
    async def cancel_call(self, number: PhoneNumber, provider_id: str) -> CallUpdate:
        self.canceled.append(provider_id)
        if self.trouble_with_calls:
            raise self.trouble_with_calls
        if self.states[provider_id].rank < CallState.ANSWERED.rank:
            self.states[provider_id] = CallState.CANCELED
        return CallUpdate(provider_id=provider_id, state=self.states[provider_id])

    @override
    async def find_calls(
        self, number: PhoneNumber, recipient: str, since: Any
    ) -> list[PlacedCall]:
        self.asked.append("find")
        if self.trouble_with_calls:
            raise self.trouble_with_calls
        return [PlacedCall(provider_id=each) for each in self.states]

    @override
    async def fetch_incoming_calls(
        self, number: PhoneNumber, since: Any
    ) -> list[RecordedCall]:
        self.asked.append("incoming")
        return [each for each in self.recorded if each.at >= since]

    @override
    def answer_call(
        self, reply: CallReply | None, callback_url: str | None
    ) -> Acknowledgement:
        self.answers.append(reply)
        return Acknowledgement(status=204 if reply is None else 200)

    @override
    def parse(self, request: CallbackRequest) -> Any:
        return self.events.get(request.body) or super().parse(request)


class Home:
    """A line that calls, over several runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.phone = Phone(self.clock)
        self.heard: list[Change] = []
        self.woken = 0
        self.gateway: Gateway

    async def open(self) -> None:
        """Begin a run."""
        dependencies = make_dependencies(self.clock)
        database = Database(self.path, MIGRATIONS, run_inline)
        store = Store(database, self.clock, self.clock.monotonic)
        hooks = GatewayHooks(
            publish=self.heard.append,
            wake=lambda: None,
            catch_up_soon=lambda: None,
            wake_calls=self._wake,
        )
        line = Line(number=NUMBER, adapter=self.phone, callback_url="https://home")
        self.gateway = Gateway(line, store, hooks, dependencies)
        await self.gateway.open()
        self.gateway.start()
        self.account = make_account(self.gateway, dependencies)

    async def restart(self) -> None:
        """End the run and begin another."""
        await self.gateway.close()
        await self.open()

    def _wake(self) -> None:
        self.woken += 1

    async def call(self, **more: Any) -> Any:
        """Call somebody."""
        call = self.gateway.calls.compose(CALLEE, WATER, **more)
        (outcome,) = await self.gateway.call([call])
        return outcome

    async def receive(self, event: CallEvent, **more: Any) -> Acknowledgement:
        """Have a callback come in."""
        body = repr(event).encode()
        self.phone.events[body] = event
        request = CallbackRequest(method="POST", url="https://home", body=body, **more)
        return await self.account.receive(self.gateway, request)

    async def hear(
        self, state: CallState, provider_id: str = "C1", **more: Any
    ) -> None:
        """Have the provider tell of a call."""
        await self.receive(CallUpdate(provider_id=provider_id, state=state, **more))

    @property
    def states(self) -> list[str]:
        """Return the states that were published."""
        return [each.state.value for each in self.changes]

    @property
    def changes(self) -> list[CallChanged]:
        """Return what was published."""
        return [each for each in self.heard if isinstance(each, CallChanged)]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """Make a home with a line."""
    home = Home(tmp_path / "calls")
    await home.open()
    yield home
    await home.gateway.close()


async def test_a_call_from_its_start_to_its_end(home: Home) -> None:
    """Every state is published once, in order, with what came before it."""
    outcome = await home.call(contact="c1")
    for state in (CallState.RINGING, CallState.ANSWERED):
        await home.hear(state)
    await home.hear(CallState.COMPLETED, duration=7)
    assert home.states == ["queued", "ringing", "answered", "completed"]
    assert [each.previous for each in home.changes] == [
        None,
        CallState.QUEUED,
        CallState.RINGING,
        CallState.ANSWERED,
    ]
    last = home.changes[-1]
    assert last.call_id == outcome.call.call_id
    assert (last.provider_id, last.correspondent) == ("C1", CALLEE)
    assert (last.duration, last.contact) == (7, "c1")
    assert last.direction is Direction.OUTBOUND
    assert outcome.state is CallState.QUEUED
    assert outcome.provider_id == "C1"
    assert await home.gateway.calls.work() is None


@pytest.mark.parametrize(
    "final", [each for each in CallState if each.is_final], ids=str
)
async def test_nothing_follows_the_end(home: Home, final: CallState) -> None:
    """Whatever arrives late or twice changes nothing and is published nowhere."""
    await home.call()
    await home.hear(final)
    for state in CallState:
        await home.hear(state)
    assert home.states == ["queued", final.value]


async def test_callbacks_may_come_in_any_order(home: Home) -> None:
    """A state that was overtaken is not published after a later one."""
    await home.call()
    for state in (CallState.ANSWERED, CallState.RINGING, CallState.ANSWERED):
        await home.hear(state)
    assert home.states == ["queued", "answered"]


async def test_the_right_key_acknowledges(home: Home) -> None:
    """It is thanked for as often as it is pressed, and published once."""
    outcome = await home.call(key=KEY)
    await home.hear(CallState.ANSWERED)
    call_id = outcome.call.call_id
    for digits in ("7", "1", "1"):
        await home.hear(CallState.ANSWERED, digits=digits, call_id=call_id)
    await home.hear(CallState.COMPLETED)
    assert home.phone.answers[1:4] == [
        CallReply(speech=Speech(text="Press 1.", language="fr"), call_id=call_id),
        *[CallReply(speech=Speech(text="Thank you.", language="fr"))] * 2,
    ]
    assert home.states == ["queued", "answered", "acknowledged", "completed"]
    assert [each.digits for each in home.changes] == [None, None, "1", "1"]


async def test_a_late_key_changes_nothing(home: Home) -> None:
    """After the end of a call nothing acknowledges it."""
    await home.call(key=KEY)
    await home.hear(CallState.NO_ANSWER)
    await home.hear(CallState.ANSWERED, digits="1")
    assert home.states == ["queued", "no_answer"]


async def test_a_key_that_nobody_asked_for(home: Home) -> None:
    """It is hung up on, whether the call is known or not."""
    await home.call()
    await home.hear(CallState.ANSWERED, digits="1")
    await home.hear(CallState.ANSWERED, "C9", digits="1", call_id="unknown")
    assert home.phone.answers == [CallReply()] * 2
    assert home.states == ["queued", "answered"]


async def test_a_key_may_overtake_the_answer_to_its_call(home: Home) -> None:
    """Our own id in the callback tells whose key it is."""
    home.phone.loses_answers = True
    home.phone.failures.append(ProviderUnavailableError())
    outcome = await home.call(key=KEY)
    assert (outcome.state, outcome.error) == (CallState.QUEUED, None)
    call_id = outcome.call.call_id
    await home.hear(CallState.ANSWERED, digits="1", call_id=call_id)
    assert home.states == ["queued", "acknowledged"]
    assert home.changes[-1].provider_id == "C1"
    # Another call that claims the same id is not this one.
    await home.hear(CallState.COMPLETED, "C2", call_id=call_id)
    assert home.states == ["queued", "acknowledged"]


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (
            MessageRejectedError(
                reason=RejectReason.INVALID_NUMBER, provider_code="21217"
            ),
            RejectReason.INVALID_NUMBER,
            "21217",
        ),
        (AuthenticationError(), RejectReason.OTHER, None),
        (ProviderUnavailableError(maybe_processed=False), RejectReason.OTHER, None),
    ],
)
async def test_a_call_that_is_refused(
    home: Home, error: Exception, reason: RejectReason, code: str | None
) -> None:
    """It has failed, says why, and is not tried again."""
    home.phone.failures.append(error)
    outcome = await home.call()
    assert (outcome.state, outcome.error) == (CallState.FAILED, error)
    assert home.states == ["queued", "failed"]
    assert (home.changes[-1].reason, home.changes[-1].error_code) == (reason, code)
    home.clock.advance(3600)
    assert await home.gateway.calls.work() is None
    assert home.phone.made == []


@pytest.mark.parametrize("error", [SendOutcomeUnknownError(), KeyError()])
async def test_an_unknown_outcome_is_reconciled(home: Home, error: Exception) -> None:
    """A call that was made after all is found, and followed; nobody is called twice."""
    home.phone.loses_answers = True
    home.phone.failures.append(error)
    await home.call()
    assert home.states == ["queued"]
    home.clock.advance(61)
    home.phone.states["C1"] = CallState.RINGING
    await home.gateway.calls.work()
    assert home.states == ["queued", "ringing"]
    assert len(home.phone.made) == 1


@pytest.mark.parametrize("state", [CallState.QUEUED, CallState.RINGING])
async def test_a_phone_that_rings_in_vain_is_stopped(
    home: Home, state: CallState
) -> None:
    """It is canceled once, which is published as any state; a second time does nothing."""
    outcome = await home.call()
    home.phone.states["C1"] = state
    await home.hear(state)
    for _ in range(2):
        await home.gateway.calls.withdraw(outcome.call.call_id)
    assert home.phone.canceled == ["C1"]
    assert home.states[-1] == "canceled"
    assert await home.gateway.calls.work() is None


@pytest.mark.parametrize(
    "state", [CallState.ANSWERED, CallState.ACKNOWLEDGED, CallState.COMPLETED]
)
async def test_who_has_answered_is_not_cut_off(home: Home, state: CallState) -> None:
    """A call that speaks, or has ended, is left alone."""
    outcome = await home.call()
    await home.hear(state)
    await home.gateway.calls.withdraw(outcome.call.call_id)
    assert home.phone.canceled == []
    assert home.states == ["queued", state]


async def test_answered_at_the_same_instant(home: Home) -> None:
    """The provider decides: what it has put through already goes on, and is followed."""
    outcome = await home.call()
    home.phone.states["C1"] = CallState.ANSWERED
    await home.gateway.calls.withdraw(outcome.call.call_id)
    assert home.states == ["queued", "answered"]


async def test_trouble_with_stopping_a_phone(home: Home) -> None:
    """The call is followed to its end as any other."""
    outcome = await home.call()
    home.phone.trouble_with_calls = ProviderUnavailableError()
    await home.gateway.calls.withdraw(outcome.call.call_id)
    assert home.phone.canceled == ["C1"]
    await home.hear(CallState.NO_ANSWER)
    assert home.states == ["queued", "no_answer"]


async def test_a_phone_is_stopped_once_the_provider_has_named_its_call(
    home: Home,
) -> None:
    """What is withdrawn while it is being asked for never rings for long."""
    calls = home.gateway.calls
    call = calls.compose(CALLEE, WATER)
    placing = asyncio.create_task(home.gateway.call([call]))
    while not calls._under_way:
        await asyncio.sleep(0)
    await calls.withdraw(call.call_id)
    await placing
    assert home.phone.canceled == ["C1"]
    assert home.states == ["queued", "canceled"]
    assert calls._unwanted == set()


async def test_a_lost_call_is_stopped_when_it_is_found(home: Home) -> None:
    """One that was withdrawn while its outcome was unknown rings no more."""
    home.phone.loses_answers = True
    home.phone.failures.append(SendOutcomeUnknownError())
    outcome = await home.call()
    await home.gateway.calls.withdraw(outcome.call.call_id)
    assert home.phone.canceled == []
    home.clock.advance(61)
    home.phone.states["C1"] = CallState.RINGING
    await home.gateway.calls.work()
    assert home.phone.canceled == ["C1"]
    assert home.states == ["queued", "ringing", "canceled"]
    assert home.gateway.calls._unwanted == set()


async def test_nothing_to_stop(home: Home) -> None:
    """A call nobody knows, or one that was refused, is nobody's phone."""
    calls = home.gateway.calls
    home.phone.failures.append(MessageRejectedError())
    outcome = await home.call()
    for call_id in (outcome.call.call_id, "nobody's"):
        await calls.withdraw(call_id)
    assert (home.phone.canceled, home.states) == ([], ["queued", "failed"])
    assert calls._unwanted == set()


async def test_a_call_that_was_never_made_has_failed(home: Home) -> None:
    """That is said once the provider's record can be believed, and not before."""
    home.phone.failures.append(SendOutcomeUnknownError())
    with patch(
        "custom_components.virtual_sms.store.call_rows.WATCH", timedelta(seconds=5)
    ):
        await home.call()
    home.clock.advance(6)
    pause = await home.gateway.calls.work()
    assert pause == timedelta(seconds=14)
    assert home.states == ["queued"]
    home.clock.advance(15)
    assert await home.gateway.calls.work() is None
    assert home.states == ["queued", "failed"]
    assert home.changes[-1].reason is RejectReason.EXPIRED


async def test_a_crash_in_the_middle_calls_nobody_twice(home: Home) -> None:
    """The next run finds the call in the record, and takes up its states."""
    home.phone.loses_answers = True
    home.phone.failures.append(SendOutcomeUnknownError())
    await home.call()
    await home.restart()
    home.phone.states["C1"] = CallState.COMPLETED
    await home.gateway.calls.work()
    assert home.states == ["queued", "completed"]
    assert len(home.phone.made) == 1


async def test_a_record_of_another_call_is_not_taken(home: Home) -> None:
    """What belongs to a call that is known is no other's."""
    await home.call()
    home.phone.failures.append(SendOutcomeUnknownError())
    await home.call()
    home.clock.advance(61)
    await home.gateway.calls.work()
    assert home.states == ["queued", "queued", "failed"]


async def test_a_gap_is_caught_up(home: Home) -> None:
    """What no callback told while the home was down is asked for at once."""
    await home.call()
    await home.gateway.close()
    home.clock.advance(3600)
    home.phone.states["C1"] = CallState.BUSY
    await home.open()
    await home.gateway.calls.work()
    assert home.states == ["queued", "busy"]


async def test_a_state_that_was_not_published_is_published_by_the_next_run(
    home: Home,
) -> None:
    """A crash between the disk and the bus loses nothing, and repeats nothing."""
    await home.call()
    await home.gateway.store.examine()
    home.gateway._publisher.stop()
    await home.hear(CallState.BUSY)
    assert home.states == ["queued"]
    await home.restart()
    assert home.states == ["queued", "busy"]
    await home.gateway.store.examine()
    await home.restart()
    assert home.states == ["queued", "busy"]


async def test_an_open_call_is_asked_about(home: Home) -> None:
    """Half a minute of silence is enough, then more seldom; trouble waits as well."""
    await home.call()
    assert await home.gateway.calls.work() == timedelta(seconds=30)
    home.clock.advance(31)
    home.phone.trouble_with_calls = ProviderUnavailableError()
    assert await home.gateway.calls.work() == timedelta(seconds=30)
    home.clock.advance(400)
    home.phone.trouble_with_calls = None
    assert await home.gateway.calls.work() > timedelta(seconds=100)
    assert home.phone.asked == ["C1", "C1"]
    assert home.states == ["queued"]


async def test_a_call_that_the_provider_forgot_has_failed(home: Home) -> None:
    """It does not stay open for ever."""
    await home.call()
    home.phone.states.clear()
    home.clock.advance(31)
    assert await home.gateway.calls.work() is None
    assert home.states == ["queued", "failed"]


@pytest.mark.parametrize("is_made", [True, False])
async def test_trouble_for_too_long(home: Home, *, is_made: bool) -> None:
    """A call of which nothing can be learned for a day has failed."""
    if not is_made:
        home.phone.failures.append(SendOutcomeUnknownError())
    await home.call()
    home.phone.trouble_with_calls = ProviderUnavailableError()
    home.clock.advance(LONGEST_OPEN.total_seconds() + 1)
    assert await home.gateway.calls.work() is None
    assert home.states == ["queued", "failed"]


async def test_a_call_under_way_is_left_alone(home: Home) -> None:
    """What is being asked for is not looked up meanwhile."""
    call = home.gateway.calls.compose(CALLEE, WATER)
    home.gateway.calls._under_way.add(call.call_id)
    await home.gateway.store.calls.queue([call], None)
    home.clock.advance(61)
    assert await home.gateway.calls.work() == timedelta(seconds=30)
    assert home.phone.asked == []


async def test_what_cannot_be_written_down_is_not_called(home: Home) -> None:
    """A closed line, or a disk that fails, calls nobody."""
    call = home.gateway.calls.compose(CALLEE, WATER)
    table = home.gateway.store.calls
    with (
        patch.object(table, "queue", side_effect=sqlite3.OperationalError),
        pytest.raises(sqlite3.OperationalError),
    ):
        await home.gateway.call([call])
    assert home.phone.made == []
    assert home.states == []


async def test_a_disk_that_fails_afterwards_is_no_second_call(home: Home) -> None:
    """The call was made, and the record tells so later."""
    table = home.gateway.store.calls
    with patch.object(table, "accept", side_effect=sqlite3.OperationalError):
        outcome = await home.call()
    assert outcome.provider_id == "C1"
    home.clock.advance(61)
    home.phone.states["C1"] = CallState.COMPLETED
    await home.gateway.calls.work()
    assert home.states == ["queued", "completed"]


async def test_a_line_that_closes_meanwhile(home: Home) -> None:
    """Whoever waits learns of it."""
    call = home.gateway.calls.compose(CALLEE, WATER)

    async def never(*_: object) -> Any:
        await asyncio.sleep(3600)

    with patch.object(home.gateway.calls, "place", never):
        waiting = asyncio.create_task(home.gateway.call([call]))
        await asyncio.sleep(0.01)
        (task,) = [each for each in asyncio.all_tasks() if each.get_name() == "call"]
        task.cancel()
        with pytest.raises(DatabaseClosedError):
            await waiting


async def test_what_the_provider_cannot_say_is_refused_first(home: Home) -> None:
    """Nothing is written down, and nobody called."""
    with pytest.raises(MessageRejectedError):
        home.gateway.calls.compose(CALLEE, Speech(text="x" * 11, language="en"))
    assert home.states == []


async def test_a_call_that_nobody_wants(home: Home) -> None:
    """Without an answer for it, it is rejected and not published."""
    await home.receive(
        IncomingCall(provider_id="I1", number=NUMBER.number, caller=CALLEE)
    )
    assert home.phone.answers == [CallReply(rejected=True)]
    assert home.states == []


async def test_a_call_that_is_rejected(home: Home) -> None:
    """It is published once, however often the provider asks."""
    home.gateway.calls.greeting = Greeting()
    call = IncomingCall(provider_id="I1", number=NUMBER.number, caller=CALLEE)
    for _ in range(2):
        await home.receive(call)
    assert home.phone.answers == [CallReply(rejected=True)] * 2
    assert home.states == ["ringing", "rejected"]
    assert home.changes[0].direction is Direction.INBOUND
    assert (home.changes[0].call_id, home.changes[0].correspondent) == ("I1", CALLEE)
    assert await home.gateway.calls.work() is None


async def test_a_call_that_is_greeted(home: Home) -> None:
    """Its caller hears the greeting, and its end is asked for."""
    home.gateway.calls.greeting = Greeting(speech=WATER)
    call = IncomingCall(provider_id="I1", number=NUMBER.number, caller=CALLEE)
    await home.receive(call)
    assert home.phone.answers == [CallReply(speech=WATER)]
    assert home.states == ["ringing"]
    assert home.woken == 1
    home.phone.states["I1"] = CallState.COMPLETED
    home.clock.advance(31)
    await home.gateway.calls.work()
    assert home.states == ["ringing", "completed"]


async def test_calls_to_other_numbers(home: Home) -> None:
    """A line that is about to come back is tried again, another one is refused."""
    call = IncomingCall(provider_id="I1", number="+33900000009", caller=CALLEE)
    with pytest.raises(NoSuchLineError):
        await home.receive(call)
    with (
        patch.object(type(home.account), "_away", ["+33900000009"]),
        pytest.raises(LineAwayError),
    ):
        await home.receive(call)


async def test_a_forged_callback_changes_nothing(home: Home) -> None:
    """Neither a state nor a call of somebody who proves nothing is believed."""
    await home.call()
    forged = {"headers": {"x-signature": "forged"}}
    for event in (
        CallUpdate(provider_id="C1", state=CallState.COMPLETED),
        IncomingCall(provider_id="I1", number=NUMBER.number, caller=CALLEE),
    ):
        with pytest.raises(CallbackRejectedError):
            await home.receive(event, **forged)
    assert home.states == ["queued"]


async def test_a_closed_line_is_tried_again(home: Home) -> None:
    """What cannot be written down is not answered as taken."""
    await home.call()
    await home.gateway.close()
    with pytest.raises(LineAwayError):
        await home.hear(CallState.BUSY)


async def test_old_calls_are_forgotten(home: Home) -> None:
    """Those that ended long ago, and no others."""
    await home.call()
    await home.call()
    await home.hear(CallState.BUSY)
    home.clock.advance(RETENTION.total_seconds())
    await home.gateway.store.prune()
    calls = home.gateway.calls
    assert not await calls.knows(CallUpdate(provider_id="C1", state=CallState.BUSY))
    assert await calls.knows(CallUpdate(provider_id="C2", state=CallState.BUSY))


def record(home: Home, call_id: str, *, ago: float = 0) -> None:
    """Have somebody call the home while nothing tells it."""
    call = IncomingCall(provider_id=call_id, number=NUMBER.number, caller=CALLEE)
    at = home.clock.true - timedelta(seconds=ago)
    state = CallState.NO_ANSWER
    home.phone.recorded.append(RecordedCall(call=call, state=state, at=at))


async def test_missed_calls_are_caught_up(home: Home) -> None:
    """Each is published once; those from before they were wanted are history."""
    calls = home.gateway.calls
    calls.greeting = Greeting()
    record(home, "I0", ago=60)
    await calls.catch_up()
    home.clock.advance(60)
    record(home, "I1")
    known = IncomingCall(provider_id="I2", number=NUMBER.number, caller=CALLEE)
    await home.receive(known)
    record(home, "I2")
    await calls.catch_up()
    await calls.catch_up()
    assert [(each.call_id, each.state.value) for each in home.changes] == [
        ("I2", "ringing"),
        ("I2", "rejected"),
        ("I1", "no_answer"),
    ]
    assert await calls.work() is None


async def test_calls_that_are_not_wanted_are_not_caught_up(home: Home) -> None:
    """And when they are wanted again, what came meanwhile is history."""
    calls = home.gateway.calls
    calls.greeting = Greeting()
    await calls.catch_up()
    calls.greeting = None
    home.clock.advance(60)
    record(home, "I1")
    for _ in range(2):
        await calls.catch_up()
    home.clock.advance(60)
    calls.greeting = Greeting()
    await calls.catch_up()
    assert home.states == []
    home.phone.capabilities = Capability(0)  # type: ignore[misc]
    home.phone.asked.clear()
    await calls.catch_up()
    assert home.phone.asked == []
