"""Every promise of the contract, kept by every provider, over real HTTP.

What this suite asks for is in `base.py`; what it knows of a provider in its
harness. A provider of its own needs no test here, and cannot leave one out.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import inspect
import re
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.base import SmsAdapter
from custom_components.virtual_sms.adapters.callback_failures import FailureKind
from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    CallbackError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    CallbackUrls,
    Capability,
    DeliveryReceipt,
    DeliveryStatus,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
)
from simulator import Quirk, Verdict

from .harness import harness_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from simulator import Simulator

    from .conftest import Make, Receiver
    from .harness import Harness

E164 = re.compile(r"\+[1-9]\d{6,14}")
URL = "https://home.example/api/webhook/abc"
TEXT = "The cellar is wet: 4711 €"
METHODS = {
    Capability.AUTHORIZATION: ("request_authorization", "authorization_state"),
    Capability.BALANCE: ("get_balance",),
    Capability.CALLBACK_FAILURES: ("fetch_callback_failures",),
    Capability.CALLS: (
        "_make_call",
        "answer_call",
        "cancel_call",
        "check_call",
        "fetch_call",
        "fetch_incoming_calls",
        "find_calls",
        "get_voice_callbacks",
        "set_voice_callbacks",
    ),
    Capability.CALLBACK_URLS: ("get_callbacks", "set_callbacks"),
    Capability.HISTORY: ("fetch_inbound", "fetch_inbound_message"),
    Capability.LOOKUP: ("find_sent",),
    Capability.OPT_OUTS: ("list_opted_out",),
    Capability.RECEIPTS: ("fetch_receipt",),
}
READING = (
    "get_account",
    "list_numbers",
    "get_callbacks",
    "fetch_callback_failures",
    "fetch_inbound",
    "fetch_receipt",
    "find_sent",
    "get_balance",
    "list_opted_out",
    "fetch_call",
    "fetch_incoming_calls",
    "find_calls",
    "get_voice_callbacks",
)


def outbound(recipient: str, text: str = TEXT, **changes: Any) -> OutboundMessage:
    """Compose a message."""
    values = {
        "message_id": "01J0000000000000000000000A",
        "recipient": recipient,
        "text": text,
        "created_at": datetime.now(UTC),
    }
    return OutboundMessage(**(values | changes))


async def nothing_known(ids: Sequence[str]) -> set[str]:
    """Know no message."""
    return set()


async def fetch(
    adapter: SmsAdapter, number: PhoneNumber, since: datetime
) -> list[InboundMessage]:
    """Fetch all batches as one list."""
    batches = adapter.fetch_inbound(number, since, nothing_known)
    return [message async for batch in batches for message in batch]


async def ask(
    verb: str, adapter: SmsAdapter, number: PhoneNumber, provider_id: str = ""
) -> object:
    """Use one of the verbs that read."""
    now = datetime.now(UTC)
    of_a_number = (
        "get_balance",
        "get_callbacks",
        "get_voice_callbacks",
        "list_opted_out",
    )
    arguments: dict[str, tuple[object, ...]] = {
        **dict.fromkeys(of_a_number, (number,)),
        "fetch_callback_failures": (number, URL, now),
        "fetch_call": (number, provider_id),
        "fetch_incoming_calls": (number, now),
        "fetch_receipt": (number, provider_id),
        "find_calls": (number, "+33612345678", now),
        "find_sent": (number, outbound("+33612345678"), now),
    }
    if verb == "fetch_inbound":
        return await fetch(adapter, number, now - timedelta(hours=1))
    return await getattr(adapter, verb)(*arguments.get(verb, ()))


def list_verbs(capabilities: Capability) -> list[str]:
    """List the verbs that read, of a provider with some capabilities."""
    missing = {
        name
        for capability, methods in METHODS.items()
        if capability not in capabilities
        for name in methods
    }
    return [name for name in READING if name not in missing]


async def failure[E: SmsError](
    kind: type[E], harness: Harness, awaitable: Awaitable[object]
) -> E:
    """Return the error something ends in, which must tell no secret."""
    with pytest.raises(kind) as caught:
        await awaitable
    credentials = harness.credentials.items()
    secrets = {value for name, value in credentials if name != "api_url"}
    secrets |= {TEXT, harness.recipient, harness.recipient.lstrip("+")}
    secrets |= {number.number for number in harness.numbers}
    shown = f"{caught.value!s} {caught.value!r}"
    assert not [secret for secret in secrets if secret in shown]
    return caught.value


async def believe(
    adapter: SmsAdapter, number: PhoneNumber, request: CallbackRequest
) -> Event | None:
    """Take a callback through all verbs; None where one refuses it."""
    try:
        adapter.verify(request)
        event = adapter.parse(request)
    except CallbackError:
        return None
    return await adapter.confirm(number, event)


@pytest.fixture
def number(harness: Harness) -> PhoneNumber:
    """Return the line the tests use."""
    return harness.numbers[0]


@pytest.fixture(params=READING)
def verb(request: pytest.FixtureRequest, key: str) -> str:
    """Name a verb that reads, of those that the provider has."""
    name = str(request.param)
    if name not in list_verbs(ADAPTERS[key].capabilities):
        pytest.skip("the provider has no such thing")
    return name


@pytest.fixture
async def sent_id(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber, sim: Simulator
) -> str:
    """Return the id of a message that was sent."""
    sent = await adapter.send(number, outbound(harness.recipient), None)
    await sim.settled()
    return sent.provider_id


async def test_it_has_a_harness(key: str) -> None:
    """A provider cannot come without one."""
    assert harness_of(key).key == key == ADAPTERS[key].key


async def test_capabilities_are_the_methods(key: str) -> None:
    """A capability is declared if, and only if, its methods are there."""
    adapter = ADAPTERS[key]
    for capability, methods in METHODS.items():
        overridden = {
            getattr(adapter, name) is not getattr(SmsAdapter, name) for name in methods
        }
        assert overridden == {capability in adapter.capabilities}, capability
    signed = Capability.SIGNED_CALLBACKS in adapter.capabilities
    # A key that is pressed must be answered at once, and so be believed.
    assert signed or Capability.CALLS not in adapter.capabilities
    assert signed == (adapter.confirm is SmsAdapter.confirm)


async def test_what_is_missing_is_unsupported(
    key: str, adapter: SmsAdapter, number: PhoneNumber
) -> None:
    """The methods of a capability that is not declared say so."""
    calls: dict[Capability, Callable[[], Any]] = {
        Capability.AUTHORIZATION: lambda: adapter.request_authorization(None),
        Capability.BALANCE: lambda: adapter.get_balance(number),
        Capability.CALLBACK_FAILURES: lambda: adapter.fetch_callback_failures(
            number, URL, datetime.now(UTC)
        ),
        Capability.CALLBACK_URLS: lambda: adapter.get_callbacks(number),
        Capability.CALLS: lambda: adapter.fetch_call(number, "1"),
        Capability.HISTORY: lambda: adapter.fetch_inbound_message(number, "1"),
        Capability.LOOKUP: lambda: adapter.find_sent(
            number, outbound("+33612345678"), datetime.now(UTC)
        ),
        Capability.OPT_OUTS: lambda: adapter.list_opted_out(number),
        Capability.RECEIPTS: lambda: adapter.fetch_receipt(number, "1"),
    }
    for capability, call in calls.items():
        if capability not in adapter.capabilities:
            with pytest.raises(UnsupportedFeatureError):
                await call()


async def test_field_names_are_unique(key: str) -> None:
    """The form can be rendered: names are unique, `api_url` is advanced."""
    fields = ADAPTERS[key].credential_fields
    names = [field.key for field in fields]
    assert len(names) == len(set(names))
    assert [field.advanced for field in fields if field.key == "api_url"] == [True]


async def test_nothing_slow_on_the_loop(
    key: str,
    harness: Harness,
    make: Make,
    number: PhoneNumber,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK is imported, the last lazy part of it, off the event loop."""
    imported: list[tuple[str, int]] = []

    class Witness:
        """See who imports what."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name.partition(".")[0] in harness.sdk_modules:
                imported.append((name, threading.get_ident()))

    for name in list(sys.modules):
        if name.partition(".")[0] in harness.sdk_modules:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Witness, *sys.meta_path])

    adapter = make(harness.credentials)
    await asyncio.gather(adapter.prepare(), adapter.prepare())
    prepared = len(imported)
    sent = await adapter.send(number, outbound(harness.recipient), None)
    for verb in READING:
        with suppress(NotFoundError, UnsupportedFeatureError):
            await ask(verb, adapter, number, sent.provider_id)
    with suppress(CallbackError):
        adapter.verify(CallbackRequest(method="POST", url="https://example.com/"))

    assert bool(prepared) == bool(harness.sdk_modules)
    assert len(imported) == prepared
    assert threading.get_ident() not in {thread for _, thread in imported}


async def test_account(adapter: SmsAdapter, harness: Harness) -> None:
    """The right credentials name their account."""
    assert (await adapter.get_account()).id == harness.account


async def test_each_wrong_secret(harness: Harness, make: Make) -> None:
    """Any secret that is wrong is another error than a right that is missing."""
    for name, credentials in harness.wrong_credentials.items():
        asked = make(credentials).get_account()
        error = await failure(AuthenticationError, harness, asked)
        assert type(error) is AuthenticationError, name


async def test_limited_credentials(
    harness: Harness, make: Make, number: PhoneNumber
) -> None:
    """Who may not list the numbers can still send."""
    if harness.limited_credentials is None:
        pytest.skip("all of its credentials may do the same")
    adapter = make(harness.limited_credentials)
    assert (await adapter.get_account()).id == harness.account
    await failure(MissingRightsError, harness, adapter.list_numbers())
    assert await adapter.send(number, outbound(harness.recipient), None)


async def test_numbers(adapter: SmsAdapter, harness: Harness) -> None:
    """Only what can text is listed, in E.164."""
    numbers = await adapter.list_numbers()
    assert [replace(each, label=None) for each in numbers] == list(harness.numbers)
    assert all(E164.fullmatch(each.number) for each in numbers)


async def test_rate_limit(
    verb: str,
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    sent_id: str,
) -> None:
    """The pause a provider asks for is passed on."""
    harness.sim.faults.add("rate_limited", provider=harness.key, retry_after=7)
    asked = ask(verb, adapter, number, sent_id)
    error = await failure(RateLimitedError, harness, asked)
    assert error.retry_after == 7
    assert not error.maybe_processed


@pytest.mark.parametrize("fault", ["server_error", "bad_gateway", "refused"])
async def test_trouble(
    *,
    verb: str,
    fault: str,
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    sent_id: str,
) -> None:
    """A provider in trouble is just that, whatever its answer looks like."""
    harness.sim.faults.add(fault, provider=harness.key)
    asked = ask(verb, adapter, number, sent_id)
    error = await failure(ProviderUnavailableError, harness, asked)
    assert type(error) is ProviderUnavailableError
    assert error.answered == (fault != "refused")


@pytest.mark.parametrize("body", ["null", "{}", '"a"', "[]", "", "<html>", "[1]", "7"])
async def test_unreadable_answer(
    *,
    verb: str,
    body: str,
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    sent_id: str,
) -> None:
    """An answer that makes no sense has an error of its own."""
    harness.sim.faults.add("garbage", provider=harness.key, body=body)
    if (verb, body) in harness.legible:
        await ask(verb, adapter, number, sent_id)
        return
    asked = ask(verb, adapter, number, sent_id)
    await failure(InvalidResponseError, harness, asked)


@pytest.mark.needs(Capability.OPT_OUTS)
async def test_opt_outs(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Who has texted STOP is on the provider's list."""
    assert await adapter.list_opted_out(number) == []
    harness.provider.receive("+33612345678", "STOP")
    await harness.sim.settled()
    assert await adapter.list_opted_out(number) == ["+33612345678"]


