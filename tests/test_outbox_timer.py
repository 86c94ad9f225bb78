"""The timer that wakes the outbox."""

from typing import TYPE_CHECKING
from unittest.mock import patch

from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.outbox_timer import OutboxTimer
from custom_components.virtual_sms.store.database import DatabaseClosedError

from .home import listen, refresh, send, settle, state

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


SENDING = r"/Messages\.json|/jobs"


async def pass_time(
    hass: HomeAssistant,
    sim: Simulator,
    freezer: FrozenDateTimeFactory,
    seconds: float,
) -> None:
    """Let time go by, and what it brings."""
    freezer.tick(seconds)
    async_fire_time_changed(hass, dt_util.utcnow())
    await settle(hass, sim)


async def test_sent_when_the_provider_is_back(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A message waits for its provider, is tried again, and sent once."""
    simulator.faults.add("rate_limited", method="POST", path=SENDING, times=2)
    heard = listen(hass)
    [message] = await send(hass, entry)
    assert message["status"] == "queued"
    assert not simulator.providers[provider].messages
    for _ in range(6):
        await pass_time(hass, simulator, freezer, 20)
    assert len(simulator.providers[provider].messages) == 1
    assert heard.course(message["message_id"])[-1] == "delivered"
    assert state(hass, entry, "pending").state == "0"


async def test_given_up_in_the_end(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """When its time is over a message has failed."""
    simulator.faults.add("rate_limited", method="POST", path=SENDING)
    heard = listen(hass)
    [message] = await send(hass, entry, retry_for={"seconds": 90})
    for _ in range(10):
        await pass_time(hass, simulator, freezer, 20)
    assert heard.course(message["message_id"]) == ["queued", "failed"]
    assert heard.statuses[-1]["reason"] == "expired"
    assert not simulator.providers[provider].messages


async def test_over_a_reload(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What waits goes on waiting over a restart, under the same id."""
    simulator.faults.add("rate_limited", method="POST", path=SENDING)
    heard = listen(hass)
    [message] = await send(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await pass_time(hass, simulator, freezer, 60)
    assert not simulator.providers[provider].messages
    simulator.faults.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await pass_time(hass, simulator, freezer, 60)
    assert len(simulator.providers[provider].messages) == 1
    assert heard.course(message["message_id"])[0] == "queued"
    assert heard.course(message["message_id"])[-1] == "delivered"


@pytest.mark.parametrize("kind", ["dropped", "accepted_garbage"])
async def test_doubt_is_settled(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
    kind: str,
) -> None:
    """A message whose answer was lost is looked for, not sent again."""
    simulator.faults.add(kind, method="POST", path=SENDING, times=1)
    heard = listen(hass)
    [message] = await send(hass, entry)
    for _ in range(6):
        await pass_time(hass, simulator, freezer, 30)
    await refresh(hass, simulator, entry)
    assert len(simulator.providers[provider].messages) == 1
    assert heard.course(message["message_id"])[-1] == "delivered"


async def test_trouble(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever happens to the outbox, it is woken again."""
    simulator.faults.add("rate_limited", method="POST", path=SENDING, times=1)
    heard = listen(hass)
    outbox = twilio_entry.runtime_data.gateway.outbox
    with patch.object(outbox, "work", side_effect=OSError):
        [message] = await send(hass, twilio_entry)
        await settle(hass, simulator)
    assert "could not be worked on" in caplog.text
    await pass_time(hass, simulator, freezer, 61)
    assert heard.course(message["message_id"])[-1] == "delivered"


async def test_stops_with_its_entry(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An unloaded number sends nothing."""
    simulator.faults.add("rate_limited", method="POST", path=SENDING, times=1)
    await send(hass, twilio_entry)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    with patch.object(type(twilio_entry), "async_create_background_task") as create:
        await pass_time(hass, simulator, freezer, 600)
    create.assert_not_called()
    assert not simulator.twilio.messages


async def test_woken_before_its_time(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Before the home has started there is nothing to work on; nor at the end."""
    worker = OutboxTimer(hass, twilio_entry)
    worker.async_wake()
    await settle(hass, simulator)
    outbox = twilio_entry.runtime_data.gateway.outbox
    with patch.object(outbox, "work", side_effect=DatabaseClosedError):
        worker.async_start(outbox)
        await settle(hass, simulator)
