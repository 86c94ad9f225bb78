"""What may be shown of a message, and where it must not be found otherwise."""

from typing import TYPE_CHECKING, Any

from homeassistant.const import MATCH_ALL
from homeassistant.core import State
from homeassistant.helpers.restore_state import STORAGE_KEY, RestoreStateData
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    mock_restore_cache_with_extra_data,
)
from sqlalchemy import text as sql

from custom_components.virtual_sms.bus import async_listen
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.privacy import (
    Privacy,
    mask_correspondent,
    mask_numbers,
    mask_text,
)
from tests.contacts import add_contact, entity_of
from tests.home import (
    RECIPIENT,
    SENDER,
    entity_id,
    listen,
    logbook_rows,
    send,
    settle,
    state,
)
from tests.recorder import read

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from sqlalchemy.orm import Session

    from custom_components.virtual_sms.bus import EventData
    from simulator import Simulator

TEXT = "Your parcel is here: 4711"
EVENT = {
    "number": "+33900000001",
    "message_id": "SM1",
    "sender": SENDER,
    "text": TEXT,
    "segments": 1,
    "media": [{"content_type": "image/png", "url": "https://example.com/door"}],
}
STATUS = {"message_id": "ours", "recipient": RECIPIENT, "status": "sent"}
REDACTED_MEDIA = [{"content_type": "image/png", "url": None}]
SECRETS = (TEXT, "parcel", SENDER, RECIPIENT, SENDER[4:], RECIPIENT[4:])


@pytest.mark.parametrize(
    ("privacy", "changes"),
    [
        ("full", {}),
        ("masked", {"sender": "+33…32", "text": "Your…", "media": REDACTED_MEDIA}),
        ("metadata", {"sender": None, "text": None, "media": REDACTED_MEDIA}),
    ],
)
def test_received(privacy: str, changes: dict[str, Any]) -> None:
    """The own number and all that says nothing stay; so does each key."""
    assert Privacy(privacy).redact(EVENT) == EVENT | changes


@pytest.mark.parametrize(
    ("privacy", "recipient"),
    [("full", RECIPIENT), ("masked", "+33…78"), ("metadata", None)],
)
def test_status(privacy: str, recipient: str | None) -> None:
    """A status shows no more of whom it is about."""
    assert Privacy(privacy).redact(STATUS) == STATUS | {"recipient": recipient}


@pytest.mark.parametrize("privacy", list(Privacy))
def test_twice_is_as_good_as_once(privacy: Privacy) -> None:
    """What is restored was redacted when it was stored."""
    for data in (EVENT, STATUS, {"text": "", "sender": "MyBank", "media": None}, {}):
        once = privacy.redact(data)
        assert privacy.redact(once) == once


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (TEXT, "Your…"),
        ("123456", "1…"),
        ("Hello", "H…"),
        ("OK", "…"),
        ("", ""),
        (None, None),
        ("🚪🚪🚪🚪🚪🚪🚪🚪", "🚪🚪…"),
        ("Wait for it, wait for it…", "Wait…"),
        ("Waits…", "W…"),
    ],
)
def test_masked_text(text: object, masked: object) -> None:
    """A short text may be a code, and is short to begin with."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    ("correspondent", "masked"),
    [
        ("+33612345678", "+33…78"),
        ("+15005550006", "+15…06"),
        ("+1234567", "+1…"),
        ("36180", "36…"),
        ("MyBank", "My…"),
        ("+33…78", "+33…78"),
        (None, None),
    ],
)
def test_masked_correspondent(correspondent: object, masked: object) -> None:
    """Enough to tell two correspondents apart, too little to call one."""
    assert mask_correspondent(correspondent) == masked


@pytest.mark.parametrize(
    ("title", "masked"),
    [
        ("My line", "My line"),
        ("Flat 12, 3rd floor", "Flat 12, 3rd floor"),
        ("+33900000001", "+33…01"),
        ("Home +33 9 00 00 00 01 (OVH)", "Home +33…01 (OVH)"),
        ("0900000001", "09…"),
        ("09-00-00-00-01", "09…"),
        ("+33900000001 and +15005550006", "+33…01 and +15…06"),
    ],
)
def test_masked_title(title: str, masked: str) -> None:
    """Of a number in a name remains what tells it from another."""
    assert mask_numbers(title) == masked


async def choose(hass: HomeAssistant, entry: ConfigEntry, privacy: str) -> None:
    """Choose how much is shown."""
    flow = hass.config_entries.options
    result = await flow.async_init(entry.entry_id)
    await flow.async_configure(result["flow_id"], {"privacy": privacy})
    await hass.async_block_till_done(wait_background_tasks=True)


async def happen(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Have a message go out and another come in."""
    await send(hass, entry, message=TEXT)
    simulator.providers[provider].receive(SENDER, TEXT)
    await settle(hass, simulator)