@pytest.mark.needs(Capability.CALLBACK_FAILURES)
async def test_calls_that_failed(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber, receiver: Receiver
) -> None:
    """A record of failed calls lists those to our URL, whatever its query, and why."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
    start = datetime.now(UTC)
    for each in (f"{url}?m=1", receiver.url, url):
        await adapter.set_callbacks(number, harness.callback_urls(each))
        harness.provider.receive("+33612345678", TEXT)
        await harness.sim.settled()
    failures = await adapter.fetch_callback_failures(number, url, start)
    assert [each.kind for each in failures] == [FailureKind.UNREACHABLE] * 2
    assert all(each.at >= start.replace(microsecond=0) for each in failures)
    later = start + timedelta(minutes=1)
    assert await adapter.fetch_callback_failures(number, url, later) == []
    other = await adapter.fetch_callback_failures(number, receiver.url, start)
    assert other == []


async def test_unreachable(harness: Harness, make: Make, number: PhoneNumber) -> None:
    """A provider that cannot be reached has processed nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    adapter = make(harness.credentials | {"api_url": f"http://127.0.0.1:{port}"})
    send = adapter.send(number, outbound(harness.recipient), None)
    for asked in (adapter.get_account(), send):
        error = await failure(ProviderUnavailableError, harness, asked)
        assert not error.maybe_processed


