"""The form of a contact, as a person fills it in."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryDisabler, FlowType
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.virtual_sms.const import DOMAIN

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
from ..home import RECIPIENT, SENDER
from ..set_up import answer, to_callbacks

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, SubentryFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


def refused(result: SubentryFlowResult, **errors: str) -> bool:
    """Say whether a form was shown again with these errors and nothing else."""
    return result["type"] is FlowResultType.FORM and result["errors"] == errors


async def test_all_fields(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """What is typed is stored: numbers in E.164, a person by registry id."""
    hass.config.country = "FR"
    registry = er.async_get(hass)
    person = registry.async_get_or_create("person", "person", "1", object_id_base="bob")
    result = await fill_in(
        hass,
        entry,
        name="  Bob ",
        numbers=["06 12 34 56 78", "+33 6 98 76 54 32", "0033612345678"],
        person="person.bob",
        may_command=True,
        code="none",
        language="fr",
        assist="conversation.home_assistant",
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    bob = find(entry, "Bob")
    assert bob.subentry_type == "contact"
    assert dict(bob.data) == {
        "numbers": [RECIPIENT, SENDER],
        "person": person.id,
        "may_command": True,
        "code": "none",
        "language": "fr",
        "assist": "conversation.home_assistant",
    }


async def test_few_fields(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A name and a number will do; nobody commands unless it was said."""
    bob = await add_contact(hass, entry, "Bob", RECIPIENT)
    data = {"numbers": [RECIPIENT], "may_command": False, "code": "none"}
    assert dict(bob.data) == data


@pytest.mark.parametrize("numbers", [["Bob"], ["+336"], [""], [], [RECIPIENT, "12"]])
async def test_invalid_number(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, numbers: list[str]
) -> None:
    """What is no number is refused, and the form says what it was."""
    result = await fill_in(hass, entry, name="Bob", numbers=numbers)
    assert refused(result, numbers="invalid_number")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["value"] == (numbers[-1] if numbers else "?")
    result = await submit(hass, result, name="Bob", numbers=[RECIPIENT])
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_number_is_one_contacts(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """It is so in the whole home, whether the line is at work or not."""
    bob = await add_contact(hass, twilio_entry, numbers=[SENDER, RECIPIENT])
    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    result = await fill_in(
        hass, ovh_entry, name="Ann", numbers=[OTHER_NUMBER, RECIPIENT]
    )
    assert refused(result, numbers="number_taken")
    assert result["description_placeholders"] == {"number": RECIPIENT, "owner": "Bob"}
    result = await change(
        hass, twilio_entry, bob, name="Bob", numbers=[RECIPIENT, SENDER]
    )
    assert result["reason"] == "reconfigure_successful"
    assert bob.data["numbers"] == [RECIPIENT, SENDER]


async def test_a_name_is_one_contacts(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """It is so on one line, where groups have names as well."""
    bob = await add_contact(hass, twilio_entry)
    await add_group(hass, twilio_entry, "Family", bob)
    for name in (" BOB ", "family"):
        result = await fill_in(hass, twilio_entry, name=name, numbers=[SENDER])
        assert refused(result, name="name_taken")
    await add_contact(hass, ovh_entry, "Bob", SENDER)
    result = await change(hass, twilio_entry, bob, name="BOB", numbers=[RECIPIENT])
    assert result["reason"] == "reconfigure_successful"
    assert find(twilio_entry, "BOB") is bob


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u202e", "x" * 101])
async def test_invalid_name(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, name: str
) -> None:
    """A name has letters, and an end."""
    result = await fill_in(hass, twilio_entry, name=name, numbers=[RECIPIENT])
    assert refused(result, name="invalid_name")


@pytest.mark.parametrize("gone", ["contact", "number"])
async def test_removed_in_another_window(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, gone: str
) -> None:
    """A form that is open meanwhile says so."""
    bob = await add_contact(hass, twilio_entry)
    form = await open_form(hass, twilio_entry, subentry=bob)
    if gone == "contact":
        await remove(hass, twilio_entry, bob)
    else:
        await hass.config_entries.async_remove(twilio_entry.entry_id)
    result = await submit(hass, form, name="Bob", numbers=[OTHER_NUMBER])
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "removed")


async def test_change(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The form shows what is stored, and what is emptied is gone."""
    registry = er.async_get(hass)
    registry.async_get_or_create("person", "person", "1", object_id_base="bob")
    bob = await add_contact(hass, twilio_entry, person="person.bob", language="fr")
    hass.config_entries.async_update_subentry(
        twilio_entry, bob, data={**bob.data, "secret": "kept"}
    )
    registry.async_update_entity("person.bob", new_entity_id="person.robert")
    form = await open_form(hass, twilio_entry, subentry=bob)
    schema = form["data_schema"]
    assert schema is not None
    shown: dict[str, Any] = {
        str(key): (key.description or {}).get("suggested_value")
        for key in schema.schema
    }
    assert shown == {
        "name": "Bob",
        "numbers": [RECIPIENT],
        "person": "person.robert",
        "may_command": False,
        "code": "none",
        "language": "fr",
        "assist": None,
    }
    typed = {"name": "Robert", "numbers": [SENDER], "may_command": True}
    result = await submit(hass, form, **typed)
    assert result["reason"] == "reconfigure_successful"
    assert bob.title == "Robert"
    assert dict(bob.data) == {
        "numbers": [SENDER],
        "may_command": True,
        "code": "none",
        "secret": "kept",
    }


async def test_a_person_who_is_in_no_registry(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """They are kept by the only thing that names them."""
    bob = await add_contact(hass, twilio_entry, person="person.bob")
    assert bob.data["person"] == "person.bob"


async def test_a_person_who_was_deleted(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Their contact stays, its form shows nobody, and it can be saved so."""
    registry = er.async_get(hass)
    registry.async_get_or_create("person", "person", "1", object_id_base="bob")
    bob = await add_contact(hass, twilio_entry, person="person.bob")
    registry.async_remove("person.bob")
    result = await change(hass, twilio_entry, bob, name="Bob", numbers=[RECIPIENT])
    assert result["reason"] == "reconfigure_successful"
    assert "person" not in bob.data


async def test_offered_after_set_up(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """A new number leads on to whom it may text."""
    result = await to_callbacks(hass, simulator, provider, name="My line")
    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    kind, flow_id = result["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    flow = hass.config_entries.subentries
    assert flow.async_get(flow_id)["handler"] == (entry.entry_id, "contact")
    added = await flow.async_configure(flow_id, {"name": "Bob", "numbers": RECIPIENT})
    assert added["type"] is FlowResultType.CREATE_ENTRY
    assert find(entry, "Bob")
    assert hass.config_entries.async_entries(DOMAIN) == [entry]
