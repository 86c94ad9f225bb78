"""Automations ask whether a number works and a contact can be reached."""

from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_CONDITION
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.condition import (
    async_from_config,
    async_get_all_descriptions,
    async_validate_condition_config,
)

from custom_components.virtual_sms.condition import CONDITIONS
from custom_components.virtual_sms.const import DOMAIN

from .contacts import (
    OTHER_NUMBER,
    add_contact,
    add_group,
    device_of,
    entity_of,
    read,
    remove,
)
from .home import RECIPIENT, entity_id, refresh, send, settle
from .people.test_trust import add_bob, lock

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

UNREACHABLE = "+15005551003"


async def check(hass: HomeAssistant, key: str, target: dict[str, Any]) -> bool | None:
    """Ask as an automation does."""
    config = {CONF_CONDITION: f"{DOMAIN}.{key}", "target": target}
    validated = await async_validate_condition_config(hass, config)
    checker = await async_from_config(hass, validated)
    try:
        return checker.async_check()
    finally:
        checker.async_unload()


async def test_a_number_is_available(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """As long as its provider answers."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, twilio_entry.entry_id), twilio_entry.entry_id
    )
    assert device is not None
    target = {"device_id": [device.id]}
    assert await check(hass, "line_available", target) is True
    simulator.faults.add("server_error", provider="twilio")
    await refresh(hass, simulator, twilio_entry)
    assert await check(hass, "line_available", target) is False
    assert await check(hass, "contact_reachable", target) is False


async def test_a_contact_is_reachable(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Until a message to them does not arrive."""
    bob = await add_contact(hass, twilio_entry, numbers=UNREACHABLE)
    device = device_of(hass, twilio_entry, bob)
    assert device is not None
    target = {"device_id": [device.id]}
    assert await check(hass, "contact_reachable", target) is True
    await send(hass, twilio_entry, to=UNREACHABLE)
    await settle(hass, simulator)
    assert await check(hass, "contact_reachable", target) is False


async def test_a_locked_contact_is_reachable(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever sends wrong codes in their name keeps no alarm from them."""
    bob, _ = await add_bob(hass, twilio_entry)
    target = {"entity_id": [entity_of(hass, twilio_entry, bob)]}
    await lock(hass, simulator, "twilio")
    assert read(hass, entity_of(hass, twilio_entry, bob, "status")) == "locked"
    assert await check(hass, "contact_reachable", target) is True
    simulator.twilio.receive(RECIPIENT, "STOP")
    await settle(hass, simulator)
    assert await check(hass, "contact_reachable", target) is False
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert await check(hass, "contact_reachable", target) is False


async def test_who_looks_at_no_sensor(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A sensor that its person has disabled changes no condition."""
    bob = await add_contact(hass, twilio_entry, numbers=UNREACHABLE)
    sensors = [
        entity_id(hass, twilio_entry, "line_status"),
        entity_of(hass, twilio_entry, bob, "status"),
    ]
    for each in sensors:
        er.async_get(hass).async_update_entity(
            each, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert [hass.states.get(each) for each in sensors] == [None, None]
    number = {"entity_id": [entity_id(hass, twilio_entry, "last_message")]}
    contact = {"entity_id": [entity_of(hass, twilio_entry, bob)]}
    assert await check(hass, "line_available", number) is True
    assert await check(hass, "contact_reachable", contact) is True
    await send(hass, twilio_entry, to=UNREACHABLE)
    simulator.faults.add("server_error", provider="twilio", method="GET")
    await settle(hass, simulator)
    await refresh(hass, simulator, twilio_entry)
    assert await check(hass, "line_available", number) is False
    assert await check(hass, "contact_reachable", contact) is False


async def test_a_group_is_reachable(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """While each of its members is; nobody is in an empty one."""
    bob = await add_contact(hass, twilio_entry, numbers=UNREACHABLE)
    eve = await add_contact(hass, ovh_entry, "Eve", OTHER_NUMBER)
    group = await add_group(hass, ovh_entry, "Both", bob, eve)
    target = {"entity_id": [entity_of(hass, ovh_entry, group)]}
    assert await check(hass, "contact_reachable", target) is True
    await send(hass, twilio_entry, to=UNREACHABLE)
    await settle(hass, simulator)
    assert await check(hass, "contact_reachable", target) is False
    await remove(hass, twilio_entry, bob)
    assert await check(hass, "contact_reachable", target) is True
    await remove(hass, ovh_entry, eve)
    assert await check(hass, "contact_reachable", target) is False


async def test_the_number_of_a_contact_is_available(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Theirs is asked for where no number is meant itself."""
    bob = await add_contact(hass, twilio_entry)
    contact, number = (
        entity_of(hass, twilio_entry, bob),
        entity_id(hass, ovh_entry, "message"),
    )
    simulator.faults.add("server_error", provider="twilio")
    await refresh(hass, simulator, twilio_entry)
    assert await check(hass, "line_available", {"entity_id": [contact]}) is False
    both = {"entity_id": [contact, number]}
    assert await check(hass, "line_available", both) is True
    simulator.faults.clear()
    await refresh(hass, simulator, twilio_entry)
    assert await check(hass, "line_available", {"entity_id": [contact]}) is True


async def test_what_is_not_there_is_not_so(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """A target that leads to nothing lets nothing pass."""
    for key in CONDITIONS:
        target = {"entity_id": ["sensor.of_somebody_else"]}
        assert await check(hass, key, target) is False


async def test_the_editor_knows_them(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """With a target of ours."""
    descriptions = await async_get_all_descriptions(hass)
    for key in CONDITIONS:
        description = descriptions[f"{DOMAIN}.{key}"]
        assert description is not None
        assert description["target"]
