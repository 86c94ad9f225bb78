"""What the contract promises of calls, kept by every provider that has them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_components.virtual_sms.adapters.call_models import (
    CallReply,
    CallState,
    CallUpdate,
    IncomingCall,
    KeyRequest,
    OutboundCall,
    Speech,
)
from custom_components.virtual_sms.adapters.errors import (
    CallbackRejectedError,
    MessageRejectedError,
    NotFoundError,
    ProviderUnavailableError,
    SendOutcomeUnknownError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackUrls,
    Capability,
    PhoneNumber,
)
from simulator import Quirk

if TYPE_CHECKING:
    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from simulator import Simulator

    from .conftest import Receiver
    from .harness import Harness

pytestmark = pytest.mark.needs(Capability.CALLS)

CALLEE = "+33612345678"
KEY = KeyRequest(digit="1", prompt="Press 1.", thanks="Thank you.")


def compose(
    recipient: str = CALLEE, text: str = "Water!", **changes: Any
) -> OutboundCall:
    """Compose a call."""
    call = OutboundCall(
        call_id="0c0ffee",
        recipient=recipient,
        speech=Speech(text=text, language="fr", repeat=2),
        created_at=datetime.now(UTC),
    )
    return replace(call, **changes)


@pytest.fixture
def number(harness: Harness) -> PhoneNumber:
    """Return the line that is used."""
    return harness.numbers[0]


def read(adapter: SmsAdapter, receiver: Receiver) -> list[object]:
    """Verify and read all that was called back."""
    for each in receiver.requests:
        adapter.verify(each)
    return [adapter.parse(each) for each in receiver.requests]


async def test_a_call_is_followed_from_its_start_to_its_end(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """Each callback carries both ids and a state that moves forward only."""
    placed = await adapter.make_call(number, compose(), receiver.url)
    await sim.settled()
    await sim.twilio.phones.use(placed.provider_id, "answer")
    events = read(adapter, receiver)
    assert placed.state is CallState.QUEUED
    assert all(isinstance(each, CallUpdate) for each in events)
    updates = [each for each in events if isinstance(each, CallUpdate)]
    assert [each.state for each in updates] == [
        CallState.QUEUED,
        CallState.RINGING,
        CallState.ANSWERED,
        CallState.COMPLETED,
    ]
    assert {each.provider_id for each in updates} == {placed.provider_id}
    assert {each.call_id for each in updates} == {"0c0ffee"}
    assert updates[-1].duration == 1
    assert all(each.at and each.at.tzinfo for each in updates)


async def test_what_is_heard(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """The text is spoken as often as wanted, in the language wanted, whatever is in it."""
    call = compose(text="<Water> & “mud”")
    placed = await adapter.make_call(number, call, receiver.url)
    await sim.settled()
    await sim.twilio.phones.use(placed.provider_id, "answer")
    (made,) = sim.twilio.phones.calls
    assert made.heard == ["<Water> & “mud”"] * 2
    assert made.languages == ["fr-FR"]


async def test_a_key_is_asked_for_and_answered(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """Who presses a key is told what follows, and the call stays open until then."""
    call = compose(key=KEY)
    placed = await adapter.make_call(number, call, receiver.url)
    await sim.settled()
    phones = sim.twilio.phones
    await phones.use(placed.provider_id, "answer")
    (made,) = phones.calls
    assert made.heard == ["Water! Press 1."] * 2
    receiver.requests.clear()
    receiver.adapter = Answering(adapter, receiver.url)  # type: ignore[assignment]
    await phones.use(placed.provider_id, "press", "7")
    assert made.heard[2:] == ["Again."]
    await phones.use(placed.provider_id, "press", "1")
    assert made.heard[3:] == ["Thank you."]
    assert made.status == "completed"
    pressed = [each for each in receiver.events if getattr(each, "digits", None)]
    assert [getattr(each, "digits", None) for each in pressed] == ["7", "1"]


class Answering:
    """An adapter as a home uses it: the right key is thanked for, another asked again."""

    def __init__(self, adapter: SmsAdapter, url: str) -> None:
        """Take the true one, and where a key goes."""
        self.verify, self.parse, self._adapter = adapter.verify, adapter.parse, adapter
        self.url = url

    def acknowledge(self, event: object) -> object:
        """Answer a key."""
        if not isinstance(event, CallUpdate) or event.digits is None:
            return self._adapter.answer_call(None, None)
        again = Speech(text="Again.", language="en")
        reply = CallReply(speech=again, call_id=event.call_id)
        if event.digits == KEY.digit:
            reply = CallReply(speech=replace(again, text=KEY.thanks))
        return self._adapter.answer_call(reply, self.url)


@pytest.mark.parametrize(
    ("do", "state"),
    [
        ("busy", CallState.BUSY),
        ("hang_up", CallState.BUSY),
        ("silent", CallState.NO_ANSWER),
        ("fail", CallState.FAILED),
    ],
)
async def test_endings(
    adapter: SmsAdapter, number: PhoneNumber, sim: Simulator, do: str, state: CallState
) -> None:
    """What becomes of a call can be asked for, callbacks or not."""
    placed = await adapter.make_call(number, compose(), None)
    await sim.settled()
    asked = await adapter.fetch_call(number, placed.provider_id)
    assert asked.state is CallState.RINGING
    await sim.twilio.phones.use(placed.provider_id, do)
    asked = await adapter.fetch_call(number, placed.provider_id)
    assert (asked.provider_id, asked.state) == (placed.provider_id, state)


async def test_a_phone_that_rings_is_stopped(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """A call that nobody has answered is canceled, which is called back as any state."""
    placed = await adapter.make_call(number, compose(), receiver.url)
    await sim.settled()
    canceled = await adapter.cancel_call(number, placed.provider_id)
    await sim.settled()
    assert canceled.state is CallState.CANCELED
    assert canceled.provider_id == placed.provider_id
    last = read(adapter, receiver)[-1]
    assert isinstance(last, CallUpdate)
    assert (last.state, last.call_id) == (CallState.CANCELED, "0c0ffee")
    assert sim.twilio.phones.calls[0].heard == []


async def test_who_listens_is_not_cut_off(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """A call that is answered goes on; what has ended is left as it is."""
    placed = await adapter.make_call(number, compose(key=KEY), receiver.url)
    await sim.settled()
    phones = sim.twilio.phones
    await phones.use(placed.provider_id, "answer")
    listening = await adapter.cancel_call(number, placed.provider_id)
    assert listening.state is CallState.ANSWERED
    await phones.use(placed.provider_id, "hang_up")
    with pytest.raises(SmsError):
        await adapter.cancel_call(number, placed.provider_id)
    assert phones.calls[0].status == "completed"


async def test_unknown_call(adapter: SmsAdapter, number: PhoneNumber) -> None:
    """A call that the provider does not know is not found."""
    for each in ("CA" + "0" * 32, "../x"):
        for ask in (adapter.fetch_call, adapter.cancel_call):
            with pytest.raises(NotFoundError):
                await ask(number, each)


@pytest.mark.parametrize("kind", ["dropped", "accepted_garbage"])
async def test_an_unknown_outcome_is_reconciled(
    adapter: SmsAdapter, number: PhoneNumber, sim: Simulator, kind: str
) -> None:
    """A lost answer leaves the outcome unknown, and the record tells what was accepted."""
    since = datetime.now(UTC) - timedelta(seconds=2)
    await adapter.make_call(number, compose("+33699999999"), None)
    sim.faults.add(kind, provider="twilio", path=r"/Calls\.json", times=1)
    with pytest.raises(SendOutcomeUnknownError):
        await adapter.make_call(number, compose(), None)
    made = sim.twilio.phones.calls[-1]
    found = await adapter.find_calls(number, CALLEE, since)
    assert [each.provider_id for each in found] == [made.id]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await adapter.find_calls(number, CALLEE, later) == []


async def test_a_refused_connection_is_no_unknown_outcome(
    adapter: SmsAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """What never left may be tried again."""
    sim.faults.add("rate_limited", provider="twilio", path=r"/Calls\.json", times=1)
    with pytest.raises(ProviderUnavailableError):
        await adapter.make_call(number, compose(), None)
    assert sim.twilio.phones.calls == []


async def test_a_call_that_cannot_be_expressed_is_refused_first(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """Too long, empty, half a character, or a key nobody could tell of."""
    for text in ("x" * 4001, "&" * 801, " ", "\ud800"):
        with pytest.raises(MessageRejectedError):
            adapter.check_call(compose(text=text), receiver.url)
    with pytest.raises(UnsupportedFeatureError):
        adapter.check_call(compose(key=KEY), None)
    adapter.check_call(compose(key=KEY), receiver.url)
    adapter.check_call(compose(text="x" * 3000), None)
    assert not sim.requests


async def test_the_longest_call_is_taken(
    adapter: SmsAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """What the check lets pass, the provider takes."""
    longest = next(
        each
        for size in range(4000, 3000, -1)
        if _passes(adapter, each := compose(text="é" * size))
    )
    assert await adapter.make_call(number, longest, None)


def _passes(adapter: SmsAdapter, call: OutboundCall) -> bool:
    try:
        adapter.check_call(call, None)
    except MessageRejectedError:
        return False
    return True


async def test_somebody_calls(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """Who calls is told, and gets a sentence or a refusal."""
    await adapter.set_voice_callbacks(number, CallbackUrls(inbound=receiver.url))
    standing = await adapter.get_voice_callbacks(number)
    assert standing == CallbackUrls(inbound=receiver.url)
    call_id = sim.twilio.phones.ring(CALLEE, number=number.number)
    await sim.settled()
    assert read(adapter, receiver) == [
        IncomingCall(provider_id=call_id, number=number.number, caller=CALLEE)
    ]
    rejected = adapter.answer_call(CallReply(rejected=True), None)
    assert "<Hangup" in adapter.answer_call(CallReply(), None).body
    assert "<Reject" in rejected.body
    assert rejected.content_type == "text/xml"
    greeting = Speech(text="Nobody <here>", language="xx")
    spoken = adapter.answer_call(CallReply(speech=greeting), None)
    assert "Nobody &lt;here&gt;" in spoken.body
    await adapter.set_voice_callbacks(number, CallbackUrls())
    assert await adapter.get_voice_callbacks(number) == CallbackUrls()


async def test_missed_calls_are_on_record(
    adapter: SmsAdapter, number: PhoneNumber, sim: Simulator
) -> None:
    """Who called is listed once that is over, the oldest first, and nobody else."""
    since = datetime.now(UTC) - timedelta(seconds=2)
    phones = sim.twilio.phones
    sim.automatic = False
    await adapter.make_call(number, compose(), None)
    missed = [phones.ring(caller) for caller in ("+33611111111", "+33622222222")]
    await sim.settled()
    phones.calls[1].created -= timedelta(seconds=1)
    phones.ring(CALLEE)
    phones.calls[-1].record = {"status": "ringing"}
    found = await adapter.fetch_incoming_calls(number, since)
    assert [each.call.provider_id for each in found] == missed
    assert [each.state for each in found] == [CallState.NO_ANSWER] * 2
    assert found[0].call.caller == "+33611111111"
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await adapter.fetch_incoming_calls(number, later) == []
    await sim.settled()


async def test_messages_keep_their_url(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver
) -> None:
    """The URL for calls and the one for messages do not touch one another."""
    await adapter.set_callbacks(number, CallbackUrls(inbound=receiver.url))
    await adapter.set_voice_callbacks(number, CallbackUrls(inbound="https://x.example"))
    assert (await adapter.get_callbacks(number)).inbound == receiver.url
    await adapter.set_callbacks(number, CallbackUrls())
    standing = await adapter.get_voice_callbacks(number)
    assert standing.inbound == "https://x.example"


async def test_forged_callbacks(
    adapter: SmsAdapter, number: PhoneNumber, receiver: Receiver, sim: Simulator
) -> None:
    """Neither a forged state nor a forged key is believed."""
    sim.twilio.quirks.add(Quirk.FORGED)
    placed = await adapter.make_call(number, compose(key=KEY), receiver.url)
    await sim.settled()
    await sim.twilio.phones.use(placed.provider_id, "answer")
    await sim.twilio.phones.use(placed.provider_id, "press", "1")
    assert len(receiver.requests) == 5
    for each in receiver.requests:
        with pytest.raises(CallbackRejectedError):
            adapter.verify(each)


def test_a_request_of_a_call_shows_nothing() -> None:
    """Neither numbers nor texts are in sight."""
    shown = f"{compose(key=KEY)!r} {IncomingCall(provider_id='1', number='+1', caller=CALLEE)!r}"
    assert CALLEE not in shown
    assert "Water" not in shown
