"""Automations start when a message comes in or a message of ours moves, or say why not."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_PLATFORM
from homeassistant.core import Context, callback
from homeassistant.helpers import device_registry as dr, label_registry as lr
from homeassistant.helpers.trigger import (
    NotTriggeredInfo,
    async_get_all_descriptions,
    async_initialize_triggers,
    async_validate_trigger_config,
)
import pytest

from custom_components.virtual_sms.const import DOMAIN, OPTION_PRIVACY
from custom_components.virtual_sms.replies.home_trigger import HomeTrigger
from custom_components.virtual_sms.trigger import TRIGGERS, TRUST

from .contacts import add_contact, add_group, device_of
from .home import RECIPIENT, SENDER, send, settle
from .people.test_trust import add_bob, lock

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

ANYBODY = {"trust": list(TRUST)}


class Automation:
    """What an automation with one trigger was started with, or why it was not."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.near_misses: list[NotTriggeredInfo] = []

    @property
    def texts(self) -> list[str]:
        """List the texts it was started with."""
        return [each["text"] for each in self.runs]

    async def act(self, variables: dict[str, Any], _: Context | None = None) -> None:
        """Run."""
        self.runs.append(variables["trigger"])

    @callback
    def report(
        self, _: dict[str, Any], info: NotTriggeredInfo, __: Context | None = None
    ) -> None:
        """Learn why it does not."""
        self.near_misses.append(info)


async def automate(
    hass: HomeAssistant,
    key: str = "message_received",
    target: dict[str, Any] | None = None,
    **options: Any,
) -> Automation:
    """Have an automation wait for a trigger, as the editor stores it."""
    config: dict[str, Any] = {CONF_PLATFORM: f"{DOMAIN}.{key}", "options": options}
    if target is not None:
        config["target"] = target
    automation = Automation()
    validated = await async_validate_trigger_config(hass, [config])
    detach = await async_initialize_triggers(
        hass,
        validated,
        automation.act,
        "automation",
        "test",
        lambda *_: None,
        did_not_trigger=automation.report,
    )
    assert detach is not None
    hass.bus.async_listen_once("test_detach", lambda _: detach())
    return automation