@pytest.mark.parametrize(
    ("privacy", "sender", "recipient", "text"),
    [
        ("full", SENDER, RECIPIENT, TEXT),
        ("masked", "+33…32", "+33…78", "Your…"),
        ("metadata", None, None, None),
    ],
)
async def test_all_that_tells_follows(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    privacy: str,
    sender: str | None,
    recipient: str | None,
    text: str | None,
) -> None:
    """Events, entities and attributes say the same; a send says what it did."""
    await choose(hass, entry, privacy)
    heard = listen(hass)
    await happen(hass, simulator, entry, provider)
    [received] = heard.received
    assert (received["sender"], received["text"]) == (sender, text)
    assert received["number"] == entry.data["number"]
    assert received["message_id"]
    assert {each["recipient"] for each in heard.statuses} == {recipient}
    assert heard.statuses[-1]["status"] == "delivered"

    message = state(hass, entry, "message").attributes
    assert (message["sender"], message["text"]) == (sender, text)
    assert state(hass, entry, "delivery").attributes["recipient"] == recipient
    last = state(hass, entry, "last_message")
    assert last.state == (text or "unknown")
    assert (last.attributes["sender"], last.attributes["text"]) == (sender, text)
    assert state(hass, entry, "last_sender").state == (sender or "unknown")
    assert state(hass, entry, "last_delivery").state == "delivered"
    assert state(hass, entry, "received").state == "1"


@pytest.mark.parametrize("privacy", ["masked", "metadata"])
async def test_whole_inside_private_outside(
    recorder_mock: None,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    privacy: str,
) -> None:
    """Who concludes from a message has all of it; bus, states and logbook have not."""
    await choose(hass, entry, privacy)
    inside: list[EventData] = []
    outside = async_capture_events(hass, MATCH_ALL)
    async_listen(
        hass, entry.entry_id, lambda _entry, _change, data: inside.append(data)
    )
    await happen(hass, simulator, entry, provider)

    [received] = [data for data in inside if "text" in data]
    assert (received["sender"], received["text"]) == (SENDER, TEXT)
    recipients = {data["recipient"] for data in inside if "recipient" in data}
    assert recipients == {RECIPIENT}

    ours = [each for each in outside if each.event_type.startswith(DOMAIN)]
    assert len(ours) == len(inside)
    shown = [repr(each.data) for each in ours]
    shown += [each.as_dict_json.decode() for each in hass.states.async_all()]
    shown += [repr(each) for each in await logbook_rows(hass)]
    assert any("SMS" in each for each in shown)
    for secret in SECRETS:
        assert not [each for each in shown if secret in each]


