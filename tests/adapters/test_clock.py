"""The provider's time, the pauses it asks for, and where its answers may lead."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.errors import (
    InvalidResponseError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SendOutcomeUnknownError,
    SmsError,
)
from custom_components.virtual_sms.adapters.http_headers import (
    LONGEST_PAUSE,
    read_date,
    read_pause,
)
from simulator import Simulator

from .test_conformance import ask, list_verbs, number, outbound, sent_id, verb

if TYPE_CHECKING:
    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from custom_components.virtual_sms.adapters.models import PhoneNumber

    from .conftest import Make
    from .harness import Harness

__all__ = ["number", "sent_id", "verb"]

HOURS = timedelta(hours=5)
CLOSE = timedelta(seconds=5)


def is_ahead(time: datetime | None) -> bool:
    """Tell whether a time is that of a clock five hours ahead."""
    return time is not None and abs(time - datetime.now(UTC) - HOURS) < CLOSE


async def test_each_answer_tells_the_time(
    verb: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber, sent_id: str
) -> None:
    """Whatever is asked, the provider's time is that of its last answer."""
    harness.sim.clock_offset = HOURS.total_seconds()
    # That there is no call of this id is an answer too.
    with suppress(NotFoundError):
        await ask(verb, adapter, number, sent_id)
    assert is_ahead(adapter.provider_time)


