"""Hold Twilio's record of failed callbacks against Twilio's own SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from simulator import Simulator
from tests.simulator.conftest import Home
from tests.simulator.twilio.sdk import TO


async def alerts(twilio: Client, **filters: Any) -> list[Any]:
    """List the alerts through the SDK."""
    return await asyncio.to_thread(lambda: twilio.monitor.v1.alerts.list(**filters))


async def test_failed_callbacks_are_alerts(
    sim: Simulator, twilio: Client, home: Home
) -> None:
    """What went wrong with a callback stands in the account's record."""
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    number.sms_url = home.url
    for home.status, home.content_type in (
        (200, "text/xml"),
        (502, "text/xml"),
        (200, "text/html"),
    ):
        sim.twilio.receive(TO, "x")
        await sim.settled()
    warning, failed = await alerts(twilio)
    assert (warning.error_code, warning.log_level) == ("12300", "warning")
    assert (failed.error_code, failed.log_level) == ("11200", "error")
    assert (failed.request_url, failed.request_method) == (home.url, "POST")
    assert "httpResponse=502" in failed.alert_text
    assert failed.resource_sid == sim.twilio.inbound[1].id
    age = datetime.now(UTC) - failed.date_generated
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert [each.sid for each in await alerts(twilio)] == [warning.sid, failed.sid]
    fetched = await asyncio.to_thread(twilio.monitor.v1.alerts(failed.sid).fetch)
    assert fetched.error_code == "11200"
    sim.reset()
    assert await alerts(twilio) == []


async def test_alerts_are_filtered_and_paged(sim: Simulator, twilio: Client) -> None:
    """By level and time, newest first; what is no level or time is refused."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for minute in range(5):
        at = noon + timedelta(minutes=minute)
        sim.twilio.add_alert(11205 + minute, "https://home.example", at=at)
    sim.twilio.add_alert(1, "https://home.example", at=noon, level="warning")
    end = noon + timedelta(minutes=3)
    found = await alerts(
        twilio, log_level="error", start_date=noon, end_date=end, page_size=3
    )
    assert [each.error_code for each in found] == ["11208", "11207", "11206", "11205"]
    for wrong in ({"log_level": "loud"}, {"start_date": "soon"}):
        with pytest.raises(TwilioException, match="20001"):
            await alerts(twilio, **wrong)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(twilio.monitor.v1.alerts("NO" + "0" * 32).fetch)
    assert caught.value.code == 20404


async def test_restricted_key_reads_no_alerts(
    sim: Simulator, twilio_as: Callable[..., Client]
) -> None:
    """Neither does a wrong one."""
    restricted = twilio_as(
        sim.twilio.RESTRICTED_KEY_SID, sim.twilio.RESTRICTED_KEY_SECRET
    )
    for client, code in (
        (restricted, 70051),
        (twilio_as(sim.twilio.ACCOUNT_SID, "x"), 20003),
    ):
        with pytest.raises(TwilioException, match=str(code)):
            await alerts(client)
