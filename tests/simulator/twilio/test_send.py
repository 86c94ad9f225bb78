"""Hold what Twilio accepts and refuses against Twilio's own SDK."""

import asyncio
from datetime import UTC, datetime, timedelta
import re
from typing import Any

import aiohttp
import pytest
from twilio.rest import Client

from simulator import Simulator
from tests.simulator.conftest import Home
from tests.simulator.twilio.sdk import TO, create, refusal


async def test_send_renders_every_field(sim: Simulator, twilio: Client) -> None:
    """An accepted message has the types of the schema."""
    sim.automatic = False
    message = await create(twilio, body="€" * 81)
    assert re.fullmatch(r"SM[0-9a-f]{32}", message.sid)
    assert (message.status, message.direction) == ("queued", "outbound-api")
    assert (message.num_segments, message.num_media) == ("2", "0")
    assert message.price is None
    assert message.date_sent is None
    assert message.date_created.tzinfo is not None
    assert [m.id for m in sim.twilio.messages] == [message.sid]


@pytest.mark.parametrize(
    ("to", "statuses", "code"),
    [
        ("+15005551003", ["sent", "undelivered"], "30003"),
        ("+15005551006", ["sent", "undelivered"], "30006"),
        ("+15005551007", ["sent", "undelivered"], "30007"),
        ("+15005551034", ["sent", "undelivered"], "30034"),
        ("+15005551001", ["failed"], "30001"),
        ("+15005552000", ["sent"], None),
        ("+15005552001", [], None),
    ],
)
async def test_special_recipients_end_badly(
    sim: Simulator,
    twilio: Client,
    home: Home,
    to: str,
    statuses: list[str],
    code: str | None,
) -> None:
    """The documented recipients end as the table says."""
    await create(twilio, to=to, status_callback=home.url)
    await sim.settled()
    assert [form["MessageStatus"] for form in home.forms] == statuses
    if code is not None:
        assert home.forms[-1]["ErrorCode"] == code
    assert all("ErrorCode" not in form for form in home.forms[:-1])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550005"}, 21608),
        ({"to": "+15005550007"}, 21606),
        ({"to": "+15005550009"}, 21614),
        ({"to": "0612345678"}, 21211),
        ({"to": "+15005550006"}, 21266),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+14155550111"}, 21606),
        ({"from_": "+15005550011"}, 21606),
        ({"from_": "nonsense"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"media_url": [f"https://example.com/{n}" for n in range(11)]}, 21623),
        ({"media_url": ["file:///etc/passwd"]}, 21620),
        (
            {"from_": "+15005550010", "media_url": ["https://example.com/a.png"]},
            21612,
        ),
        ({"status_callback": "http://my_home.example/x"}, 21609),
        ({"status_callback": "not a url"}, 21609),
    ],
)
async def test_refusals(
    sim: Simulator, twilio: Client, changes: dict[str, Any], code: int
) -> None:
    """What Twilio refuses is refused with its code, and not accepted."""
    error = await refusal(twilio, **changes)
    assert error.code == code
    assert error.status == 400
    assert sim.twilio.messages == []


async def test_queue_overflow_is_a_429(twilio: Client) -> None:
    """A full queue answers 21611 with 429."""
    error = await refusal(twilio, to="+15005550008")
    assert (error.status, error.code) == (429, 21611)


async def test_missing_fields(sim: Simulator) -> None:
    """Without To or From the codes differ."""
    auth = aiohttp.encode_basic_auth(sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)
    url = f"{sim.url}/2010-04-01/Accounts/{sim.twilio.ACCOUNT_SID}/Messages.json"
    headers = {"Authorization": auth}
    async with aiohttp.ClientSession(headers=headers) as session:
        for form, code in (({"Body": "x"}, 21604), ({"To": TO, "Body": "x"}, 21603)):
            async with session.post(url, data=form) as response:
                error = await response.json()
                assert (response.status, error["code"]) == (400, code)
                assert set(error) == {"code", "message", "more_info", "status"}
                assert response.headers["Twilio-Request-Id"].startswith("RQ")


async def test_stop_and_start(sim: Simulator, twilio: Client) -> None:
    """Who texts STOP is out of reach until START."""
    sim.twilio.receive(TO, "Stop")
    assert (await refusal(twilio)).code == 21610
    sim.twilio.receive(TO, "START")
    await create(twilio)
    await sim.settled()


async def test_service_and_schedule(sim: Simulator, twilio: Client) -> None:
    """A service accepts first; what is scheduled can be canceled."""
    service = {"from_": None, "messaging_service_sid": sim.twilio.MESSAGING_SERVICE_SID}
    sim.automatic = False
    message = await create(twilio, **service)
    assert (message.status, message.num_segments) == ("accepted", "0")
    later = datetime.now(UTC) + timedelta(hours=1)
    message = await create(twilio, **service, schedule_type="fixed", send_at=later)
    assert message.status == "scheduled"
    resource = twilio.messages(message.sid)
    canceled = await asyncio.to_thread(lambda: resource.update(status="canceled"))
    assert canceled.status == "canceled"
    soon = datetime.now(UTC)
    error = await refusal(twilio, **service, schedule_type="fixed", send_at=soon)
    assert error.code == 35114
    error = await refusal(twilio, messaging_service_sid="MG" + "0" * 32)
    assert error.code == 21703