@pytest.mark.parametrize(
    "fault", ["rate_limited", "server_error", "bad_gateway", "garbage", "redirect"]
)
async def test_errors_tell_the_time(
    fault: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A refusal tells it as well."""
    assert adapter.provider_time is None
    harness.sim.clock_offset = HOURS.total_seconds()
    harness.sim.faults.add(
        fault,
        provider=harness.key,
        method="POST",
        path=harness.send_path,
        location="http://127.0.0.1:9/",
    )
    with pytest.raises(SmsError):
        await adapter.send(number, outbound(harness.recipient), None)
    assert is_ahead(adapter.provider_time)


async def test_asking_for_the_time(adapter: SmsAdapter, harness: Harness) -> None:
    """Before the first answer the time is asked for, and later it is known."""
    harness.sim.clock_offset = HOURS.total_seconds()
    assert is_ahead(await adapter.fetch_time())
    harness.sim.requests.clear()
    assert is_ahead(await adapter.fetch_time())
    assert not harness.sim.requests


async def test_a_refusal_is_dated(adapter: SmsAdapter, harness: Harness) -> None:
    """The time can be had from a provider that refuses all else, not from none."""
    harness.sim.clock_offset = HOURS.total_seconds()
    harness.sim.faults.add("refused", provider=harness.key)
    with pytest.raises(ProviderUnavailableError):
        await adapter.fetch_time()
    harness.sim.faults.clear()
    harness.sim.faults.add("rate_limited", provider=harness.key)
    assert is_ahead(await adapter.fetch_time())


@pytest.mark.parametrize(
    "date",
    [
        "",
        "soon",
        "Fri, 31 Feb 2026 25:61:61 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
    ],
)
async def test_a_date_that_is_none(
    date: str, adapter: SmsAdapter, harness: Harness, number: PhoneNumber, sent_id: str
) -> None:
    """A date that makes no sense changes nothing, and harms nothing."""
    before = adapter.provider_time
    harness.sim.date_header = date
    for each in {*list_verbs(adapter.capabilities)} - {"fetch_callback_failures"}:
        with suppress(NotFoundError):
            await ask(each, adapter, number, sent_id)
    assert before
    assert adapter.provider_time
    assert adapter.provider_time - before < CLOSE


async def test_no_date_at_all(adapter: SmsAdapter, harness: Harness) -> None:
    """Where no answer carries a time, the home's own has to do: nothing stands still."""
    harness.sim.date_header = "never"
    for _ in range(2):
        assert abs(await adapter.fetch_time() - datetime.now(UTC)) < CLOSE


def test_an_open_zone() -> None:
    """The zone "-0000" is UTC, whatever this machine's is."""
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert read_date("Sat, 21 Nov 2026 12:00:00 -0000") == noon
    assert read_date("Sat, 21 Nov 2026 14:00:00 +0200") == noon
    assert read_date(None) is None


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAUSES = [
    ("7", 7.0),
    (" 7 ", 7.0),
    ("0", 0.0),
    ("999999999999", LONGEST_PAUSE),
    ("9" * 5000, LONGEST_PAUSE),
    ("-1", None),
    ("1.5", None),
    ("²", None),
    ("soon", None),
    ("", None),
    (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
    (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
    (format_datetime(NOW + timedelta(days=400), usegmt=True), LONGEST_PAUSE),
]


@pytest.mark.parametrize(("value", "pause"), PAUSES)
def test_pauses(value: str, pause: float | None) -> None:
    """A pause is seconds or a date by the provider's clock, a day at most."""
    date = format_datetime(NOW, usegmt=True)
    assert read_pause({"Retry-After": value, "Date": date}) == pause


def test_a_pause_until_a_date() -> None:
    """Without the provider's time a date is compared with ours."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert read_pause({}) is None
    pause = read_pause({"Retry-After": until})
    assert pause is not None
    assert 50 < pause <= 60


@pytest.mark.parametrize(
    ("value", "pause"), [("999999999999", LONGEST_PAUSE), ("-5", None), ("x", None)]
)
async def test_a_pause_of_twelve_digits(
    value: str,
    pause: float | None,
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
) -> None:
    """An absurd pause is bounded where it is read."""
    harness.sim.faults.add("rate_limited", provider=harness.key, retry_after=value)
    with pytest.raises(RateLimitedError) as caught:
        await adapter.get_account()
    assert caught.value.retry_after == pause


async def test_a_pause_by_the_providers_clock(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A date is compared with the time of the answer, not with the home's."""
    harness.sim.clock_offset = HOURS.total_seconds()
    until = datetime.now(UTC) + HOURS + timedelta(seconds=60)
    harness.sim.faults.add(
        "rate_limited",
        provider=harness.key,
        retry_after=format_datetime(until, usegmt=True),
    )
    with pytest.raises(RateLimitedError) as caught:
        await adapter.get_account()
    assert caught.value.retry_after is not None
    assert 50 < caught.value.retry_after <= 61


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    status: int,
    adapter: SmsAdapter,
    harness: Harness,
    number: PhoneNumber,
    sent_id: str,
) -> None:
    """No answer leads elsewhere: neither requests nor credentials follow it."""
    async with Simulator() as elsewhere:
        harness.sim.faults.add(
            "redirect",
            provider=harness.key,
            status=status,
            location=f"{elsewhere.url}/1.0/sms",
        )
        for verb in list_verbs(adapter.capabilities):
            with pytest.raises(InvalidResponseError):
                await ask(verb, adapter, number, sent_id)
        with pytest.raises(SendOutcomeUnknownError):
            await adapter.send(number, outbound(harness.recipient), None)
        assert not elsewhere.requests
    assert len(harness.provider.messages) == 1


async def test_waiting_for_a_slot(
    adapter: SmsAdapter, harness: Harness, number: PhoneNumber
) -> None:
    """A call that got no slot in time was never made, and nobody waits for ever."""
    adapter.queue_timeout = 0.2
    harness.sim.faults.add("slow", provider=harness.key, delay=1.0)
    calls = [
        adapter.send(number, outbound(harness.recipient, message_id=f"m{index}"), None)
        for index in range(adapter.concurrency + 2)
    ]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    late = [each for each in ends if isinstance(each, ProviderUnavailableError)]
    assert len(late) == 2
    assert not any(each.maybe_processed for each in late)
    assert len(harness.provider.messages) == adapter.concurrency


async def test_a_burst_at_a_slow_provider(
    make: Make, harness: Harness, number: PhoneNumber
) -> None:
    """Many who wait for few turns all get theirs, each with the time of a call."""
    adapter = make(harness.credentials)
    # A provider may need to be asked for its time before the first call.
    await adapter.get_account()
    adapter.timeout = 1.0
    harness.sim.faults.add("slow", provider=harness.key, delay=0.3)
    calls = [
        adapter.send(number, outbound(harness.recipient, message_id=f"m{index}"), None)
        for index in range(adapter.concurrency * 4)
    ]
    assert len(await asyncio.gather(*calls)) == adapter.concurrency * 4
