"""The event entities of a number."""

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.components.recorder import history
from homeassistant.const import STATE_UNKNOWN
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.virtual_sms.bus import COMMON_FIELDS
from custom_components.virtual_sms.core.privacy import Privacy

from .home import (
    RECIPIENT,
    SENDER,
    entity_id,
    listen,
    picture,
    refresh,
    send,
    settle,
    state,
)
from .recorder import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from sqlalchemy.orm import Session
    from syrupy.assertion import SnapshotAssertion

    from simulator import Simulator


async def test_entities(
    hass: HomeAssistant, entry: ConfigEntry, snapshot: SnapshotAssertion
) -> None:
    """A number has these two."""
    assert picture(hass, entry, "event") == snapshot


async def test_message(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A message is an event with all that the bus event says of it."""
    assert state(hass, entry, "message").state == STATE_UNKNOWN
    heard = listen(hass)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    shown = state(hass, entry, "message")
    [received] = heard.received
    expected = received | {"event_type": "received"}
    assert expected == {key: shown.attributes[key] for key in expected}
    assert state(hass, entry, "delivery").state == STATE_UNKNOWN


async def test_a_change_is_redacted_only_for_those_who_show_it(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For the bus, the event and two sensors: a flood costs the loop that each time."""
    redacted: list[object] = []
    redact = Privacy.redact

    def count(privacy: Privacy, data: Mapping[str, Any]) -> dict[str, Any]:
        redacted.extend({data["message_id"]} if "trust" in data else ())
        return redact(privacy, data)

    monkeypatch.setattr(Privacy, "redact", count)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert len(redacted) == 4
    assert len({*redacted}) == 1


@pytest.mark.parametrize(
    ("mode", "to", "status", "reason"),
    [
        ("automatic", RECIPIENT, "delivered", None),
        ("polling", RECIPIENT, "delivered", None),
        ("automatic", "+15005551003", "undelivered", "unreachable"),
    ],
)
async def test_delivery(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    to: str,
    status: str,
    reason: str | None,
) -> None:
    """The course of a message is a row of events."""
    heard = listen(hass)
    [message] = await send(hass, twilio_entry, to=to)
    await settle(hass, simulator)
    await refresh(hass, simulator, twilio_entry)
    attributes = state(hass, twilio_entry, "delivery").attributes
    assert attributes["event_type"] == attributes["status"] == status
    assert attributes["reason"] == reason
    assert attributes["message_id"] == message["message_id"]
    assert attributes["recipient"] == to
    assert attributes["final"] is True
    assert attributes["at"] == heard.statuses[-1]["at"]


async def test_not_recorded(
    recorder_mock: None,
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
) -> None:
    """Neither texts nor correspondents are kept in the database."""
    simulator.twilio.receive(SENDER, "Hello")
    await send(hass, twilio_entry)
    await settle(hass, simulator)
    kept = await read(hass, partial(_read_history, hass))
    keys = ("message", "delivery", "last_message")
    message, delivery, last = (
        kept[entity_id(hass, twilio_entry, key)][-1].attributes for key in keys
    )
    assert message["message_id"]
    assert not {"text", "sender", "media", *COMMON_FIELDS} & set(message)
    assert delivery["status"] == "delivered"
    assert "recipient" not in delivery
    assert not {"text", "sender", "received_at", "message_id"} & set(last)


START = datetime(2020, 1, 1, tzinfo=UTC)


def _read_history(hass: HomeAssistant, session: Session) -> dict[str, list[Any]]:
    ids = list(er.async_get(hass).entities)
    return history.get_full_significant_states_with_session(
        hass, session, START, None, ids
    )
