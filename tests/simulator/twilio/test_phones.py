"""Call through the simulated Twilio by its SDK, and see phones do what people do."""

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulator import Quirk, Simulator
from tests.simulator.conftest import Home

TO = "+14155550100"
NUMBER = "+15005550006"
ASK = (
    '<Response><Gather action="{url}/key"><Say loop="2">Hello</Say></Gather></Response>'
)
EVENTS = ["initiated", "ringing", "answered", "completed"]


async def place(twilio: Client, **changes: Any) -> str:
    """Place a call as any generation of the SDK can."""
    data = {"To": TO, "From": NUMBER, "Twiml": "<Response><Say>Hi</Say></Response>"}
    calls = twilio.calls
    create = calls._version.create
    payload = await asyncio.to_thread(
        lambda: create("POST", calls._uri, data=data | changes)
    )
    return str(payload["sid"])


async def test_a_call_goes_through_its_states(
    sim: Simulator, twilio: Client, home: Home
) -> None:
    """It rings until somebody answers, and the official validator believes all of it."""
    sid = await place(
        twilio, StatusCallback=f"{home.url}/status", StatusCallbackEvent=EVENTS
    )
    await sim.settled()
    (call,) = sim.twilio.phones.calls
    assert call.status == "ringing"
    await sim.twilio.phones.use(sid, "answer")
    assert call.heard == ["Hi"]
    told = [form["CallStatus"] for form in home.forms]
    assert told == ["initiated", "ringing", "in-progress", "completed"]
    assert home.forms[-1]["CallDuration"] == "1"
    validator = RequestValidator(sim.twilio.auth_token)
    for each in sim.callbacks:
        signature = each.headers["X-Twilio-Signature"]
        assert validator.validate(each.url, each.fields, signature)
    fetched = await asyncio.to_thread(twilio.calls(sid).fetch)
    assert (fetched.status, fetched.direction) == ("completed", "outbound-api")
    listed = await asyncio.to_thread(lambda: twilio.calls.list(to=TO, from_=NUMBER))
    assert [each.sid for each in listed] == [sid]
    assert await asyncio.to_thread(lambda: twilio.calls.list(to=NUMBER)) == []
    await sim.twilio.phones.use(sid, "busy")
    assert call.status == "completed"


@pytest.mark.parametrize(
    ("answered", "asked", "status"),
    [
        (False, "canceled", "canceled"),
        (False, "completed", "canceled"),
        (True, "canceled", "in-progress"),
        (True, "completed", "completed"),
    ],
)
async def test_the_home_hangs_up(
    sim: Simulator,
    twilio: Client,
    home: Home,
    asked: str,
    status: str,
    *,
    answered: bool,
) -> None:
    """`canceled` stops a phone that rings; only `completed` cuts off who listens."""
    sid = await place(
        twilio,
        Twiml=ASK.format(url=home.url),
        StatusCallback=f"{home.url}/status",
        StatusCallbackEvent=EVENTS,
    )
    await sim.settled()
    if answered:
        await sim.twilio.phones.use(sid, "answer")
    updated = await asyncio.to_thread(lambda: twilio.calls(sid).update(status=asked))
    await sim.settled()
    assert updated.status == status
    assert home.forms[-1]["CallStatus"] == status
    if status == "in-progress":
        return
    # It does not ring any more, and cannot be ended a second time.
    await sim.twilio.phones.use(sid, "answer")
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: twilio.calls(sid).update(status=asked))
    assert (caught.value.code, sim.twilio.phones.calls[0].status) == (21220, status)


async def test_a_call_before_it_rings(
    sim: Simulator, twilio: Client, home: Home
) -> None:
    """A call that is canceled while it is placed never rings."""
    sim.pace = 0.05
    sid = await place(twilio, StatusCallback=home.url, StatusCallbackEvent=EVENTS)
    with pytest.raises(TwilioRestException):
        await asyncio.to_thread(lambda: twilio.calls(sid).update(status="busy"))
    await asyncio.to_thread(lambda: twilio.calls(sid).update(status="canceled"))
    await sim.settled()
    assert "ringing" not in sim.twilio.phones.calls[0].statuses
    assert home.forms[-1]["CallStatus"] == "canceled"


async def test_a_key_is_asked_for(sim: Simulator, twilio: Client, home: Home) -> None:
    """What is pressed goes to the action, whose answer is spoken."""
    sid = await place(twilio, Twiml=ASK.format(url=home.url))
    await sim.settled()
    phones = sim.twilio.phones
    (call,) = phones.calls
    await phones.use(sid, "press", "1")
    assert home.forms == []
    await phones.use(sid, "answer")
    await phones.use(sid, "answer")
    assert (call.heard, call.status) == (["Hello"] * 2, "in-progress")
    home.body = "<Response><Say>Thanks</Say></Response>"
    await phones.use(sid, "press", "1")
    assert home.forms[0]["Digits"] == "1"
    assert (call.heard[-1], call.status) == ("Thanks", "completed")


