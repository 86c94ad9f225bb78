"""What a message leaves in the recorder's database, counted with a real recorder."""

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.entities.tally_sensor import TALLY_PAUSE

from .contacts import add_contact
from .home import SENDER, send, settle, state
from .recorder import count_rows, read

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

MANY = 50
RECEIVED, STATUS = "virtual_sms_received", "virtual_sms_status"


class Recorded:
    """The rows of a number's events and states since the last look."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._entry_id = entry.entry_id
        self._seen: Counter[str] = Counter()

    async def look(self) -> Counter[str]:
        """Count them by the event's type, and by the key of the entity."""
        # In a flood, a counter is shown for the last time a little later.
        later = dt_util.utcnow() + timedelta(seconds=TALLY_PAUSE + 1)
        async_fire_time_changed(self._hass, later)
        await self._hass.async_block_till_done(wait_background_tasks=True)
        rows = await read(self._hass, count_rows)
        ours = Counter(
            {name: rows[key] for key, name in self._names().items() if key in rows}
        )
        seen, self._seen = self._seen, ours
        return ours - seen

    def _names(self) -> dict[str, str]:
        entities = er.async_entries_for_config_entry(
            er.async_get(self._hass), self._entry_id
        )
        keys = {
            each.entity_id: each.unique_id.removeprefix(f"{self._entry_id}_")
            for each in entities
        }
        return {RECEIVED: RECEIVED, STATUS: STATUS, **keys}


@pytest.fixture
async def recorded(
    recorder_mock: None, hass: HomeAssistant, entry: ConfigEntry
) -> Recorded:
    """Count the rows from now on: the number is set up."""
    recorded = Recorded(hass, entry)
    await recorded.look()
    return recorded


async def test_a_message(
    recorded: Recorded, hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """A message changes this and no more; who wrote last does not write anew."""
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    rows = {RECEIVED: 1, "message": 1, "last_message": 1, "received": 1}
    assert await recorded.look() == rows | {"last_sender": 1}
    simulator.providers[provider].receive(SENDER, "Hello again")
    await settle(hass, simulator)
    assert await recorded.look() == rows


async def test_a_message_of_a_contact(
    recorded: Recorded,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """A contact's own event entity is one row more: six at most."""
    await add_contact(hass, entry, numbers=SENDER)
    await recorded.look()
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert (await recorded.look()).total() == 6


@pytest.mark.parametrize("provider", ["twilio"])
async def test_a_flood(
    recorded: Recorded,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
) -> None:
    """Of one person four rows a message are not reached, of strangers hardly more."""
    for senders, most in (
        ([SENDER] * MANY, 3.2),
        ([f"+336{number:08}" for number in range(MANY)], 4.2),
    ):
        for sender in senders:
            simulator.twilio.receive(sender, "Hello")
            await settle(hass, simulator)
        rows = await recorded.look()
        assert rows[RECEIVED] == rows["message"] == rows["last_message"] == MANY
        assert rows.total() <= most * MANY
    assert state(hass, entry, "received").state == str(2 * MANY)


async def test_a_send(
    recorded: Recorded,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """Each status is an event and changes two entities; a count changes as it must."""
    simulator.automatic = False
    [message] = await send(hass, entry)
    for status in ("sent", "delivered"):
        await settle(hass, simulator)
        await simulator.providers[provider].advance(message["provider_id"], status)
    await settle(hass, simulator)
    per_status = dict.fromkeys((STATUS, "delivery", "last_delivery"), 3)
    counts = {"sent": 1, "pending": 2, "segments": 1}
    # Credits are taken at once, and a price in money comes later.
    counts |= {"cost": 1} if provider == "ovh" else {}
    assert await recorded.look() == per_status | counts


@pytest.mark.parametrize("provider", ["twilio"])
async def test_an_alarm(
    recorded: Recorded,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
) -> None:
    """With fifty neighbours a status leaves three rows at most."""
    neighbours = [f"+336{number:08}" for number in range(1, MANY + 1)]
    await send(hass, entry, to=neighbours)
    await settle(hass, simulator)
    rows = await recorded.look()
    assert rows[STATUS] == rows["delivery"] >= 2 * MANY
    assert rows.total() <= 3 * rows[STATUS]
    assert state(hass, entry, "sent").state == str(MANY)
    assert state(hass, entry, "pending").state == "0"
