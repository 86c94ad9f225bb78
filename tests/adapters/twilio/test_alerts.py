"""Twilio's record of failed callbacks, as it is read."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.callback_failures import (
    CallbackFailure,
    FailureKind,
)
from custom_components.virtual_sms.adapters.errors import (
    MissingRightsError,
)
from custom_components.virtual_sms.adapters.models import (
    PhoneNumber,
)
from custom_components.virtual_sms.adapters.twilio.adapter import TwilioAdapter

from .harness import Harness

if TYPE_CHECKING:
    import aiohttp

    from simulator import Simulator

URL = "https://home.example/api/webhook/abc"
NOW = datetime.now(UTC).replace(microsecond=0)
SINCE = NOW - timedelta(hours=1)


@pytest.fixture
def harness(sim: Simulator) -> Harness:
    """Return what the suite must know of Twilio."""
    return Harness(sim)


@pytest.fixture
def number(harness: Harness) -> PhoneNumber:
    """Return the line the tests use."""
    return harness.numbers[0]


@pytest.fixture
def adapter(harness: Harness, session: aiohttp.ClientSession) -> TwilioAdapter:
    """Return an adapter with the right credentials."""
    return make(harness, session)


def make(
    harness: Harness, session: aiohttp.ClientSession, **changes: str
) -> TwilioAdapter:
    """Make an adapter."""
    return TwilioAdapter(
        harness.credentials | changes,
        session=session,
        run_blocking=asyncio.to_thread,
    )


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ("11220 11235 11236 11237", FailureKind.CERTIFICATE),
        ("11200 11217", FailureKind.HTTP_STATUS),
        ("11210", FailureKind.NAME_UNKNOWN),
        ("11201 11203", FailureKind.TIMED_OUT),
        ("11202 11205", FailureKind.UNREACHABLE),
        ("11206 11215 11321 12100", FailureKind.OTHER),
    ],
)
async def test_codes(
    adapter: TwilioAdapter,
    sim: Simulator,
    number: PhoneNumber,
    codes: str,
    kind: FailureKind,
) -> None:
    """What the "Error and Warning Dictionary" says becomes one of a few kinds."""
    for code in codes.split():
        sim.twilio.added_alerts.clear()
        sim.twilio.add_alert(int(code), URL, at=NOW)
        failures = await adapter.fetch_callback_failures(number, URL, SINCE)
        assert failures == [CallbackFailure(at=NOW, kind=kind)]


async def test_only_what_concerns_our_url(
    adapter: TwilioAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """Other URLs, warnings, other trouble and old failures are left out."""
    twilio = sim.twilio
    for url in (f"{URL}d", "https://home.example/", "", f"https://x.example/?{URL}"):
        twilio.add_alert(11205, url)
    twilio.add_alert(30003, URL)
    twilio.add_alert(12300, URL, level="warning")
    twilio.add_alert(11205, URL, at=SINCE - timedelta(seconds=1))
    assert await adapter.fetch_callback_failures(number, URL, SINCE) == []
    twilio.add_alert(11205, f"{URL}?m=1", at=SINCE)
    assert len(await adapter.fetch_callback_failures(number, URL, SINCE)) == 1


async def test_newest_first(
    adapter: TwilioAdapter, sim: Simulator, number: PhoneNumber
) -> None:
    """Whatever their order, with what the home answered where it did."""
    for minutes, status in ((2, 403), (1, None), (3, 502)):
        at = NOW - timedelta(minutes=minutes)
        sim.twilio.add_alert(11200, URL, at=at, status=status)
    # What a proxy of Twilio's says of a name is no answer of the home's.
    sim.twilio.add_alert(11210, URL, at=NOW, status=502)
    failures = await adapter.fetch_callback_failures(number, f"{URL}#rc=2", SINCE)
    assert [each.status for each in failures] == [None, None, 403, 502]
    assert (
        len([each for each in sim.requests if each.path.startswith("/v1/Alerts")]) == 1
    )


@pytest.mark.parametrize("text", [None, "", "Hello", "httpResponse=x", "httpResponse="])
async def test_text_without_a_status(
    adapter: TwilioAdapter, sim: Simulator, number: PhoneNumber, text: str | None
) -> None:
    """The text of an alert is not documented, so nothing depends on it."""
    alert = {
        "alert_text": text,
        "date_created": "2026-11-25T12:00:00Z",
        "date_generated": None,
        "error_code": "11200",
        "request_url": URL,
    }
    answer = {
        "alerts": [alert | {"request_url": None, "error_code": None}, alert],
        "meta": {"key": "alerts", "next_page_url": None},
    }
    sim.faults.add("garbage", body=json.dumps(answer))
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    (failure,) = await adapter.fetch_callback_failures(number, URL, at)
    assert failure == CallbackFailure(at=at, kind=FailureKind.HTTP_STATUS)
    sim.faults.clear()
    alert["date_created"] = "yesterday"
    sim.faults.add("garbage", body=json.dumps(answer))
    assert await adapter.fetch_callback_failures(number, URL, at) == []


async def test_key_that_may_not_read_it(
    harness: Harness, session: aiohttp.ClientSession, number: PhoneNumber
) -> None:
    """A restricted key is told which right it lacks."""
    adapter = make(
        harness,
        session,
        api_key_sid=harness.provider.RESTRICTED_KEY_SID,
        api_key_secret=harness.provider.RESTRICTED_KEY_SECRET,
    )
    with pytest.raises(MissingRightsError) as caught:
        await adapter.fetch_callback_failures(number, URL, SINCE)
    assert caught.value.missing == ("GET /v1/Alerts",)
    with pytest.raises(MissingRightsError) as caught:
        await adapter.list_numbers()
    assert caught.value.missing == ("GET /IncomingPhoneNumbers.json",)