@pytest.mark.parametrize("privacy", ["masked", "metadata"])
async def test_what_was_told_before_is_taken_back(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    privacy: str,
    hass_storage: dict[str, Any],
) -> None:
    """The last things lose what may no longer be shown, on disk as well."""
    await happen(hass, simulator, entry, provider)
    assert state(hass, entry, "last_message").state == TEXT
    await choose(hass, entry, privacy)
    states = [each.as_dict_json.decode() for each in hass.states.async_all()]
    await RestoreStateData.async_save_persistent_states(hass)
    stored = [repr(each) for each in hass_storage[STORAGE_KEY]["data"]]
    assert any("received_at" in each for each in stored)
    for secret in SECRETS:
        assert not [each for each in states + stored if secret in each]
    assert state(hass, entry, "message").attributes["message_id"]
    assert state(hass, entry, "last_delivery").state == "delivered"


async def test_restored_from_freer_days(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """What an earlier run stored is redacted before it is shown."""
    await choose(hass, twilio_entry, "metadata")
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    last, message = (
        entity_id(hass, twilio_entry, key) for key in ("last_message", "message")
    )
    attributes = {"sender": SENDER, "text": TEXT}
    triggered = "2026-11-21T12:00:00.000+00:00"
    mock_restore_cache_with_extra_data(
        hass,
        (
            (State(last, TEXT), {"value": TEXT, "attributes": attributes}),
            (
                State(message, triggered),
                {"last_event_type": "received", "last_event_attributes": attributes},
            ),
        ),
    )
    await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert state(hass, twilio_entry, "last_message").state == "unknown"
    shown = state(hass, twilio_entry, "message")
    assert shown.state == triggered
    assert shown.attributes["event_type"] == "received"
    assert shown.attributes["sender"] is shown.attributes["text"] is None


async def test_restored_from_another_number(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
) -> None:
    """What a contact wrote is shown as the number allows that it came by."""
    bob = await add_contact(hass, twilio_entry, numbers=SENDER)
    shown = entity_of(hass, twilio_entry, bob, "message")
    simulator.ovh.receive(SENDER, TEXT)
    await settle(hass, simulator)
    assert TEXT in repr(hass.states.get(shown))
    await choose(hass, ovh_entry, "metadata")
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    restored = hass.states.get(shown)
    assert restored is not None
    assert restored.attributes["event_type"] == "received"
    for secret in SECRETS:
        assert secret not in repr(restored)


@pytest.mark.parametrize("privacy", ["full", "metadata"])
async def test_nothing_is_recorded(
    recorder_mock: None,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    privacy: str,
) -> None:
    """With metadata alone, the database does not hold what is searched for in it."""
    await choose(hass, entry, privacy)
    simulator.providers[provider].receive(SENDER, TEXT)
    await settle(hass, simulator)
    kept = await read(hass, _read_database)
    assert "virtual_sms_received" in kept
    for secret in (TEXT, "parcel", SENDER):
        assert (secret in kept) is (privacy == "full")


async def test_attributes_are_not_recorded(
    recorder_mock: None,
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """Even where everything is shown, no attribute keeps a text or a number."""
    await happen(hass, simulator, entry, provider)
    assert state(hass, entry, "message").attributes["text"] == TEXT
    assert state(hass, entry, "last_message").attributes["sender"] == SENDER
    assert state(hass, entry, "delivery").attributes["recipient"] == RECIPIENT
    kept = await read(hass, _read_attributes)
    assert "friendly_name" in kept
    for secret in (*SECRETS, '"media"'):
        assert secret not in kept


def _read_attributes(session: Session) -> str:
    """Return the attributes that the recorder wrote."""
    rows = session.execute(sql("SELECT shared_attrs FROM state_attributes"))
    return repr(list(rows.scalars()))


def _read_database(session: Session) -> str:
    """Return all that the recorder wrote."""
    tables = session.execute(sql("SELECT name FROM sqlite_master")).scalars()
    rows = [
        row
        for table in list(tables)
        if not table.startswith(("ix_", "sqlite_"))
        for row in session.execute(sql(f"SELECT * FROM {table}"))
    ]
    return repr(rows)
