"""What a number asks its provider, to the last request; `scripts/bench` times it.

Each counts against a limit at the provider, and in an alarm each takes its time.
"""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from simulator import Quirk

from .home import SENDER, refresh, send, settle, state

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

NEIGHBOURS = [f"+336{number:08}" for number in range(1, 51)]

NEWS, BALANCE, NUMBERS = (
    "GET Messages.json",
    "GET Balance.json",
    "GET IncomingPhoneNumbers.json",
)
INCOMING, SERVICE, SERVICES = "GET incoming", "GET sms-ab12345-1", "GET sms"
LINES, KEY, CLOCK = "GET virtualNumbers", "GET currentCredential", "GET time"
OPT_OUTS = "GET blacklists"


class Asked:
    """The requests that a provider got since the last look."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._seen = len(simulator.requests)

    def look(self) -> Counter[str]:
        """Count them by their method and the last part of their path."""
        asked = list(self._simulator.requests)[self._seen :]
        self._seen += len(asked)
        return Counter(
            f"{each.method} {each.path.rpartition('/')[2]}" for each in asked
        )


@pytest.fixture
def asked(simulator: Simulator, entry: ConfigEntry) -> Asked:
    """Count what is asked from now on: the number is set up."""
    return Asked(simulator)


@pytest.mark.parametrize(
    ("provider", "mode", "requests"),
    [
        # What came meanwhile, what is left, and whether the number is still there.
        ("twilio", "polling", {NEWS: 1, BALANCE: 1, NUMBERS: 1}),
        # Whose URL stands there as well, and who overrules it.
        ("twilio", "automatic", {NEWS: 2, BALANCE: 1, NUMBERS: 2}),
        # An account has two services here, and each is asked for its numbers; the
        # number's own, for who has texted STOP.
        (
            "ovh",
            "polling",
            {CLOCK: 1, INCOMING: 1, SERVICE: 1, KEY: 1, SERVICES: 1, LINES: 2}
            | {OPT_OUTS: 1},
        ),
        (
            "ovh",
            "automatic",
            {CLOCK: 1, INCOMING: 1, SERVICE: 2, KEY: 1, SERVICES: 1, LINES: 2}
            | {OPT_OUTS: 1},
        ),
    ],
)
async def test_a_start(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    asked: Asked,
    requests: dict[str, int],
) -> None:
    """A number that starts asks this, and goes without a word."""
    await hass.config_entries.async_unload(entry.entry_id)
    await settle(hass, simulator)
    assert not asked.look()
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass, simulator)
    assert asked.look() == requests


async def test_a_poll(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    asked: Asked,
    provider: str,
) -> None:
    """A poll that finds nothing new is one request."""
    for _ in range(3):
        await refresh(hass, simulator, entry)
        assert asked.look() == {{"twilio": NEWS, "ovh": INCOMING}[provider]: 1}


@pytest.mark.parametrize("mode", ["polling"])
async def test_a_poll_with_news(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    asked: Asked,
    provider: str,
) -> None:
    """Where messages are listed whole, they cost nothing more; else one request each."""
    ids = [simulator.providers[provider].receive(SENDER, text) for text in "abc"]
    await refresh(hass, simulator, entry)
    assert state(hass, entry, "received").state == "3"
    requests = {
        "twilio": {NEWS: 1},
        # Fifty ids make one request.
        "ovh": {INCOMING: 1, f"GET {','.join(map(str, ids))}": 1},
    }
    assert asked.look() == requests[provider]


async def test_a_send(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    asked: Asked,
    provider: str,
) -> None:
    """Fifty neighbours are fifty requests to the provider, and not one more."""
    await send(hass, entry, to=NEIGHBOURS)
    requests = asked.look()
    # Of four clients at OVHcloud, one has asked at the start what time it is there.
    assert requests.pop(CLOCK, 0) <= {"twilio": 0, "ovh": 3}[provider]
    # A bell that rings before the answer is not about the send.
    posts = {name: count for name, count in requests.items() if name.startswith("POST")}
    path = {"twilio": "POST Messages.json", "ovh": "POST jobs"}[provider]
    assert posts == {path: len(NEIGHBOURS)}


async def test_signed_callbacks(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What Twilio signs is believed: messages and statuses cost no request."""
    asked = Asked(simulator)
    simulator.twilio.receive(SENDER, "Hello")
    await send(hass, twilio_entry, to=NEIGHBOURS[:3])
    await settle(hass, simulator)
    assert state(hass, twilio_entry, "pending").state == "0"
    assert state(hass, twilio_entry, "received").state == "1"
    assert asked.look() == {"POST Messages.json": 3}


async def test_bells(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """What anyone may ring costs one request each; of a message, just the first time."""
    asked = Asked(simulator)
    simulator.ovh.quirks = {Quirk.DUPLICATED}
    messages = [simulator.ovh.receive(SENDER, text) for text in "abc"]
    await settle(hass, simulator)
    assert state(hass, ovh_entry, "received").state == "3"
    assert asked.look() == {f"GET {message}": 1 for message in messages}
    simulator.ovh.quirks.clear()
    simulator.automatic = False
    [sent] = await send(hass, ovh_entry)
    await settle(hass, simulator)
    assert asked.look() == {"POST jobs": 1}
    question = f"GET {sent['provider_id']}"
    for status, requests in (
        ("sent", {question: 1}),
        ("delivered", {question: 1}),
        ("delivered", {}),
    ):
        await simulator.ovh.advance(sent["provider_id"], status)
        await settle(hass, simulator)
        assert asked.look() == requests
    assert state(hass, ovh_entry, "pending").state == "0"
