"""Check that each fault happens as named, and only where asked."""

import asyncio
import time
from typing import Any

import aiohttp
import ovh
import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulator import FaultKind, Simulator

TO = "+14155550100"
JOBS = "/sms/sms-ab12345-1/virtualNumbers/%2B33900000001/jobs"
LOST = (requests.exceptions.ConnectionError, ovh.exceptions.HTTPError)


async def twilio_send(twilio: Client, to: str = TO) -> Any:
    """Send by Twilio."""
    values = {"to": to, "from_": "+15005550006", "body": "x"}
    return await asyncio.to_thread(lambda: twilio.messages.create(**values))


async def ovh_send(client: ovh.Client, to: str = "+33612345678") -> Any:
    """Send by OVHcloud."""
    body = {"message": "x", "receivers": [to]}
    return await asyncio.to_thread(lambda: client.post(JOBS, **body))


async def test_refused(
    sim: Simulator,
    twilio: Client,
    ovh_sdk: ovh.Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A refused connection accepts nothing, at either provider."""
    sim.faults.add(FaultKind.REFUSED, method="POST")
    for sending in (twilio_send(twilio), ovh_send(ovh_sdk)):
        with pytest.raises(LOST):
            await sending
    assert sim.twilio.messages == []
    assert sim.ovh.messages == []
    assert [r.status for r in sim.requests if r.method == "POST"] == [None, None]
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
    sim.faults.clear()
    await twilio_send(twilio)
    await ovh_send(ovh_sdk)
    await sim.settled()


async def test_dropped(sim: Simulator, twilio: Client, ovh_sdk: ovh.Client) -> None:
    """A dropped answer leaves an accepted message, which goes its way."""
    sim.faults.add("dropped", method="POST")
    for sending in (twilio_send(twilio), ovh_send(ovh_sdk)):
        with pytest.raises(LOST):
            await sending
    await sim.settled()
    for provider in (sim.twilio, sim.ovh):
        assert [message.status for message in provider.messages] == ["delivered"]


async def test_rate_limited_twice(sim: Simulator, twilio: Client) -> None:
    """A counted fault ends by itself; Retry-After is sent."""
    sim.faults.add("rate_limited", provider="twilio", times=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(TwilioRestException) as caught:
            await twilio_send(twilio)
        assert (caught.value.status, caught.value.code) == (429, 20429)
    await twilio_send(twilio)
    await sim.settled()
    assert [record.status for record in sim.requests] == [429, 429, 201]
    assert [record.fault for record in sim.requests] == [
        "rate_limited",
        "rate_limited",
        None,
    ]
    sim.faults.add("rate_limited", provider="twilio", retry_after=7)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{sim.url}/2010-04-01/Accounts/x/Messages.json") as response,
    ):
        assert response.headers["Retry-After"] == "7"


async def test_server_errors(
    sim: Simulator, twilio: Client, ovh_sdk: ovh.Client
) -> None:
    """500 speaks the provider's JSON, 502 is a page."""
    sim.faults.add("server_error", path=r"Messages|/jobs$")
    with pytest.raises(TwilioRestException) as caught:
        await twilio_send(twilio)
    assert (caught.value.status, caught.value.code) == (500, 20500)
    with pytest.raises(ovh.exceptions.APIError) as failed:
        await ovh_send(ovh_sdk)
    assert failed.value.response.json()["class"] == "Server::InternalServerError"
    sim.faults.clear()
    sim.faults.add("bad_gateway", path="/jobs$")
    with pytest.raises(ovh.exceptions.InvalidResponse):
        await ovh_send(ovh_sdk)
    assert sim.requests[-1].status == 502
    assert sim.ovh.messages == []


@pytest.mark.parametrize("kind", ["slow", "late"])
async def test_waiting(sim: Simulator, ovh_sdk: ovh.Client, kind: str) -> None:
    """Slow accepts after the wait, late before it."""
    await asyncio.to_thread(lambda: ovh_sdk.get("/sms"))
    sim.faults.add(kind, provider="ovh", path="/jobs$", delay=0.4, times=1)
    start = time.monotonic()
    sending = asyncio.create_task(ovh_send(ovh_sdk))
    await asyncio.sleep(0.2)
    assert len(sim.ovh.messages) == (kind == "late")
    await sending
    assert time.monotonic() - start >= 0.4
    await sim.settled()


@pytest.mark.parametrize("body", ["null", "{}", '"a"', "[]"])
@pytest.mark.parametrize(
    ("kind", "accepted"), [("garbage", 0), ("accepted_garbage", 1)]
)
async def test_garbage(
    sim: Simulator, ovh_sdk: ovh.Client, kind: str, accepted: int, body: str
) -> None:
    """The answer is valid JSON of a useless shape."""
    sim.faults.add(kind, provider="ovh", path="/jobs$", body=body)
    answer = await ovh_send(ovh_sdk)
    assert answer in (None, {}, "a", [])
    assert len(sim.ovh.messages) == accepted
    await sim.settled()


async def test_a_refusal_is_no_garbage(sim: Simulator, twilio: Client) -> None:
    """What was not accepted keeps its own words."""
    sim.faults.add("accepted_garbage", provider="twilio")
    sim.twilio.auth_token = "another"
    with pytest.raises(TwilioRestException) as caught:
        await twilio_send(twilio)
    assert (caught.value.status, caught.value.code) == (401, 20003)


async def test_recipient(sim: Simulator, twilio: Client, ovh_sdk: ovh.Client) -> None:
    """A fault bound to a recipient spares the others."""
    sim.faults.add("server_error", recipient=TO)
    sim.faults.add("server_error", recipient="+33612345678")
    await twilio_send(twilio, "+14155550199")
    await ovh_send(ovh_sdk, "+33612345679")
    with pytest.raises(TwilioRestException):
        await twilio_send(twilio)
    with pytest.raises(ovh.exceptions.APIError):
        await ovh_send(ovh_sdk, "0033612345678")
    await asyncio.to_thread(lambda: ovh_sdk.get("/sms"))
    await sim.settled()


async def test_one_provider_down(
    sim: Simulator, twilio: Client, ovh_sdk: ovh.Client
) -> None:
    """A fault of one provider spares the other, and is cleared alone."""
    sim.faults.add("refused", provider="twilio")
    sim.faults.add("server_error", provider="ovh")
    sim.faults.clear("ovh")
    await ovh_send(ovh_sdk)
    with pytest.raises(LOST):
        await twilio_send(twilio)
    assert [fault["hits"] for fault in sim.faults.describe()] == [1]
    await sim.settled()
