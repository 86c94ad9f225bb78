"""Contacts and groups in a home: their entities, and whom they are known as."""

from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.people.contacts import async_directory, async_find

from ..contacts import (
    OTHER_NUMBER,
    add_contact,
    add_group,
    change,
    device_of,
    entities_of,
    entity_of,
    find,
    read,
    remove,
)
from ..home import RECIPIENT, SENDER, entity_id, listen, send, settle
from ..test_outbox_timer import SENDING, pass_time

FAILS_AT_OVH = "+33600000105"

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def write(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, sender: str
) -> None:
    """Have somebody text a number."""
    provider = simulator.providers[entry.data["provider"]]
    provider.receive(sender, "Hello")
    await settle(hass, simulator)


async def test_devices_and_entities(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A contact is a device below the number's, and so is a group."""
    bob = await add_contact(hass, entry)
    family = await add_group(hass, entry, "Family", bob)
    calls = {"event.bob_call"} if entry.data["provider"] == "twilio" else set()
    assert entities_of(hass, entry, bob) == calls | {
        "notify.bob",
        "event.bob_message",
        "sensor.bob_last_status",
        "sensor.bob_status",
    }
    assert entities_of(hass, entry, family) == {"notify.family"}
    number = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, entry.entry_id), entry.entry_id
    )
    for each in (bob, family):
        device = device_of(hass, entry, each)
        assert device is not None
        assert number is not None
        assert device.via_device_id == number.id
        assert device.name == each.title
        assert device.entry_type is dr.DeviceEntryType.SERVICE
    message = er.async_get(hass).async_get("event.bob_message")
    assert message is not None
    assert message.entity_category is None
    assert message.unique_id == f"{entry.entry_id}_{bob.subentry_id}_message"
    assert read(hass, "sensor.bob_status") == "reachable"
    notifier = hass.states.get("notify.bob")
    assert notifier is not None
    assert notifier.attributes["supported_features"] == 1


