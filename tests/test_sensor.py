"""The sensors of a number."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CoreState, State
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    mock_restore_cache_with_extra_data,
)

from custom_components.virtual_sms.entities.tally_sensor import TALLY_BURST, TALLY_PAUSE

from .home import RECIPIENT, SENDER, entity_id, picture, refresh, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from syrupy.assertion import SnapshotAssertion

    from simulator import Simulator

LAST = ("last_message", "last_sender", "last_delivery")


def tally(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, int]:
    """Read the counters."""
    keys = ("sent", "received", "failed", "pending")
    return {key: int(state(hass, entry, key).state) for key in keys}


async def test_entities(
    hass: HomeAssistant, entry: ConfigEntry, snapshot: SnapshotAssertion
) -> None:
    """A number has these, in this state, once it is set up."""
    assert picture(hass, entry, "sensor") == snapshot


async def test_last_message(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A long text is cut in the state and whole in the attributes."""
    text = "é" * 300
    message_id = simulator.providers[provider].receive(SENDER, text)
    await settle(hass, simulator)
    shown = state(hass, entry, "last_message")
    assert shown.state == "é" * 255
    assert shown.attributes["text"] == text
    assert shown.attributes["sender"] == SENDER
    assert shown.attributes["message_id"] == str(message_id)
    assert "T" in shown.attributes["received_at"]
    assert state(hass, entry, "last_sender").state == SENDER
    assert state(hass, entry, "last_delivery").state == STATE_UNKNOWN


