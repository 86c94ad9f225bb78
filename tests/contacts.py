"""Contacts and groups of a home, as a person adds and changes them."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er

from custom_components.virtual_sms.const import DOMAIN

from .home import RECIPIENT

if TYPE_CHECKING:
    from homeassistant.config_entries import (
        ConfigEntry,
        ConfigSubentry,
        SubentryFlowResult,
    )
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.device_registry import DeviceEntry

BOB = "Bob"
OTHER_NUMBER = "+33687654321"


async def open_form(
    hass: HomeAssistant,
    entry: ConfigEntry,
    kind: str = "contact",
    subentry: ConfigSubentry | None = None,
) -> SubentryFlowResult:
    """Open the form of a new contact or group, or of one that is there."""
    context: Any = {"source": SOURCE_USER}
    if subentry is not None:
        kind = subentry.subentry_type
        context = {
            "source": SOURCE_RECONFIGURE,
            "subentry_id": subentry.subentry_id,
        }
    flow = hass.config_entries.subentries
    form = await flow.async_init((entry.entry_id, kind), context=context)
    assert form["type"] is FlowResultType.FORM
    return form


async def submit(
    hass: HomeAssistant, form: SubentryFlowResult, **typed: Any
) -> SubentryFlowResult:
    """Fill in a form that is open."""
    return await hass.config_entries.subentries.async_configure(form["flow_id"], typed)


async def fill_in(
    hass: HomeAssistant, entry: ConfigEntry, kind: str = "contact", **typed: Any
) -> SubentryFlowResult:
    """Open the form of a new contact or group, and fill it in."""
    return await submit(hass, await open_form(hass, entry, kind), **typed)


async def change(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry, **typed: Any
) -> SubentryFlowResult:
    """Open the form of a contact or group, and fill it in anew."""
    form = await open_form(hass, entry, subentry=subentry)
    return await submit(hass, form, **typed)


async def add_contact(
    hass: HomeAssistant,
    entry: ConfigEntry,
    name: str = BOB,
    numbers: Any = RECIPIENT,
    **typed: Any,
) -> ConfigSubentry:
    """Add a contact."""
    result = await fill_in(hass, entry, name=name, numbers=numbers, **typed)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    return find(entry, name)


async def add_group(
    hass: HomeAssistant, entry: ConfigEntry, name: str, *members: ConfigSubentry
) -> ConfigSubentry:
    """Add a group of contacts."""
    ids = [each.subentry_id for each in members]
    result = await fill_in(hass, entry, "group", name=name, members=ids)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    return find(entry, name)


async def remove(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
) -> None:
    """Remove a contact or a group."""
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()


def find(entry: ConfigEntry, name: str) -> ConfigSubentry:
    """Return the contact or group of a name."""
    (found,) = [each for each in entry.subentries.values() if each.title == name]
    return found


def device_of(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
) -> DeviceEntry | None:
    """Return the device of a contact or a group."""
    identifier = (DOMAIN, f"{entry.entry_id}_{subentry.subentry_id}")
    registry = dr.async_get(hass)
    return registry.async_get_device_by_identifier(identifier, entry.entry_id)


def entity_of(
    hass: HomeAssistant,
    entry: ConfigEntry,
    subentry: ConfigSubentry,
    key: str = "notify",
) -> str:
    """Return the id of an entity of a contact or a group."""
    platform = {"call": "event", "notify": "notify", "message": "event"}.get(
        key, "sensor"
    )
    unique_id = f"{entry.entry_id}_{subentry.subentry_id}_{key}"
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None
    return found


def entities_of(
    hass: HomeAssistant, entry: ConfigEntry, subentry: ConfigSubentry
) -> set[str]:
    """List the entities of a contact or a group."""
    registry = er.async_get(hass)
    return {
        each.entity_id
        for each in er.async_entries_for_config_entry(registry, entry.entry_id)
        if each.config_subentry_id == subentry.subentry_id
    }


def read(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state
