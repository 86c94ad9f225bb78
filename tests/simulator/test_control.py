"""Check the control routes."""

from typing import Any

import aiohttp
import pytest

from simulator import Simulator

from .conftest import Home

TO = "+14155550100"


class Steering:
    """Call the control routes."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        """Keep where to call."""
        self.sim, self.session = sim, session

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Call a route and return its JSON."""
        url = f"{self.sim.url}/_sim/{path}"
        async with self.session.request(method, url, json=body) as response:
            answer = await response.json()
            assert response.status == (400 if "error" in answer else 200)
            return answer


@pytest.fixture
async def steer(sim: Simulator) -> Any:
    """Steer over HTTP."""
    async with aiohttp.ClientSession() as session:
        yield Steering(sim, session)


async def test_control(sim: Simulator, home: Home, steer: Steering) -> None:
    """All that the in-process API does is done over HTTP too."""
    sim.twilio.numbers[sim.twilio.NUMBER].sms_url = home.url
    message = {"sender": TO, "text": "Hi", "media": ["image/png"]}
    made = await steer("POST", "twilio/receive", message)
    await sim.settled()
    assert home.forms[0]["MessageSid"] == made["id"]
    (record,) = await steer("GET", "callbacks")
    assert record["words"] == "Home Assistant took it (200)"
    await steer("POST", "settings", {"automatic": False, "pace": 0.2})
    assert (sim.automatic, sim.pace) == (False, 0.2)
    (old,) = sim.ovh.history(1, outbound=True)
    moved = await steer("POST", f"ovh/messages/{old}/status", {"code": 24})
    assert (moved["status"], moved["error_code"]) == ("undelivered", 24)
    moved = await steer("POST", f"ovh/messages/{old}/status", {"status": "sent"})
    assert moved["status"] == "sent"
    state = await steer("GET", "state")
    assert state["providers"]["twilio"]["lines"][0]["callback_url"] == home.url
    assert state["providers"]["ovh"]["messages"][0]["id"] == old
    assert state["providers"]["twilio"]["messages"][0]["media"] == ["image/png"]
    quirks = {"provider": "twilio", "quirks": ["forged"]}
    assert await steer("POST", "callbacks", quirks) == ["forged"]
    await steer("POST", "reset")
    assert sim.twilio.log == {}
    assert sim.callbacks == []
    assert sim.automatic


async def test_control_of_faults(sim: Simulator, steer: Steering) -> None:
    """Faults come and go over HTTP."""
    fault = {"kind": "rate_limited", "provider": "ovh", "times": 1}
    assert (await steer("POST", "faults", fault))["hits"] == 0
    async with steer.session.get(f"{sim.url}/1.0/auth/time") as response:
        assert response.status == 429
    assert (await steer("GET", "faults"))[0]["hits"] == 1
    await steer("DELETE", "faults?provider=twilio")
    assert len(sim.faults.active) == 1
    await steer("DELETE", "faults")
    assert sim.faults.active == []


async def test_settings(sim: Simulator, steer: Steering) -> None:
    """Accounts are suspended and emptied over HTTP."""
    body = {
        "twilio_suspended": True,
        "ovh_credits": 0,
        "reroute": {"https://a.example": "http://b.example"},
    }
    await steer("POST", "settings", body)
    assert sim.twilio.suspended
    assert sim.ovh.service.credits == 0
    assert sim.reroute == {"https://a.example": "http://b.example"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pigeon/receive", {"sender": TO, "text": "x"}),
        ("twilio/receive", {"text": "x"}),
        ("twilio/messages/SM0/status", {"status": "sent"}),
        ("faults", {"kind": "earthquake"}),
        ("faults", {"kind": "slow", "colour": "red"}),
        ("settings", []),
    ],
)
async def test_control_errors(steer: Steering, path: str, body: Any) -> None:
    """A wrong order is refused in words."""
    assert (await steer("POST", path, body))["error"]


async def test_alert_by_hand(sim: Simulator, steer: Steering) -> None:
    """A failure that cannot be brought about here is noted over HTTP."""
    at = "2026-11-20T12:00:00+00:00"
    body = {"code": 11237, "url": "https://home.example", "at": at}
    answer = await steer("POST", "alerts", body)
    (alert,) = sim.twilio.alerts.all
    assert (alert.sid, alert.code) == (answer["sid"], 11237)
    assert alert.at.isoformat() == at
    assert (await steer("POST", "alerts", {"code": 11205, "url": "x"}))["sid"]
    assert "error" in await steer("POST", "alerts", {"code": 1})