async def test_nothing_is_reloaded(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What is done to contacts keeps no entity and no webhook from its work."""
    changes = async_capture_events(hass, "state_changed")
    gateway = entry.runtime_data.gateway
    bob = await add_contact(hass, entry)
    await change(hass, entry, bob, name="Bobby", numbers=[OTHER_NUMBER])
    family = await add_group(hass, entry, "Family", find(entry, "Bobby"))
    await change(
        hass, entry, family, name="Friends", members=[find(entry, "Bobby").subentry_id]
    )
    await hass.async_block_till_done()
    device = device_of(hass, entry, bob)
    assert device is not None
    assert device.name == "Bobby"
    await remove(hass, entry, find(entry, "Bobby"))
    shown = [each.data["new_state"] for each in changes]
    assert STATE_UNAVAILABLE not in {each.state for each in shown if each}
    assert entry.runtime_data.gateway is gateway
    # The forms of a number reload it themselves, which Home Assistant refuses beside.
    assert not entry.update_listeners
    assert device_of(hass, entry, bob) is None
    assert hass.states.get("notify.bob") is None
    assert entities_of(hass, entry, bob) == set()
    heard = listen(hass)
    await write(hass, simulator, entry, SENDER)
    assert heard.texts == ["Hello"]


async def test_they_come_back_with_the_number(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """What is added while a number is at rest is there when it is back."""
    bob = await add_contact(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await add_contact(hass, entry, "Ann", OTHER_NUMBER)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert read(hass, entity_of(hass, entry, bob)) == "unknown"
    assert read(hass, "notify.ann") == "unknown"
    await add_contact(hass, entry, "Cid", SENDER)
    assert read(hass, "notify.cid") == "unknown"


async def test_recognised_on_every_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Who writes is known by name, whichever number they write to."""
    people = er.async_get(hass)
    person = people.async_get_or_create("person", "person", "1", object_id_base="bob")
    bob = await add_contact(
        hass, twilio_entry, numbers=[RECIPIENT, SENDER], person="person.bob"
    )
    people.async_update_entity(person.entity_id, new_entity_id="person.robert")
    heard = listen(hass)
    for each in (twilio_entry, ovh_entry):
        await write(hass, simulator, each, SENDER)
    for each in heard.received:
        assert each["contact"] == "Bob"
        assert each["contact_id"] == bob.subentry_id
        assert each["person"] == "person.robert"
        assert each["answer_to"] is None
        assert each["trust"] == "known"
    assert [each["entry_id"] for each in heard.received] == [
        twilio_entry.entry_id,
        ovh_entry.entry_id,
    ]
    shown = hass.states.get("event.bob_message")
    assert shown is not None
    assert shown.attributes["sender"] == SENDER
    assert shown.attributes["contact"] == "Bob"
    number = hass.states.get(entity_id(hass, ovh_entry, "message"))
    assert number is not None
    assert number.attributes["contact_id"] == bob.subentry_id

    people.async_remove("person.robert")
    await write(hass, simulator, twilio_entry, SENDER)
    assert heard.received[-1]["person"] is None
    assert heard.received[-1]["contact"] == "Bob"


async def test_recognised_while_their_line_is_disabled(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A contact is a contact, whether their own number is at work or not."""
    await add_contact(hass, twilio_entry, numbers=SENDER)
    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    heard = listen(hass)
    await write(hass, simulator, ovh_entry, SENDER)
    assert heard.received[0]["contact"] == "Bob"


async def test_strangers(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who has no number is nobody, whatever they call themselves."""
    await add_contact(hass, twilio_entry)
    heard = listen(hass)
    for sender in (SENDER, "Bob"):
        await write(hass, simulator, twilio_entry, sender)
    assert len(heard.received) == 2
    for each in heard.received:
        assert each["contact"] is each["contact_id"] is each["person"] is None
        assert each["trust"] == "unknown"
    assert read(hass, "event.bob_message") == "unknown"


async def test_privacy(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A glimpse shows who it was; less than that does not."""
    await add_contact(hass, twilio_entry, numbers=SENDER)
    heard = listen(hass)
    for privacy in ("masked", "metadata"):
        hass.config_entries.async_update_entry(
            twilio_entry, options={"privacy": privacy}
        )
        await write(hass, simulator, twilio_entry, SENDER)
        await send(hass, twilio_entry, to=SENDER)
        await settle(hass, simulator)
    masked, metadata = heard.received
    assert masked["contact"] == "Bob"
    assert masked["contact_id"]
    assert metadata["contact"] is metadata["contact_id"] is metadata["person"] is None
    assert masked["trust"] == metadata["trust"] == "known"
    assert {each["contact"] for each in heard.statuses} == {"Bob", None}
    shown = hass.states.get("event.bob_message")
    assert shown is not None
    assert shown.attributes["contact"] is shown.attributes["sender"] is None


async def test_deliveries(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Their sensors follow messages to them, by whichever line."""
    bob = await add_contact(hass, twilio_entry, numbers=FAILS_AT_OVH)
    heard = listen(hass)
    await send(hass, ovh_entry, to=FAILS_AT_OVH)
    await settle(hass, simulator)
    assert {each["contact_id"] for each in heard.statuses} == {bob.subentry_id}
    assert read(hass, "sensor.bob_last_status") == "undelivered"
    assert read(hass, "sensor.bob_status") == "unreachable"
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await hass.async_block_till_done()
    assert read(hass, "sensor.bob_status") == "unreachable"
    await send(hass, twilio_entry, to=FAILS_AT_OVH)
    await settle(hass, simulator)
    assert read(hass, "sensor.bob_last_status") == "delivered"
    assert read(hass, "sensor.bob_status") == "reachable"


@pytest.mark.parametrize("provider", ["twilio", "ovh"])
async def test_who_cannot_be_texted_is_not_reachable(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A landline, or no number at all: it fails at once, and is no fault of the line."""
    refused = {"twilio": "+15005550009", "ovh": "+33600000001"}[provider]
    await add_contact(hass, entry, numbers=refused)
    with pytest.raises(HomeAssistantError):
        await send(hass, entry, to=refused)
    await settle(hass, simulator)
    assert read(hass, "sensor.bob_last_status") == "failed"
    assert read(hass, "sensor.bob_status") == "unreachable"


async def test_a_failure_of_the_line_is_none_of_the_contact(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Without credit nothing leaves; that says nothing of who would have got it."""
    await add_contact(hass, ovh_entry)
    simulator.ovh.service.credits = 0
    with pytest.raises(HomeAssistantError):
        await send(hass, ovh_entry, retry_for=0)
    await settle(hass, simulator)
    assert read(hass, "sensor.bob_last_status") == "failed"
    assert read(hass, "sensor.bob_status") == "reachable"


async def test_removed_while_a_message_waits(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It still goes out, and its events still say whom it was for."""
    bob = await add_contact(hass, twilio_entry)
    heard = listen(hass)
    simulator.faults.add("rate_limited", method="POST", path=SENDING, times=1)
    await send(hass, twilio_entry)
    await remove(hass, twilio_entry, bob)
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    for _ in range(6):
        await pass_time(hass, simulator, freezer, 30)
    assert len(simulator.twilio.messages) == 1
    assert heard.statuses[-1]["status"] == "delivered"
    for each in heard.statuses:
        assert each["contact"] == "Bob"
        assert each["contact_id"] == bob.subentry_id


async def test_renamed_while_a_message_waits(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The events of a message call them as they were called when it was written."""
    bob = await add_contact(hass, twilio_entry)
    heard = listen(hass)
    simulator.faults.add("rate_limited", method="POST", path=SENDING, times=1)
    await send(hass, twilio_entry)
    await change(hass, twilio_entry, bob, name="Robert", numbers=[OTHER_NUMBER])
    await settle(hass, simulator)
    await send(hass, twilio_entry, to=OTHER_NUMBER)
    await settle(hass, simulator)
    named = {each["recipient"]: each["contact"] for each in heard.statuses}
    assert named == {RECIPIENT: "Bob", OTHER_NUMBER: "Robert"}
    assert {each["contact_id"] for each in heard.statuses} == {bob.subentry_id}


def issues(hass: HomeAssistant) -> set[str]:
    """List the repairs that are shown."""
    return {key for _, key in ir.async_get(hass).issues}


async def test_groups_lose_who_is_gone(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A contact leaves all groups when it goes; a group without anybody is a repair."""
    bob = await add_contact(hass, twilio_entry)
    ann = await add_contact(hass, ovh_entry, "Ann", OTHER_NUMBER)
    family = await add_group(hass, ovh_entry, "Family", bob, ann)
    issue = f"group_empty_{family.subentry_id}"
    await remove(hass, twilio_entry, bob)
    assert family.data["members"] == [ann.subentry_id]
    assert issue not in issues(hass)
    await remove(hass, ovh_entry, ann)
    assert family.data["members"] == []
    assert issue in issues(hass)
    await add_contact(hass, ovh_entry, "Ann", OTHER_NUMBER)
    members = [find(ovh_entry, "Ann").subentry_id]
    await change(hass, ovh_entry, family, name="Family", members=members)
    assert issue not in issues(hass)
    await remove(hass, ovh_entry, find(ovh_entry, "Ann"))
    assert issue in issues(hass)
    await remove(hass, ovh_entry, family)
    assert issue not in issues(hass)


async def test_a_number_takes_its_contacts_along(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """When a number is removed, its contacts are gone, from the groups of others too."""
    bob = await add_contact(hass, twilio_entry)
    family = await add_group(hass, ovh_entry, "Family", bob)
    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    await hass.async_block_till_done()
    assert family.data["members"] == []
    assert f"group_empty_{family.subentry_id}" in issues(hass)
    assert not async_directory(hass).contacts


async def test_found_by_entity_id_or_name(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A template has a name or an id, the editor an entity."""
    bob = await add_contact(hass, twilio_entry)
    for value in ("notify.bob", "sensor.bob_status", bob.subentry_id, " BOB "):
        found = async_find(hass, value)
        assert found is not None
        assert found.own_id == bob.subentry_id
    for value in ("notify.nobody", "sensor.twilio_line_sent", "Nobody"):
        assert async_find(hass, value) is None
    await add_contact(hass, ovh_entry, "Bob", OTHER_NUMBER)
    assert async_find(hass, "Bob") is None


async def test_names_of_emoji(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A name needs no letters."""
    heart = await add_contact(hass, twilio_entry, "\N{HEAVY BLACK HEART}")
    bear = await add_contact(hass, twilio_entry, "\N{BEAR FACE}", OTHER_NUMBER)
    ids = {entity_of(hass, twilio_entry, each) for each in (heart, bear)}
    assert len(ids) == 2
    await hass.services.async_call(
        "notify", "send_message", {"message": "Hi", "entity_id": list(ids)}
    )
    await settle(hass, simulator)
    assert {each.to for each in simulator.twilio.messages} == {RECIPIENT, OTHER_NUMBER}


async def test_many(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Two hundred contacts are added in moments, and found in none."""
    begin = perf_counter()
    for number in range(200):
        data: dict[str, Any] = {"numbers": [f"+336000{number:05}"]}
        hass.config_entries.async_add_subentry(
            twilio_entry,
            ConfigSubentry(
                data=MappingProxyType(data),
                subentry_type="contact",
                title=f"Neighbour {number}",
                unique_id=None,
            ),
        )
    await hass.async_block_till_done()
    assert perf_counter() - begin < 30
    assert len(hass.states.async_entity_ids("notify")) == 200
    directory = async_directory(hass)
    begin = perf_counter()
    for number in range(1000):
        assert directory.find_sender(f"+336000{number % 200:05}") is not None
    assert perf_counter() - begin < 0.1
