"""The sentences of the logbook."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.helpers import translation
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms import logbook
from custom_components.virtual_sms.adapters.call_models import CallState
from custom_components.virtual_sms.adapters.models import DeliveryStatus
from custom_components.virtual_sms.const import DOMAIN

from .home import RECIPIENT, SENDER, send, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import Event, HomeAssistant

    from simulator import Simulator

UNREACHABLE = "+15005551003"


class Logbook:
    """Collect what happens, and describe it as Home Assistant's logbook does."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Learn the sentences, and listen."""
        self._describe = {}
        logbook.async_describe_events(hass, self._learn)
        self._events = [
            async_capture_events(hass, event_type) for event_type in self._describe
        ]

    def _learn(self, domain: str, event_type: str, describe: logbook.Describe) -> None:
        assert domain == DOMAIN
        self._describe[event_type] = describe

    def lines(self) -> list[logbook.Line]:
        """Return the lines, in order."""
        events: list[Event] = [event for each in self._events for event in each]
        events.sort(key=lambda event: event.time_fired)
        return [self._describe[event.event_type](event) for event in events]

    def sentences(self) -> list[str | None]:
        """Return the sentences, in order."""
        return [line[LOGBOOK_ENTRY_MESSAGE] for line in self.lines()]


async def choose(hass: HomeAssistant, entry: ConfigEntry, privacy: str) -> None:
    """Choose how much is shown."""
    flow = hass.config_entries.options
    result = await flow.async_init(entry.entry_id)
    await flow.async_configure(result["flow_id"], {"privacy": privacy})
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_received(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A message is quoted, by the name of the number it came to."""
    rows = Logbook(hass)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert rows.lines() == [
        {
            LOGBOOK_ENTRY_NAME: "My line",
            LOGBOOK_ENTRY_MESSAGE: f"received an SMS from {SENDER}: Hello",
            LOGBOOK_ENTRY_ICON: "mdi:message-badge-outline",
        }
    ]


async def test_status(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The course of a message is in it, with the reason where it ends badly."""
    rows = Logbook(hass)
    await send(hass, twilio_entry, to=[RECIPIENT])
    await settle(hass, simulator)
    assert rows.sentences()[:: len(rows.sentences()) - 1] == [
        f"is about to send an SMS to {RECIPIENT}",
        f"delivered an SMS to {RECIPIENT}",
    ]
    assert rows.lines()[-1][LOGBOOK_ENTRY_ICON] == "mdi:message-check-outline"
    # The subject is the number: with an entity, it would be that one's name.
    assert {line[LOGBOOK_ENTRY_NAME] for line in rows.lines()} == {twilio_entry.title}
    await send(hass, twilio_entry, to=[UNREACHABLE])
    await settle(hass, simulator)
    assert rows.sentences()[-1] == (
        f"could not deliver an SMS to {UNREACHABLE} (Unreachable)"
    )


@pytest.mark.parametrize(
    ("privacy", "received", "delivered"),
    [
        (
            "masked",
            "received an SMS from +33…32: H…",
            "delivered an SMS to +33…78",
        ),
        (
            "metadata",
            "received an SMS from someone",
            "delivered an SMS to someone",
        ),
    ],
)
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    privacy: str,
    received: str,
    delivered: str,
) -> None:
    """The logbook says no more than may be shown today, of older events too."""
    rows = Logbook(hass)
    for _ in range(2):
        await send(hass, twilio_entry)
        await settle(hass, simulator)
        simulator.twilio.receive(SENDER, "Hello")
        await settle(hass, simulator)
        await choose(hass, twilio_entry, privacy)
    sentences = rows.sentences()
    assert sentences.count(received) == sentences.count(delivered) == 2


async def test_number_that_is_gone(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What was a number's is still there, under the number and without details."""
    rows = Logbook(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert rows.lines() == [
        {
            LOGBOOK_ENTRY_NAME: simulator.twilio.NUMBER,
            LOGBOOK_ENTRY_MESSAGE: "received an SMS from someone",
            LOGBOOK_ENTRY_ICON: "mdi:message-badge-outline",
        }
    ]


async def test_french(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A French home reads French."""
    hass.config.language = "fr"
    await translation.async_load_integrations(hass, {DOMAIN})
    rows = Logbook(hass)
    simulator.twilio.receive(SENDER, "Bonjour")
    await send(hass, twilio_entry, to=[UNREACHABLE])
    await settle(hass, simulator)
    assert f"a reçu un SMS de {SENDER}\N{NO-BREAK SPACE}: Bonjour" in rows.sentences()
    assert f"n'a pas pu faire parvenir un SMS à {UNREACHABLE} (Injoignable)" in (
        rows.sentences()
    )


def test_icons() -> None:
    """Each line has the icon of the entity that shows the same."""
    path = Path(logbook.__file__).with_name("icons.json")
    events = json.loads(path.read_text("utf-8"))["entity"]["event"]
    statuses = events["delivery"]["state_attributes"]["event_type"]
    calls = events["call"]["state_attributes"]["event_type"]
    assert {"received": events["message"]["default"]} | {
        status: statuses["state"].get(status, statuses["default"])
        for status in DeliveryStatus
    } | {
        f"call_{state}": calls["state"].get(state, calls["default"])
        for state in CallState
    } == logbook.ICONS