async def test_slow(adapter: SmsAdapter, harness: Harness) -> None:
    """A provider that does not answer in time is given up."""
    adapter.timeout = 0.2
    harness.sim.faults.add("slow", provider=harness.key, delay=0.5)
    error = await failure(ProviderUnavailableError, harness, adapter.get_account())
    assert error.maybe_processed
    assert not error.answered


@pytest.mark.parametrize("text", ["", " \n", "\u00a0", "\u200b \ufeff"])
def test_a_text_that_says_nothing(
    adapter: SmsAdapter, harness: Harness, text: str
) -> None:
    """What nobody would see is refused, before it costs anything."""
    with pytest.raises(MessageRejectedError):
        adapter.check(outbound(harness.recipient, text))


async def test_send_until_delivered(
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    receiver: Receiver,
    sim: Simulator,
) -> None:
    """A message is accepted and delivered, which callback and record agree upon."""
    receiver.adapter = adapter
    await harness.connect(adapter, number, receiver.url)
    message = outbound(harness.recipient)
    adapter.check(message)
    sent = await adapter.send(number, message, receiver.url)
    await sim.settled()

    (accepted,) = harness.provider.messages
    assert (accepted.sender, accepted.to, accepted.text) == (
        number.number,
        message.recipient,
        TEXT,
    )
    assert sent.status in {DeliveryStatus.QUEUED, DeliveryStatus.SENT}
    assert sent.segments in {None, 1}
    receipts = [
        await adapter.confirm(number, adapter.parse(request))
        for request in receiver.requests
    ]
    assert receipts
    for receipt in receipts:
        assert isinstance(receipt, DeliveryReceipt)
        assert receipt.provider_id == sent.provider_id
        assert receipt.message_id in {None, message.message_id}
    assert receipts[-1]
    assert receipts[-1].status is DeliveryStatus.DELIVERED
    assert {each.verdict for each in sim.callbacks} == {Verdict.ACCEPTED}
    if Capability.RECEIPTS in adapter.capabilities:
        receipt = await adapter.fetch_receipt(number, sent.provider_id)
        assert receipt.status is DeliveryStatus.DELIVERED
        assert receipt.reason is None


