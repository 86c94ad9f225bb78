"""Texts to people by name: who is reached, by which line, and who hears of failures."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.virtual_sms.const import DOMAIN

from ..contacts import OTHER_NUMBER, add_contact, add_group, read, remove
from ..home import RECIPIENT, SENDER, listen, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigSubentry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("bob", "ann", "family")
LANDLINE = "+33600000001"
TOO_LONG_FOR_OVH = "x" * 919


@pytest.fixture
async def bob(hass: HomeAssistant, twilio_entry: ConfigEntry) -> ConfigSubentry:
    """Have Bob texted by Twilio's number, and known by two of his."""
    return await add_contact(hass, twilio_entry, numbers=[RECIPIENT, SENDER])


@pytest.fixture
async def ann(hass: HomeAssistant, ovh_entry: ConfigEntry) -> ConfigSubentry:
    """Have Ann texted by OVHcloud's."""
    return await add_contact(hass, ovh_entry, "Ann", OTHER_NUMBER)


@pytest.fixture
async def family(
    hass: HomeAssistant,
    ovh_entry: ConfigEntry,
    bob: ConfigSubentry,
    ann: ConfigSubentry,
) -> ConfigSubentry:
    """Have both in a group."""
    return await add_group(hass, ovh_entry, "Family", bob, ann)


async def send(hass: HomeAssistant, **data: Any) -> list[dict[str, Any]]:
    """Call our action and return what it answers."""
    response = await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"message": "Hello"} | data,
        blocking=True,
        return_response=True,
    )
    assert response is not None
    messages: Any = response["messages"]
    return list(messages)


async def notify(hass: HomeAssistant, *entities: str, **data: Any) -> None:
    """Text the notify entities."""
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": list(entities), "message": "Hello"} | data,
        blocking=True,
    )


def texts(simulator: Simulator) -> list[tuple[str, str, str]]:
    """List what was sent: by whom, to whom, and what."""
    return sorted(
        (name, message.to, message.text)
        for name, provider in simulator.providers.items()
        for message in provider.messages
    )


