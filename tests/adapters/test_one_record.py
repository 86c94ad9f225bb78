"""What is wrong with one record of a provider's stops no other, whichever it is."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from custom_components.virtual_sms.adapters.models import (
    Capability,
    InboundMessage,
    SetAside,
    SetAsideReason,
)
from simulator.base import Media

from .test_conformance import E164, nothing_known, number, outbound

if TYPE_CHECKING:
    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from custom_components.virtual_sms.adapters.models import PhoneNumber

    from .harness import Harness

__all__ = ["number"]

pytestmark = pytest.mark.needs(Capability.HISTORY)

OTHER_TEXT = "Something else"


async def read(
    adapter: SmsAdapter, line: PhoneNumber, minutes: int = 60
) -> list[InboundMessage | SetAside]:
    """Read what came within the last minutes."""
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    batches = adapter.fetch_inbound(line, since, nothing_known)
    return [each async for batch in batches for each in batch]


def receive(harness: Harness, text: str, **details: Any) -> str:
    """Write to the home without a callback."""
    return str(
        harness.provider.receive(harness.recipient, text, callback=False, **details)
    )


def texts(found: list[InboundMessage | SetAside]) -> list[str]:
    """List the texts of those that were read."""
    return [each.text for each in found if isinstance(each, InboundMessage)]


def aside(found: list[InboundMessage | SetAside]) -> list[tuple[str, SetAsideReason]]:
    """List what was set aside, and why."""
    return [
        (each.record_id, each.reason) for each in found if isinstance(each, SetAside)
    ]


@pytest.mark.parametrize("among", [0, 1, 3])
async def test_an_unreadable_message(
    among: int, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A record that makes no sense is named, and the others are given."""
    for index in range(among):
        receive(harness, f"Before {index}")
    bad = receive(harness, "Lost", record=harness.unreadable)
    receive(harness, "After")
    found = await read(adapter, number)
    assert texts(found) == [*(f"Before {index}" for index in range(among)), "After"]
    assert aside(found) == [(bad, SetAsideReason.UNREADABLE)]


@pytest.mark.parametrize("value", [7, ["Hello"], {"text": "Hello"}])
async def test_a_text_that_is_none(
    value: object, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Something else in the place of the text is no text, and is never given as one."""
    bad = receive(harness, "Lost", record=dict.fromkeys(harness.texts, value))
    receive(harness, "After")
    found = await read(adapter, number)
    assert texts(found) == ["After"]
    assert aside(found) == [(bad, SetAsideReason.UNREADABLE)]


async def test_it_is_read_again(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A record that was set aside can be asked for, until it is gone."""
    bad = receive(harness, "Found", record=harness.unreadable)
    again = await adapter.fetch_inbound_message(number, bad)
    assert isinstance(again, SetAside)
    assert (again.record_id, again.reason) == (bad, SetAsideReason.UNREADABLE)
    harness.provider.find(bad).record = {}
    again = await adapter.fetch_inbound_message(number, bad)
    assert isinstance(again, InboundMessage)
    assert (again.message_id, again.text) == (bad, "Found")
    del harness.provider.log[bad]
    for gone in (bad, "../x"):
        with pytest.raises(NotFoundError):
            await adapter.fetch_inbound_message(number, gone)


@pytest.mark.parametrize("error", ["rate_limited", "garbage"])
async def test_it_cannot_be_read_again_now(
    error: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Trouble while asking for one record is trouble, not the absence of the record."""
    message = receive(harness, "There")
    if error == "garbage":
        harness.sim.faults.add(error, provider=harness.key, body="[]")
        again = await adapter.fetch_inbound_message(number, message)
        assert isinstance(again, SetAside)
    else:
        harness.sim.faults.add(error, provider=harness.key)
        with pytest.raises(RateLimitedError):
            await adapter.fetch_inbound_message(number, message)


async def test_null_where_the_schema_lets_it(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Optional fields are optional: a message without text is one all the same."""
    receive(harness, "gone", record=harness.sparse)
    receive(harness, "Whole")
    found = await read(adapter, number)
    assert texts(found) == ["", "Whole"]


@pytest.mark.parametrize("fault", ["server_error", "bad_gateway", "garbage"])
async def test_trouble_with_one_message(
    fault: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """What cannot be had of one message now sets just that one aside."""
    files = [Media()] if Capability.MEDIA in adapter.capabilities else []
    receive(harness, "Before")
    bad = receive(harness, "Picture", media=files)
    receive(harness, "After")
    path = f"{harness.message_path.format(id=bad)}|,"
    harness.sim.faults.add(fault, provider=harness.key, path=path, body="<html>")
    found = await read(adapter, number)
    assert texts(found) == ["Before", "After"]
    assert [each for each, _ in aside(found)] == [bad]


async def test_trouble_of_the_provider(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """Trouble of the whole, or a key that was withdrawn, is no matter of one record."""
    files = [Media()] if Capability.MEDIA in adapter.capabilities else []
    receive(harness, "Picture", media=files)
    path = r"incoming/\d|Media"
    harness.sim.faults.add("rate_limited", provider=harness.key, path=path, times=1)
    with pytest.raises(RateLimitedError):
        await read(adapter, number)
    harness.sim.faults.add("garbage", path=path, status=401, body='{"message": ""}')
    with pytest.raises(AuthenticationError):
        await read(adapter, number)


@pytest.mark.needs(Capability.LOOKUP)
async def test_candidates(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A record to the same recipient may be the message, whatever its text has become.

    The one that equals it comes first; another number's, and the past, do not count.
    """
    provider = harness.provider
    message = outbound(harness.recipient)
    since = datetime.now(UTC)
    provider.history(
        3, sender=harness.recipient, outbound=True, newest=since - timedelta(hours=1)
    )
    await adapter.send(number, outbound("+33612345670", message_id="a"), None)
    sent = await adapter.send(number, message, None)
    record = provider.find(sent.provider_id)
    assert [
        (each.provider_id, each.exact)
        for each in await adapter.find_sent(number, message, since)
    ] == [(sent.provider_id, True)]
    await harness.sim.settled()
    record.record, record.tag = dict(harness.other_text), ""
    found = await adapter.find_sent(number, message, since)
    assert [(each.provider_id, each.exact) for each in found] == [
        (sent.provider_id, False)
    ]
    record.record = harness.unreadable | {"receiver": None}
    found = await adapter.find_sent(number, message, since)
    assert [(each.provider_id, each.exact) for each in found] == [
        (sent.provider_id, False)
    ]
    later = await adapter.send(
        number, outbound(harness.recipient, OTHER_TEXT, message_id="b"), None
    )
    provider.find(later.provider_id).tag = ""
    await harness.sim.settled()
    record.record = {}
    found = await adapter.find_sent(number, message, since)
    assert [(each.provider_id, each.exact) for each in found] == [
        (sent.provider_id, True),
        (later.provider_id, False),
    ]


async def test_a_number_that_is_down(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A provider that fails at every record is in trouble itself."""
    files = [Media()] if Capability.MEDIA in adapter.capabilities else []
    if files:
        pytest.skip("it gives messages in one answer")
    for index in range(5):
        receive(harness, f"{index}")
    harness.sim.faults.add("server_error", provider=harness.key, path=r"incoming/\d")
    with pytest.raises(ProviderUnavailableError):
        await read(adapter, number)


async def test_every_text_is_one(adapter: SmsAdapter, harness: Harness) -> None:
    """The numbers are E.164, in whatever record they stand."""
    assert all(E164.fullmatch(each.number) for each in await adapter.list_numbers())
