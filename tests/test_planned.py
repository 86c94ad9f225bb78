"""Answers of our own: whether one may go out."""

from typing import TYPE_CHECKING

from custom_components.virtual_sms.core.person import Person
from custom_components.virtual_sms.planned import (
    Planned,
    async_find_planned,
    async_may_answer,
)

from .home import RECIPIENT

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant


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