async def test_contact(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A contact needs no From, and gets the first of their numbers' texts."""
    heard = listen(hass)
    [answer] = await send(hass, contacts="notify.bob")
    await settle(hass, simulator)
    assert texts(simulator) == [("twilio", RECIPIENT, "Hello")]
    assert answer["to"] == RECIPIENT
    assert answer["contact"] == "Bob"
    assert answer["line"] == twilio_entry.entry_id
    assert {each["contact"] for each in heard.statuses} == {"Bob"}
    assert {each["message_id"] for each in heard.statuses} == {answer["message_id"]}


@pytest.mark.parametrize(
    "contacts",
    [
        "notify.bob, notify.ann",
        "NOTIFY.Bob,notify.ANN",
        ["notify.bob, notify.ann", "notify.bob"],
        [["notify.bob"], ("notify.ann",)],
        ["Bob", "Ann"],
    ],
)
async def test_contacts_as_templates_and_people_write_them(
    hass: HomeAssistant, simulator: Simulator, contacts: Any
) -> None:
    """Entities in one text, capitals, lists in a list: as elsewhere in Home Assistant."""
    answer = await send(hass, contacts=contacts)
    assert [each["contact"] for each in answer] == ["Bob", "Ann"]


@pytest.mark.parametrize("wrong", [None, 5, {}, "notify.bob, nobody", ""])
async def test_what_names_nobody_keeps_no_other_from_their_message(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, wrong: Any
) -> None:
    """A template that went wrong costs nobody else the text, by name or by number."""
    bad, good = await send(hass, contacts=[wrong, "notify.bob"])
    assert (bad["reason"], good["contact"]) == ("other", "Bob")
    line = twilio_entry.entry_id
    bad, good = await send(hass, to=[wrong, [RECIPIENT]], config_entry_id=line)
    assert (bad["reason"], good["contact"]) == ("invalid_number", "Bob")


async def test_everybody_once(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Everybody gets one text by their own line, however often they are named."""
    answer = await send(
        hass,
        config_entry_id=ovh_entry.entry_id,
        to=[SENDER, RECIPIENT, OTHER_NUMBER, LANDLINE.replace("0001", "0009")],
        contacts=["notify.family", "notify.bob", "notify.family", "notify.ann"],
    )
    await settle(hass, simulator)
    stranger = "+33600000009"
    assert [(each["to"], each["contact"], each["line"]) for each in answer] == [
        (stranger, None, ovh_entry.entry_id),
        (RECIPIENT, "Bob", twilio_entry.entry_id),
        (OTHER_NUMBER, "Ann", ovh_entry.entry_id),
    ]
    assert texts(simulator) == [
        ("ovh", stranger, "Hello"),
        ("ovh", OTHER_NUMBER, "Hello"),
        ("twilio", RECIPIENT, "Hello"),
    ]


async def test_number_of_a_contact(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A number that is given is texted itself, and the answer says whose it is."""
    [answer] = await send(hass, config_entry_id=ovh_entry.entry_id, to=SENDER)
    await settle(hass, simulator)
    assert texts(simulator) == [("ovh", SENDER, "Hello")]
    assert answer["contact"] == "Bob"
    assert answer["line"] == ovh_entry.entry_id


async def test_group_by_its_entity(hass: HomeAssistant, simulator: Simulator) -> None:
    """A text to a group goes to each member, under its title."""
    await notify(hass, "notify.family", title="Home")
    await settle(hass, simulator)
    assert texts(simulator) == [
        ("ovh", OTHER_NUMBER, "Home\nHello"),
        ("twilio", RECIPIENT, "Home\nHello"),
    ]
    assert read(hass, "notify.family") != "unknown"


async def test_failures_are_named(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """One of a group who gets nothing is named, and the others get theirs."""
    cid = await add_contact(hass, ovh_entry, "Cid", LANDLINE)
    everyone = [*ovh_entry.subentries.values()]
    ann = next(each for each in everyone if each.title == "Ann")
    await add_group(hass, ovh_entry, "Friends", ann, cid)
    with pytest.raises(HomeAssistantError) as caught:
        await notify(hass, "notify.friends")
    assert caught.value.translation_key == "not_sent"
    assert "Cid - " in str(caught.value)
    assert "Ann" not in str(caught.value)
    answer = await send(hass, contacts=["notify.friends"])
    assert [(each["contact"], "error" in each) for each in answer] == [
        ("Ann", False),
        ("Cid", True),
    ]
    await settle(hass, simulator)
    assert [to for _, to, _ in texts(simulator)] == [OTHER_NUMBER] * 2


async def test_empty_group(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    bob: ConfigSubentry,
    ann: ConfigSubentry,
) -> None:
    """A group of nobody is an error, and keeps nobody else from their text."""
    await remove(hass, ovh_entry, ann)
    await remove(hass, twilio_entry, bob)
    await add_contact(hass, twilio_entry)
    with pytest.raises(ServiceValidationError, match="Family has no members"):
        await notify(hass, "notify.family")
    with pytest.raises(ServiceValidationError, match="Family has no members"):
        await send(hass, contacts="notify.family")
    [failed, sent] = await send(hass, contacts=["notify.family", "notify.bob"])
    assert failed["to"] == "Family"
    assert failed["line"] == ovh_entry.entry_id
    assert sent["contact"] == "Bob"
    await settle(hass, simulator)


async def test_nobody_known(hass: HomeAssistant, simulator: Simulator) -> None:
    """What is no contact is a failed recipient like any other."""
    with pytest.raises(ServiceValidationError, match=r"notify\.mum is no contact"):
        await send(hass, contacts=["notify.mum"])
    [failed, sent] = await send(hass, contacts=["notify.mum", "notify.bob"])
    assert failed["to"] == "notify.mum"
    assert failed["line"] is failed["contact"] is None
    assert sent["contact"] == "Bob"
    await settle(hass, simulator)


async def test_a_line_at_rest(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Whose line is disabled gets nothing, the others do."""
    await hass.config_entries.async_set_disabled_by(
        ovh_entry.entry_id, ConfigEntryDisabler.USER
    )
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, contacts=["Ann"])
    assert caught.value.translation_key == "entry_not_loaded"
    answer = await send(hass, contacts=["Ann", "Bob"])
    assert [(each["contact"], "error" in each) for each in answer] == [
        ("Ann", True),
        ("Bob", False),
    ]
    assert "not active" in answer[0]["error"]
    with pytest.raises(HomeAssistantError, match="Ann - This number is not active"):
        await hass.services.async_call(
            DOMAIN,
            "send_message",
            {"message": "Hello", "contacts": ["Ann", "Bob"]},
            blocking=True,
        )
    given = {"config_entry_id": ovh_entry.entry_id, "to": OTHER_NUMBER}
    answer = await send(hass, contacts="Bob", **given)
    assert ["error" in each for each in answer] == [True, False]
    with pytest.raises(ServiceValidationError):
        await send(hass, **given)
    await settle(hass, simulator)
    assert texts(simulator) == [("twilio", RECIPIENT, "Hello")] * 3


async def test_what_one_line_cannot_say(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A text that is too long for one provider goes out by the other."""
    answer = await send(hass, contacts=["notify.family"], message=TOO_LONG_FOR_OVH)
    await settle(hass, simulator)
    assert [(each["contact"], "error" in each) for each in answer] == [
        ("Bob", False),
        ("Ann", True),
    ]
    assert [to for _, to, _ in texts(simulator)] == [RECIPIENT]


async def test_which_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A From is an id, a title or a number; without any there must be one line only."""
    number = simulator.ovh.number
    for value in (ovh_entry.entry_id, " ovh LINE", number, number[1:]):
        [answer] = await send(hass, config_entry_id=value, to="+33600000009")
        assert answer["line"] == ovh_entry.entry_id
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to="+33600000009")
    assert caught.value.translation_key == "line_needed"
    await hass.config_entries.async_set_disabled_by(
        twilio_entry.entry_id, ConfigEntryDisabler.USER
    )
    [answer] = await send(hass, to="+33600000009")
    assert answer["line"] == ovh_entry.entry_id
    await settle(hass, simulator)
    assert {line for line, _, _ in texts(simulator)} == {"ovh"}


async def test_one_who_is_named_by_the_error(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Who cannot be texted is named once, be it by the sentence or before it."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, contacts=["Mum"], to="Bob", config_entry_id="OVH line")
    assert str(caught.value).count("Mum") == str(caught.value).count("Bob") == 1


async def test_what_a_trigger_knows(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """The entry and the sender of an event do as they are, in a template too."""
    heard = listen(hass)
    simulator.ovh.receive(SENDER, "Hello")
    await settle(hass, simulator)
    (event,) = heard.received
    # A template makes a number of what looks like one.
    for to in (event["sender"], int(event["sender"])):
        data = {"config_entry_id": event["entry_id"], "to": to}
        [answer] = await send(hass, **data)
        assert (answer["to"], answer["contact"]) == (SENDER, "Bob")
        assert answer["line"] == ovh_entry.entry_id
    await settle(hass, simulator)


async def test_nobody_at_all(hass: HomeAssistant) -> None:
    """Neither numbers nor contacts is nobody."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass)
    assert caught.value.translation_key == "no_recipient"