@pytest.mark.parametrize(
    ("recipient", "ends"),
    [
        ("+15005553000", "completed"),
        ("+15005553001", "completed"),
        ("+15005553010", "busy"),
        ("+15005553011", "no-answer"),
        ("+15005553012", "failed"),
    ],
)
async def test_people_who_behave_specially(
    sim: Simulator, twilio: Client, home: Home, recipient: str, ends: str
) -> None:
    """Their calls end by themselves."""
    await place(twilio, To=recipient, Twiml=ASK.format(url=home.url))
    await sim.settled()
    (call,) = sim.twilio.phones.calls
    assert call.status == ends
    pressed = [form["Digits"] for form in home.forms]
    assert pressed == (["1"] if recipient == "+15005553001" else [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"From": "+15005550099"}, 21210),
        ({"To": "x"}, 21211),
        ({"To": "+15005550003"}, 21215),
        ({"Twiml": ""}, 21205),
        ({"Twiml": "x" * 4001}, 32018),
    ],
)
async def test_refusals(
    sim: Simulator, twilio: Client, changes: dict[str, str], code: int
) -> None:
    """What Twilio refuses is refused with its code."""
    with pytest.raises(TwilioRestException) as caught:
        await place(twilio, **changes)
    assert caught.value.code == code
    with pytest.raises(TwilioRestException):
        await asyncio.to_thread(twilio.calls("CA0").fetch)


@pytest.mark.parametrize(
    ("body", "status", "ends"),
    [
        ("<Response><Say>Nobody</Say></Response>", 200, "completed"),
        ("<Response><Reject/></Response>", 200, "busy"),
        ("nonsense", 200, "completed"),
        ("", 403, "failed"),
    ],
)
async def test_calling_the_home(
    sim: Simulator, home: Home, body: str, status: int, ends: str
) -> None:
    """The number's voice URL says what the caller gets."""
    sim.twilio.numbers[NUMBER].voice_url = f"{home.url}/voice"
    home.body, home.status = body, status
    sim.twilio.phones.ring(TO)
    await sim.settled()
    (call,) = sim.twilio.phones.calls
    assert call.status == ends
    assert home.forms[0]["Direction"] == "inbound"
    assert call.number == NUMBER


async def test_nobody_is_asked_without_a_url(sim: Simulator, home: Home) -> None:
    """A number without a voice URL answers nobody."""
    sim.twilio.phones.ring(TO)
    await sim.settled()
    assert sim.twilio.phones.calls[0].status == "no-answer"


async def test_bad_habits(sim: Simulator, twilio: Client, home: Home) -> None:
    """Callbacks come twice, late or never, as those of messages do."""
    wanted = {"StatusCallback": home.url, "StatusCallbackEvent": EVENTS}
    phones = sim.twilio.phones
    for quirk in (Quirk.DUPLICATED, Quirk.REORDERED, Quirk.SUPPRESSED):
        sim.twilio.quirks = {quirk}
        sid = await place(twilio, **wanted)
        await sim.settled()
        await phones.use(sid, "silent")
    told = [form["CallStatus"] for form in home.forms]
    assert told == [
        *("initiated", "initiated", "ringing", "ringing", "no-answer", "no-answer"),
        *("no-answer", "initiated", "ringing"),
    ]
    await phones.repeat(sid, CallStatus="ringing")
    assert home.forms[-1]["CallStatus"] == "ringing"


async def test_control(sim: Simulator, twilio: Client, home: Home) -> None:
    """The handset's page calls the home, and does with phones what people do."""
    import aiohttp

    sim.twilio.numbers[NUMBER].voice_url = home.url
    sid = await place(twilio)
    await sim.settled()
    async with aiohttp.ClientSession(sim.url) as client:
        ringing = await client.post("/_sim/twilio/calls", json={"caller": TO})
        assert ringing.status == 200
        answer = {"do": "answer"}
        used = await client.post(f"/_sim/twilio/calls/{sid}", json=answer)
        assert used.status == 200
        wrong = await client.post("/_sim/twilio/calls/CA0", json=answer)
        assert wrong.status == 400
        await sim.settled()
        state = await (await client.get("/_sim/state")).json()
    calls = state["providers"]["twilio"]["calls"]
    assert [each["status"] for each in calls] == ["completed", "completed"]
    assert state["providers"]["ovh"]["calls"] == []
    sim.reset()
    assert sim.twilio.phones.calls == []