async def test_failing_delivery(
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    receiver: Receiver,
    sim: Simulator,
) -> None:
    """A message that does not arrive says why, by callback and by record."""
    receiver.adapter = adapter
    await harness.connect(adapter, number, receiver.url)
    for recipient, expected in harness.failing.items():
        receiver.requests.clear()
        sent = await adapter.send(number, outbound(recipient), receiver.url)
        await sim.settled()
        receipts = [await believe(adapter, number, receiver.requests[-1])]
        if Capability.RECEIPTS in adapter.capabilities:
            receipts.append(await adapter.fetch_receipt(number, sent.provider_id))
        for receipt in receipts:
            assert isinstance(receipt, DeliveryReceipt)
            assert (receipt.status, receipt.reason) == expected, recipient
            assert receipt.error_code


async def test_refusals(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A refusal is for good, and has its reason and the provider's code."""
    for recipient, reason in harness.refused.items():
        send = adapter.send(number, outbound(recipient), None)
        error = await failure(MessageRejectedError, harness, send)
        assert error.reason is reason, recipient
        assert error.provider_code or reason, recipient
    assert not harness.provider.messages


async def test_inexpressible(adapter: SmsAdapter, harness: Harness) -> None:
    """What a provider cannot express is refused before it is asked."""
    for text in ("", harness.too_long):
        with pytest.raises(MessageRejectedError):
            adapter.check(outbound(harness.recipient, text))
    with_media = outbound(harness.recipient, media=("https://example.com/cat.png",))
    if Capability.MEDIA in adapter.capabilities:
        adapter.check(with_media)
        adapter.check(replace(with_media, text=""))
    else:
        with pytest.raises(UnsupportedFeatureError):
            adapter.check(with_media)
    assert not harness.sim.requests


@pytest.mark.parametrize("fault", ["dropped", "late", "accepted_garbage"])
async def test_send_of_unknown_outcome_that_was_accepted(
    fault: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message whose answer was lost is never sent again, and found where it can be."""
    message = outbound(harness.recipient)
    harness.provider.history(3, sender=harness.recipient, outbound=True, text=TEXT)
    other = outbound(harness.recipient, "Another text", message_id="another")
    await adapter.send(number, other, None)
    others = len(harness.provider.messages)
    harness.sim.faults.add(
        fault, provider=harness.key, method="POST", path=harness.send_path, delay=1.5
    )
    adapter.timeout = 1.0
    send = adapter.send(number, message, None)
    error = await failure(SendOutcomeUnknownError, harness, send)
    adapter.timeout = 15.0
    assert error.answered == (fault == "accepted_garbage")
    assert len(harness.provider.messages) == others + 1
    if Capability.LOOKUP not in adapter.capabilities:
        return
    found = await adapter.find_sent(number, message, message.created_at)
    accepted = harness.provider.messages[-1]
    exact = [each.provider_id for each in found if each.exact]
    assert exact == [str(accepted.id)]
    assert found[0].exact


@pytest.mark.parametrize("fault", ["refused", "server_error", "bad_gateway", "garbage"])
async def test_send_of_unknown_outcome_that_was_not_accepted(
    fault: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A message that may have been accepted, but was not, is not found."""
    message = outbound(harness.recipient)
    harness.sim.faults.add(
        fault, provider=harness.key, method="POST", path=harness.send_path
    )
    send = adapter.send(number, message, None)
    error = await failure(SendOutcomeUnknownError, harness, send)
    assert error.answered == (fault != "refused")
    if Capability.LOOKUP in adapter.capabilities:
        assert not await adapter.find_sent(number, message, message.created_at)
    assert not harness.provider.messages


async def test_limited_send(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A send that was one too many was not accepted."""
    harness.sim.faults.add("rate_limited", provider=harness.key, retry_after=3)
    send = adapter.send(number, outbound(harness.recipient), None)
    error = await failure(RateLimitedError, harness, send)
    assert error.retry_after == 3


async def test_many_at_once(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Fifty recipients get a message, each once."""
    messages = [
        outbound(f"+336123400{index:02}", message_id=f"m{index}") for index in range(50)
    ]
    sends = [adapter.send(number, message, None) for message in messages]
    sent = await asyncio.gather(*sends)
    accepted = {str(each.id): each.to for each in harness.provider.messages}
    assert accepted == {
        each.provider_id: message.recipient
        for each, message in zip(sent, messages, strict=True)
    }


async def test_inbound(
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    receiver: Receiver,
    sim: Simulator,
) -> None:
    """A message is the same by callback and from the record."""
    receiver.adapter = adapter
    await harness.connect(adapter, number, receiver.url)
    started = datetime.now(UTC)
    harness.provider.receive(harness.recipient, TEXT)
    await sim.settled()

    (request,) = receiver.requests
    event = await believe(adapter, number, request)
    assert isinstance(event, InboundMessage)
    found = [event]
    if Capability.HISTORY in adapter.capabilities:
        found += await fetch(adapter, number, started - timedelta(seconds=1))
        assert [each.message_id for each in found] == [event.message_id] * 2
    for message in found:
        assert message.sender == harness.recipient
        assert message.text == TEXT
        assert message.number in {None, number.number}
        assert abs(message.received_at - started) < timedelta(seconds=5)
        assert message.received_at.tzinfo is UTC
    assert [each.verdict for each in sim.callbacks] == [Verdict.ACCEPTED]


@pytest.mark.needs(Capability.HISTORY)
async def test_catching_up(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber, sim: Simulator
) -> None:
    """What was missed comes oldest first, and the past costs nothing."""
    now = datetime.now(UTC)
    harness.provider.history(3000)
    for index in (2, 0, 1):
        at = now - timedelta(minutes=10 - index)
        harness.provider.receive(
            harness.recipient, f"Missed {index}", callback=False, at=at
        )
    sim.requests.clear()
    since = now - timedelta(minutes=10)
    messages = await fetch(adapter, number, since)
    assert [message.text for message in messages] == [
        "Missed 0",
        "Missed 1",
        "Missed 2",
    ]
    assert len(sim.requests) <= 6


@pytest.mark.needs(Capability.HISTORY)
async def test_catching_up_on_nothing(adapter: SmsAdapter, number: PhoneNumber) -> None:
    """An account without messages has none to catch up on."""
    assert await fetch(adapter, number, datetime.now(UTC)) == []


@pytest.mark.needs(Capability.CALLBACK_URLS)
async def test_callback_urls(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """The URLs that are set are the ones that stand there, and can be cleared."""
    urls = harness.callback_urls("https://example.com/hook?a=b")
    assert await adapter.get_callbacks(number) == CallbackUrls()
    await adapter.set_callbacks(number, urls)
    assert await adapter.get_callbacks(number) == urls
    await adapter.set_callbacks(number, CallbackUrls())
    assert await adapter.get_callbacks(number) == CallbackUrls()


@pytest.mark.needs(Capability.BALANCE)
async def test_balance(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """The balance is what is left."""
    assert await adapter.get_balance(number) == harness.balance


@pytest.mark.needs(Capability.RECEIPTS)
async def test_unknown_message(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber, sent_id: str
) -> None:
    """A message the provider does not know is not found."""
    unknown = sent_id.translate(str.maketrans("0123456789", "9876543210"))
    for each in (unknown, "../x"):
        asked = adapter.fetch_receipt(number, each)
        await failure(NotFoundError, harness, asked)


async def test_forged_callbacks(
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    receiver: Receiver,
    sim: Simulator,
) -> None:
    """What somebody else sent is never believed."""
    await harness.connect(adapter, number, receiver.url)
    harness.provider.quirks.add(Quirk.FORGED)
    harness.provider.receive(harness.recipient, TEXT)
    await adapter.send(number, outbound(harness.recipient), receiver.url)
    await sim.settled()
    assert len(receiver.requests) >= 2
    for request in receiver.requests:
        assert await believe(adapter, number, request) is None


async def test_tampered_callbacks(
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    receiver: Receiver,
    sim: Simulator,
) -> None:
    """What somebody has changed on the way is refused, or the provider's record counts."""
    await harness.connect(adapter, number, receiver.url)
    harness.provider.receive(harness.recipient, TEXT)
    await sim.settled()
    (request,) = receiver.requests
    true = await believe(adapter, number, request)
    assert isinstance(true, InboundMessage)
    sender = harness.recipient.lstrip("+")
    forged = "33600000666"
    changes = (
        replace(request, body=request.body.replace(sender.encode(), forged.encode())),
        replace(request, url=request.url.replace(sender, forged)),
        replace(request, body=request.body[:-1], truncated=True),
        replace(request, method="GET"),
        replace(request, headers={}),
    )
    for change in changes:
        event = await believe(adapter, number, change)
        if event is not None:
            assert isinstance(event, InboundMessage)
            assert (event.sender, event.text) == (true.sender, true.text)


async def test_garbage(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Nonsense is refused in no other way than nonsense may be."""
    for each in harness.garbage:
        request = CallbackRequest(
            method=each.method,
            url=f"https://example.com/hook?{each.query}",
            headers=each.headers,
            body=each.body,
        )
        assert await believe(adapter, number, request) is None
        with suppress(CallbackError):
            adapter.parse(request)


async def test_no_secrets_in_sight(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Neither an adapter nor a message shows what a log must not hold."""
    shown = f"{adapter!r} {number!r} {outbound(harness.recipient)!r}"
    secrets = {
        value for name, value in harness.credentials.items() if name != "api_url"
    }
    assert not [secret for secret in secrets - {harness.account} if secret in shown]
    assert TEXT not in shown
    assert harness.recipient not in shown


async def test_error_rules_are_complete(key: str) -> None:
    """Whatever is refused for good has a reason, and nothing else has one."""
    for code, rule in ADAPTERS[key].error_rules.items():
        rejected = issubclass(rule.error, MessageRejectedError)
        assert rejected == (rule.reason is not None), code


async def test_it_keeps_to_the_contract(key: str) -> None:
    """An adapter adds no public name to the contract."""
    public = {name for name in vars(ADAPTERS[key]) if not name.startswith("_")}
    assert public <= {name for name, _ in inspect.getmembers(SmsAdapter)} | set(
        SmsAdapter.__annotations__
    )