async def test_sender_with_a_name(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A sender need not be a number."""
    simulator.providers[provider].receive("MyBank", "Your code")
    await settle(hass, simulator)
    assert state(hass, entry, "last_sender").state == "MyBank"


async def test_counters(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Messages are counted as they go, over a reload too."""
    waits = {"twilio": "+15005552001", "ovh": "+33600000301"}[provider]
    fails = {"twilio": "+15005551003", "ovh": "+33600000124"}[provider]
    assert tally(hass, entry) == {"sent": 0, "received": 0, "failed": 0, "pending": 0}
    await send(hass, entry, to=[RECIPIENT, waits, fails])
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    counted = {"sent": 3, "received": 1, "failed": 1, "pending": 1}
    assert tally(hass, entry) == counted
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert tally(hass, entry) == counted


async def test_a_message_is_counted_when_it_is_accepted(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Its statuses may be long in coming."""
    simulator.automatic = False
    await send(hass, entry)
    await settle(hass, simulator)
    assert state(hass, entry, "last_delivery").state == "queued"
    assert tally(hass, entry) == {"sent": 1, "received": 0, "failed": 0, "pending": 1}


async def test_counters_of_a_flood(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    twilio_entry: ConfigEntry,
) -> None:
    """A burst is counted at once, what follows a step at a time, and all in the end."""
    shown: list[str] = []
    counter = entity_id(hass, twilio_entry, "received")
    async_track_state_change_event(
        hass, counter, lambda event: shown.append(event.data["new_state"].state)
    )

    async def receive(amount: int) -> None:
        for number in range(amount):
            simulator.twilio.receive(SENDER, f"Hello {number}")
            await settle(hass, simulator)

    async def wait() -> None:
        freezer.tick(TALLY_PAUSE + 1)
        async_fire_time_changed(hass)
        await settle(hass, simulator)

    await receive(TALLY_BURST + 3)
    assert shown == [str(number) for number in range(1, TALLY_BURST + 1)]
    await wait()
    await receive(2)
    assert shown[TALLY_BURST:] == [str(TALLY_BURST + 3)]
    await wait()
    assert shown[TALLY_BURST + 1 :] == [str(TALLY_BURST + 5)]
    await wait()
    await receive(1)
    assert shown[TALLY_BURST + 2 :] == [str(TALLY_BURST + 6)]


async def test_end_of_a_flood(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """That nothing is under way any more is shown at once, whatever was before."""
    simulator.automatic = False
    for number in range(TALLY_BURST + 1):
        await send(hass, twilio_entry, message=f"Hello {number}")
    await settle(hass, simulator)
    assert tally(hass, twilio_entry)["pending"] == TALLY_BURST
    for each in simulator.twilio.messages:
        await simulator.twilio.advance(each.id, "delivered")
        await settle(hass, simulator)
    assert tally(hass, twilio_entry)["pending"] == 0


async def test_unloading_during_a_flood(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is yet to be shown is shown when the number is back."""
    for number in range(TALLY_BURST + 1):
        simulator.twilio.receive(SENDER, f"Hello {number}")
        await settle(hass, simulator)
    assert tally(hass, twilio_entry)["received"] == TALLY_BURST
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert tally(hass, twilio_entry)["received"] == TALLY_BURST + 1


async def test_kept_over_reload(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The last things stay known while the number is unloaded."""
    simulator.providers[provider].receive(SENDER, "x" * 300)
    await send(hass, entry)
    await settle(hass, simulator)
    before = {key: state(hass, entry, key).as_dict() for key in LAST}
    assert await hass.config_entries.async_reload(entry.entry_id)
    for key in LAST:
        after = state(hass, entry, key).as_dict()
        assert after["state"] == before[key]["state"]
        assert after["attributes"] == before[key]["attributes"]


async def test_kept_over_restart(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """What was stored before a restart is shown after it, whole."""
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    id_ = entity_id(hass, twilio_entry, "last_message")
    stored = {"value": "Hello", "attributes": {"text": "Hello", "sender": SENDER}}
    mock_restore_cache_with_extra_data(hass, ((State(id_, "anything"), stored),))
    await hass.config_entries.async_setup(twilio_entry.entry_id)
    shown = state(hass, twilio_entry, "last_message")
    assert shown.state == "Hello"
    assert shown.attributes["sender"] == SENDER


async def test_money(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Twilio takes money, of the account's own currency."""
    shown = state(hass, twilio_entry, "balance")
    assert shown.state == "12.34"
    assert shown.attributes["unit_of_measurement"] == "USD"
    assert shown.attributes["device_class"] == "monetary"


async def test_credits(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """OVHcloud sells credits, whole ones, in the words of the home's language."""
    shown = state(hass, ovh_entry, "balance")
    assert shown.state == "100.0"
    assert shown.attributes["unit_of_measurement"] == "credits"
    entity = er.async_get(hass).async_get(shown.entity_id)
    assert entity is not None
    assert entity.options["sensor"]["suggested_display_precision"] == 0


@pytest.mark.parametrize("mode", ["polling"])
async def test_no_credit(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """An empty account shows before a message is refused."""
    assert state(hass, entry, "line_status").state == "available"
    simulator.twilio.balance = Decimal("-0.01")
    simulator.ovh.service.credits = 0
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert state(hass, entry, "line_status").state == "no_credit"


async def test_provider_down(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What is polled becomes unavailable, and nothing else does."""
    simulator.faults.add("server_error", provider=provider)
    await refresh(hass, simulator, entry)
    assert state(hass, entry, "balance").state == STATE_UNAVAILABLE
    assert state(hass, entry, "line_status").state == "unavailable"
    assert state(hass, entry, "sent").state == "0"
    assert state(hass, entry, "last_message").state == STATE_UNKNOWN

    simulator.faults.clear()
    await refresh(hass, simulator, entry)
    assert state(hass, entry, "line_status").state == "available"
    assert state(hass, entry, "balance").state != STATE_UNAVAILABLE


async def test_last_check(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """It is off until someone wants it, and stays known while the provider is down."""
    id_ = entity_id(hass, entry, "last_check")
    assert hass.states.get(id_) is None
    er.async_get(hass).async_update_entity(id_, disabled_by=None)
    before = dt_util.utcnow().replace(microsecond=0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    checked = state(hass, entry, "last_check").state
    assert before <= datetime.fromisoformat(checked) <= dt_util.utcnow()

    simulator.faults.add("server_error", provider=provider)
    await refresh(hass, simulator, entry)
    assert state(hass, entry, "line_status").state == "unavailable"
    assert state(hass, entry, "last_check").state == checked


async def test_before_the_first_poll(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """While Home Assistant starts nothing is claimed that is not known."""
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    hass.set_state(CoreState.starting)
    await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert state(hass, twilio_entry, "line_status").state == STATE_UNKNOWN
    shown = state(hass, twilio_entry, "balance")
    assert shown.state == STATE_UNKNOWN
    assert "unit_of_measurement" not in shown.attributes