def number_of(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
    """Target the device of a number."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, entry.entry_id), entry.entry_id
    )
    assert device is not None
    return {"device_id": [device.id]}


async def test_a_message_starts_an_automation(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Each message of a burst does, with all that its event carries."""
    automation = await automate(hass, **ANYBODY)
    for number in range(3):
        simulator.twilio.receive(SENDER, f"message {number}")
    await settle(hass, simulator)
    assert sorted(automation.texts) == [f"message {number}" for number in range(3)]
    trigger = automation.runs[0]
    assert trigger["platform"] == f"{DOMAIN}.message_received"
    assert trigger["sender"] == SENDER
    assert trigger["entry_id"] == twilio_entry.entry_id
    assert trigger["match"] == {}
    assert automation.near_misses == []


async def test_privacy_hides_nothing_from_a_trigger(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is masked on the bus is whole here."""
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_PRIVACY: "metadata"}
    )
    automation = await automate(hass, match="equals", text="hello", **ANYBODY)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    (trigger,) = automation.runs
    assert (trigger["text"], trigger["sender"]) == ("Hello", SENDER)


@pytest.mark.parametrize(
    ("privacy", "said"),
    [
        ("full", ["SMS from Bob", "SMS to Bob delivered", "call from Bob rejected"]),
        ("masked", ["SMS from Bob", "SMS to Bob delivered", "call from Bob rejected"]),
        ("metadata", ["SMS", "SMS delivered", "call rejected"]),
    ],
)
async def test_the_logbook_names_who_may_be_named(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    privacy: str,
    said: list[str],
) -> None:
    """It keeps why an automation was started, whatever the automation may know."""
    options = {OPTION_PRIVACY: privacy, "incoming_calls": "reject"}
    hass.config_entries.async_update_entry(twilio_entry, options=options)
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await add_contact(hass, twilio_entry)
    automations = [
        await automate(hass, **ANYBODY),
        await automate(hass, "delivery_changed", status="delivered"),
        await automate(hass, "call_changed", state="rejected"),
    ]
    simulator.twilio.receive(RECIPIENT, "Hello")
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    simulator.twilio.phones.ring(RECIPIENT)
    await settle(hass, simulator)
    runs = [run for each in automations for run in each.runs]
    assert [each["description"] for each in runs] == said
    assert {each["contact"] for each in runs} == {"Bob"}


async def test_a_reload_starts_nothing(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Only a message does."""
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    automation = await automate(hass, late="any", **ANYBODY)
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert automation.runs == []


async def test_by_default_only_a_trusted_contact_starts_it(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A stranger does not, and the trace says why, without the text."""
    automation = await automate(hass)
    simulator.twilio.receive(SENDER, "Open the garage")
    await settle(hass, simulator)
    assert automation.runs == []
    (info,) = automation.near_misses
    assert info.reason == "trust_unknown"
    assert "garage" not in str(info.as_dict())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Open the garage", "trust_unproven"),
        ("open the garage 1234", "wrong_code"),
        ("1234 Open the garage!", None),
        ("1234, open the garage", "wrong_code"),
        ("1234 open the garage 1234", "wrong_code"),
        ("open the window 1234", None),
        ("open the garage 123", None),
    ],
)
async def test_a_wrong_code_is_named(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    text: str,
    reason: str | None,
) -> None:
    """It stands in the text, which is the right one without it."""
    await add_bob(hass, twilio_entry)
    waiting = await automate(hass, match="equals", text="open the garage")
    believing = await automate(hass, match="equals", text=text, trust="unproven")
    simulator.twilio.receive(RECIPIENT, text)
    await settle(hass, simulator)
    assert waiting.runs == []
    assert [each.reason for each in waiting.near_misses] == [reason] * bool(reason)
    assert believing.texts == [text]


async def test_a_locked_contact_is_named(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whatever code they try then."""
    await add_bob(hass, twilio_entry)
    await lock(hass, simulator, "twilio")
    automation = await automate(hass, match="equals", text="open")
    for code in ("4711", "1234"):
        simulator.twilio.receive(RECIPIENT, f"open {code}")
        await settle(hass, simulator)
    assert [each.reason for each in automation.near_misses] == ["trust_locked"] * 2


@pytest.mark.parametrize(
    ("late", "runs", "reason"),
    [("exclude", [], "late"), ("any", ["Late"], None), ("only", ["Late"], None)],
)
async def test_late_messages(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    late: str,
    runs: list[str],
    reason: str | None,
) -> None:
    """What was found afterwards opens nothing unless that is wanted."""
    automation = await automate(hass, late=late, **ANYBODY)
    simulator.twilio.receive(SENDER, "Late", callback=False)
    await twilio_entry.runtime_data.coordinator.async_refresh()
    await settle(hass, simulator)
    assert automation.texts == runs
    assert [each.reason for each in automation.near_misses] == [reason] * (not runs)


async def test_a_message_in_time_is_not_late(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who waits for late ones only is not started by it."""
    automation = await automate(hass, late="only", **ANYBODY)
    simulator.twilio.receive(SENDER, "Now")
    await settle(hass, simulator)
    assert automation.runs == []
    assert [each.reason for each in automation.near_misses] == ["not_late"]


async def test_other_texts_leave_no_trace(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Else each message would write one into each automation."""
    automation = await automate(hass, match="contains", text="garage")
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert automation.runs == automation.near_misses == []


async def test_a_group_is_whoever_is_in_it(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Its device stands for its members, also in what is sent to them."""
    bob = await add_contact(hass, twilio_entry)
    await add_contact(hass, twilio_entry, "Eve", SENDER)
    group = await add_group(hass, twilio_entry, "Family", bob)
    device = device_of(hass, twilio_entry, group)
    assert device is not None
    target = {"device_id": [device.id]}
    heard = await automate(hass, target=target, **ANYBODY)
    moved = await automate(hass, "delivery_changed", target, status=["delivered"])
    for sender in (RECIPIENT, SENDER):
        simulator.twilio.receive(sender, f"I am {sender}")
        await settle(hass, simulator)
    await send(hass, twilio_entry, to=[RECIPIENT, SENDER])
    await settle(hass, simulator)
    assert heard.texts == [f"I am {RECIPIENT}"]
    assert [each["contact_id"] for each in moved.runs] == [bob.subentry_id]


async def test_a_pattern_hands_its_groups_over(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """As `trigger.match`."""
    automation = await automate(
        hass, match="regex", text=r"open (?P<what>\w+)", **ANYBODY
    )
    simulator.twilio.receive(SENDER, "Open garage")
    await settle(hass, simulator)
    (trigger,) = automation.runs
    assert trigger["match"]["what"] == "garage"


async def test_a_pattern_that_cannot_be_read_is_refused(hass: HomeAssistant) -> None:
    """When the automation is saved."""
    with pytest.raises(Exception, match="cannot be read"):
        await automate(hass, match="regex", text="(")
    with pytest.raises(Exception, match="quotes"):
        await automate(hass, match="equals", text=True)


async def test_a_target_chooses_numbers_and_contacts(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """A contact is meant on whichever number they write to."""
    bob = await add_contact(hass, ovh_entry, numbers=SENDER)
    device = device_of(hass, ovh_entry, bob)
    assert device is not None
    of_number = await automate(hass, target=number_of(hass, ovh_entry), **ANYBODY)
    of_bob = await automate(hass, target={"device_id": [device.id]}, **ANYBODY)
    simulator.twilio.receive(SENDER, "from Bob to Twilio")
    simulator.twilio.receive("+33611111111", "from a stranger to Twilio")
    simulator.ovh.receive("+33611111111", "from a stranger to OVH")
    await settle(hass, simulator)
    assert of_number.texts == ["from a stranger to OVH"]
    assert of_bob.texts == ["from Bob to Twilio"]


async def test_a_contact_of_a_disabled_number_is_a_target(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """By their device: its entities are disabled, and they still write to the other."""
    bob = await add_contact(hass, ovh_entry)
    device = device_of(hass, ovh_entry, bob)
    assert device is not None
    automation = await automate(hass, target={"device_id": device.id}, **ANYBODY)
    await hass.config_entries.async_set_disabled_by(
        ovh_entry.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    for sender in (RECIPIENT, SENDER):
        simulator.twilio.receive(sender, f"From {sender}")
    await settle(hass, simulator)
    assert automation.texts == [f"From {RECIPIENT}"]


async def test_a_target_may_be_a_label(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Which may be put somewhere else afterwards."""
    label = lr.async_get(hass).async_create("Family").label_id
    automation = await automate(hass, target={"label_id": [label]}, **ANYBODY)
    simulator.twilio.receive(SENDER, "before")
    await settle(hass, simulator)
    devices = dr.async_get(hass)
    (device_id,) = number_of(hass, twilio_entry)["device_id"]
    devices.async_update_device(device_id, labels={label})
    simulator.twilio.receive(SENDER, "after")
    simulator.ovh.receive(SENDER, "elsewhere")
    await settle(hass, simulator)
    assert automation.texts == ["after"]


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ({}, ["undelivered"]),
        ({"status": ["sent", "delivered"]}, ["sent"]),
        ({"status": "delivered"}, []),
    ],
)
async def test_a_delivery_starts_an_automation(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    options: dict[str, Any],
    statuses: list[str],
) -> None:
    """By default one that went wrong."""
    automation = await automate(hass, "delivery_changed", **options)
    await send(hass, twilio_entry, to="+15005551003")
    await settle(hass, simulator)
    assert [each["status"] for each in automation.runs] == statuses


async def test_a_delivery_to_a_contact_by_any_number(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Not to anybody else."""
    bob = await add_contact(hass, ovh_entry, numbers=RECIPIENT)
    device = device_of(hass, ovh_entry, bob)
    assert device is not None
    automation = await automate(
        hass, "delivery_changed", {"device_id": [device.id]}, status=["delivered"]
    )
    await send(hass, twilio_entry)
    await send(hass, twilio_entry, to="+33699999999")
    await settle(hass, simulator)
    assert [each["recipient"] for each in automation.runs] == [RECIPIENT]


async def test_the_editor_knows_them(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """With a target of ours and all of their fields."""
    descriptions = await async_get_all_descriptions(hass)
    for key in TRIGGERS:
        description = descriptions[f"{DOMAIN}.{key}"]
        assert description is not None
        # A question and an alert belong to no number.
        assert bool(description.get("target")) is not issubclass(
            TRIGGERS[key], HomeTrigger
        )
        assert description["fields"]
