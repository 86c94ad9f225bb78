"""The form of a group, as a person fills it in."""

from typing import TYPE_CHECKING

from homeassistant.data_entry_flow import FlowResultType

from ..contacts import (
    OTHER_NUMBER,
    add_contact,
    add_group,
    change,
    fill_in,
    find,
    open_form,
    remove,
    submit,
)
from .test_contact import refused

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def test_contacts_of_any_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A group is offered all contacts of the home, and named with their line."""
    bob = await add_contact(hass, twilio_entry)
    ann = await add_contact(hass, ovh_entry, "Ann", OTHER_NUMBER)
    form = await open_form(hass, ovh_entry, "group")
    schema = form["data_schema"]
    assert schema is not None
    assert schema.schema["members"].config["options"] == [
        {"value": bob.subentry_id, "label": "Bob (Twilio line)"},
        {"value": ann.subentry_id, "label": "Ann (OVH line)"},
    ]
    members = ["notify.ann", bob.subentry_id, "ANN"]
    result = await submit(hass, form, name="Family", members=members)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    family = find(ovh_entry, "Family")
    assert dict(family.data) == {"members": [ann.subentry_id, bob.subentry_id]}


async def test_no_members(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A group of nobody is refused."""
    for typed in ({"members": []}, {}):
        result = await fill_in(hass, twilio_entry, "group", name="Family", **typed)
        assert refused(result, members="no_members")


async def test_a_group_in_a_group(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Only contacts are members, and only those that are still there."""
    bob = await add_contact(hass, twilio_entry)
    family = await add_group(hass, twilio_entry, "Family", bob)
    for member in (family.subentry_id, "notify.family", "notify.nobody"):
        members = [bob.subentry_id, member]
        result = await fill_in(
            hass, twilio_entry, "group", name="Friends", members=members
        )
        assert refused(result, members="no_contact")
    await remove(hass, twilio_entry, bob)
    members = [bob.subentry_id]
    result = await fill_in(hass, twilio_entry, "group", name="Friends", members=members)
    assert refused(result, members="no_contact")


async def test_names(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Groups and contacts of a line share their names."""
    bob = await add_contact(hass, twilio_entry)
    members = [bob.subentry_id]
    result = await fill_in(hass, twilio_entry, "group", name="bob", members=members)
    assert refused(result, name="name_taken")


async def test_change(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A group may change all it has."""
    bob = await add_contact(hass, twilio_entry)
    ann = await add_contact(hass, twilio_entry, "Ann", OTHER_NUMBER)
    family = await add_group(hass, twilio_entry, "Family", bob)
    members = ["notify.ann"]
    result = await change(hass, twilio_entry, family, name="Friends", members=members)
    assert result["reason"] == "reconfigure_successful"
    assert family.title == "Friends"
    assert family.data["members"] == [ann.subentry_id]
