"""Calls and people: who is called by name, in which language, and who calls."""

from typing import TYPE_CHECKING

from homeassistant.exceptions import ServiceValidationError
import pytest

from ..contacts import add_contact, add_group, device_of, entity_of, read
from ..home import RECIPIENT, SENDER, settle
from ..test_incoming_calls import ring, take_calls
from ..test_trigger import automate
from .test_calls import BUSY, call, listen, made

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def test_a_contact_is_called_in_their_language(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """By the line they belong to, and named in the response, the event and the entity."""
    bob = await add_contact(hass, twilio_entry, language="fr")
    heard = listen(hass)
    response = await hass.services.async_call(
        "virtual_sms",
        "call",
        {
            "contacts": entity_of(hass, twilio_entry, bob),
            "message": "De l'eau !",
            "acknowledge": "3",
            "repeat": 1,
        },
        blocking=True,
        return_response=True,
    )
    await settle(hass, simulator)
    await simulator.twilio.phones.use(made(simulator).id, "answer")
    await settle(hass, simulator)
    [answer] = response["calls"]  # type: ignore[index, misc]
    assert answer["contact"] == "Bob"
    assert answer["line"] == twilio_entry.entry_id
    assert made(simulator).languages == ["fr-FR"]
    assert made(simulator).heard == ["De l'eau ! Appuyez sur 3 pour confirmer."]
    assert {each.data["contact"] for each in heard} == {"Bob"}
    assert {each.data["contact_id"] for each in heard} == {bob.subentry_id}
    assert {each.data["trust"] for each in heard} == {"known"}
    shown = hass.states.get(entity_of(hass, twilio_entry, bob, "call"))
    assert shown is not None
    assert shown.attributes["event_type"] == "answered"


async def test_a_group_is_called_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """Who belongs to a line without calls is named, and keeps nobody from theirs."""
    bob = await add_contact(hass, twilio_entry, "Bob", BUSY)
    eve = await add_contact(hass, ovh_entry, "Eve", "+33687654321")
    family = await add_group(hass, twilio_entry, "Family", bob, eve)
    response = await hass.services.async_call(
        "virtual_sms",
        "call",
        {"contacts": entity_of(hass, twilio_entry, family), "message": "Water!"},
        blocking=True,
        return_response=True,
    )
    await settle(hass, simulator)
    answers = {each["contact"]: each for each in response["calls"]}  # type: ignore[index, union-attr, call-overload]
    assert answers["Bob"]["state"] == "queued"
    assert "no calls" in answers["Eve"]["error"]
    assert len(simulator.twilio.phones.calls) == 1
    with pytest.raises(ServiceValidationError, match="no calls"):
        await hass.services.async_call(
            "virtual_sms",
            "call",
            {"contacts": entity_of(hass, ovh_entry, eve), "message": "Water!"},
            blocking=True,
        )


async def test_a_contact_who_calls_is_recognised(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Their call is named, and starts an automation that waits for it."""
    bob = await add_contact(hass, twilio_entry, numbers=SENDER)
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    device = device_of(hass, twilio_entry, bob)
    assert device is not None
    automation = await automate(
        hass,
        "call_changed",
        {"device_id": [device.id]},
        direction="inbound",
        state="ringing",
    )
    everything = await automate(hass, "call_changed")
    [ringing, rejected] = await ring(hass, simulator)
    assert ringing.data["contact"] == rejected.data["contact"] == "Bob"
    assert [each["state"] for each in automation.runs] == ["ringing"]
    assert automation.runs[0]["correspondent"] == SENDER
    await call(hass, twilio_entry, to=RECIPIENT)
    await settle(hass, simulator)
    assert len(automation.runs) == 1
    assert [each["state"] for each in everything.runs] == [
        *("ringing", "rejected", "ringing")
    ]
    assert read(hass, entity_of(hass, twilio_entry, bob, "call")) != "unknown"
