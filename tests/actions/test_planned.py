"""What was planned goes out once, and answers of our own only if they may."""

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.actions.planned import (
    Planned,
    async_find_planned,
    async_may_answer,
    async_send_planned,
)
from custom_components.virtual_sms.adapters.errors import SmsError
from custom_components.virtual_sms.core.person import Person

from ..home import RECIPIENT, settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


@pytest.mark.parametrize("has_left", [True, False])
async def test_what_an_earlier_run_planned_goes_out_once(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
    has_left: bool,
) -> None:
    """It may have left just before a crash, so it is looked for at the provider."""
    gateway = twilio_entry.runtime_data.gateway
    if has_left:
        lost = gateway.outbox.compose(RECIPIENT, "Water in the cellar")
        # The provider may just have closed a connection that was kept open. Whether it
        # has the message is then unknown to the adapter, but not to the simulator.
        for _ in range(5):
            with suppress(SmsError):
                await gateway.line.adapter.send(gateway.line.number, lost, None)
            if simulator.twilio.messages:
                break
    bob = Person(number=RECIPIENT, line=twilio_entry.entry_id)
    planned = "of another run"
    assert await async_send_planned(hass, bob, planned, "Water in the cellar") is None
    assert len(simulator.twilio.messages) == has_left
    for _ in range(4):
        freezer.tick(15)
        async_fire_time_changed(hass)
        await settle(hass, simulator)
    assert len(simulator.twilio.messages) == 1
    found = await gateway.store.outbound.find(planned)
    assert found is not None
    assert found.provider_id == simulator.twilio.messages[0].id


async def test_no_more_than_a_few_answers(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """Who answers our answers hears no sixth, and another person is not concerned."""
    bob = Person(number=RECIPIENT, line=twilio_entry.entry_id)
    ann = Person(number="+33698765432", line=twilio_entry.entry_id)
    assert [await async_may_answer(hass, bob) for _ in range(6)] == [True] * 5 + [False]
    assert await async_may_answer(hass, ann)


async def test_a_line_at_rest_answers_nobody(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """Neither one whose file is closed, nor one that is not loaded."""
    bob = Person(number=RECIPIENT, line=twilio_entry.entry_id)
    await twilio_entry.runtime_data.gateway.store.close()
    assert not await async_may_answer(hass, bob)
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert not await async_may_answer(hass, bob)


async def test_what_a_line_cannot_read_nobody_knows(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """A file that cannot be read says of nothing that it was not sent."""
    bob = Person(number=RECIPIENT, line=twilio_entry.entry_id)
    assert await async_find_planned(hass, bob, "planned") is Planned.UNSENT
    await twilio_entry.runtime_data.gateway.store.close()
    assert await async_find_planned(hass, bob, "planned") is Planned.UNKNOWN
