"""The action that calls: what is heard, what it waits for, what the home learns."""

import asyncio
from datetime import timedelta
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
import voluptuous as vol

from custom_components.virtual_sms.const import DOMAIN, OPTION_PRIVACY
from custom_components.virtual_sms.services import CALL_SCHEMA
from custom_components.virtual_sms.store.database import DatabaseClosedError
from simulator import Quirk

from ..home import RECIPIENT, revoke, settle, state
from ..test_logbook import Logbook

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import Event, HomeAssistant

    from simulator import Simulator
    from simulator.twilio.models import Call

PRESSES_1, VOICEMAIL, BUSY, SILENT = (
    f"+150055530{each}" for each in ("01", "00", "10", "11")
)
COUNTRY = "+15005550003"


async def call(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> list[Any]:
    """Call somebody and return what the action answers."""
    defaults = {
        "config_entry_id": entry.entry_id,
        "to": RECIPIENT,
        "message": "Water in the cellar!",
    }
    response = await hass.services.async_call(
        DOMAIN, "call", defaults | data, blocking=True, return_response=True
    )
    assert set(response) == {"calls"}
    calls: list[Any] = response["calls"]
    return calls


def listen(hass: HomeAssistant) -> list[Event]:
    """Hear how calls go on from now on."""
    return async_capture_events(hass, "virtual_sms_call")


def states(events: list[Event]) -> list[str]:
    """List the states that were heard."""
    return [event.data["state"] for event in events]


def made(simulator: Simulator) -> Call:
    """Return the newest call at the provider."""
    return simulator.twilio.phones.calls[-1]


async def test_a_call_until_its_end(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """It has our id from the start, and every state is an event and an entity's."""
    heard = listen(hass)
    [answer] = await call(hass, twilio_entry)
    await settle(hass, simulator)
    await simulator.twilio.phones.use(answer["provider_id"], "answer")
    await settle(hass, simulator)
    assert answer == {
        "call_id": answer["call_id"],
        "provider_id": made(simulator).id,
        "to": RECIPIENT,
        "line": twilio_entry.entry_id,
        "contact": None,
        "state": "queued",
        "digits": None,
        "duration": None,
    }
    assert made(simulator).heard == ["Water in the cellar!"] * 2
    assert made(simulator).languages == ["en-US"]
    assert states(heard) == ["queued", "ringing", "answered", "completed"]
    assert {event.data["message_id"] for event in heard} == {answer["call_id"]}
    last = dict(heard[-1].data)
    assert last | {"at": ""} == {
        "entry_id": twilio_entry.entry_id,
        "device_id": last["device_id"],
        "provider": "twilio",
        "number": simulator.twilio.NUMBER,
        "message_id": answer["call_id"],
        "provider_id": answer["provider_id"],
        "direction": "outbound",
        "correspondent": RECIPIENT,
        "contact": None,
        "contact_id": None,
        "person": None,
        "trust": "unknown",
        "state": "completed",
        "previous": "answered",
        "final": True,
        "duration": 1,
        "digits": None,
        "reason": None,
        "error_code": None,
        "at": "",
    }
    shown = state(hass, twilio_entry, "call")
    assert shown.attributes["event_type"] == "completed"
    assert shown.attributes["correspondent"] == RECIPIENT
    assert {each.status for each in simulator.callbacks} == {204}


async def test_a_key_acknowledges(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The action waits for the key, asks for it and thanks for it, in the home's words."""
    hass.config.language = "fr"
    heard = listen(hass)
    [answer] = await call(
        hass,
        twilio_entry,
        to=PRESSES_1,
        acknowledge=1,
        repeat=1,
        wait_for="acknowledged",
    )
    await settle(hass, simulator)
    assert (answer["state"], answer["digits"]) == ("acknowledged", "1")
    assert states(heard)[-2:] == ["acknowledged", "completed"]
    assert heard[-2].data["digits"] == "1"
    assert made(simulator).heard == [
        "Water in the cellar! Appuyez sur 1 pour confirmer.",
        "Merci. Au revoir.",
    ]
    assert made(simulator).languages == ["fr-FR"] * 2


async def test_the_wrong_key_is_asked_again(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Whoever presses another key acknowledges nothing, and may try again."""
    heard = listen(hass)
    [answer] = await call(hass, twilio_entry, acknowledge="5", repeat=1)
    await settle(hass, simulator)
    phones, sid = simulator.twilio.phones, answer["provider_id"]
    await phones.use(sid, "answer")
    await phones.use(sid, "press", "7")
    await settle(hass, simulator)
    assert states(heard)[-1] == "answered"
    assert made(simulator).heard[-1] == "Press 5 to confirm."
    await phones.use(sid, "press", "5")
    await settle(hass, simulator)
    assert states(heard)[-2:] == ["acknowledged", "completed"]


@pytest.mark.parametrize(
    ("to", "wait_for", "ends"),
    [
        (BUSY, "answered", "busy"),
        (SILENT, "acknowledged", "no_answer"),
        (VOICEMAIL, "acknowledged", "completed"),
        ("+15005553012", "answered", "failed"),
    ],
)
async def test_nobody_acknowledges(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    to: str,
    wait_for: str,
    ends: str,
) -> None:
    """The action goes on when the call has ended otherwise: a voicemail presses nothing."""
    [answer] = await call(hass, twilio_entry, to=to, acknowledge="1", wait_for=wait_for)
    assert answer["state"] == ends
    await settle(hass, simulator)


async def test_the_wait_ends(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """After the timeout the action answers what is known, and the call goes on."""
    [answer] = await call(
        hass, twilio_entry, wait_for="answered", timeout={"milliseconds": 100}
    )
    assert answer["state"] in {"queued", "ringing"}
    await settle(hass, simulator)
    assert made(simulator).status == "ringing"


async def test_several_are_called(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Everybody is called once; who cannot be keeps nobody else from their call."""
    answers = await call(hass, twilio_entry, to=[BUSY, BUSY, "nonsense", COUNTRY])
    await settle(hass, simulator)
    assert len(simulator.twilio.phones.calls) == 1
    assert [each.get("reason") for each in answers] == [None, "invalid_number", "other"]
    assert "console" in answers[2]["error"]


async def test_who_is_not_called_is_named(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Without an answer asked for, any failure raises; with one, only that of all."""
    service = {"config_entry_id": twilio_entry.entry_id, "message": "Hello"}

    async def run(to: list[str]) -> None:
        await hass.services.async_call(
            DOMAIN, "call", service | {"to": to}, blocking=True
        )

    await run([BUSY])
    with pytest.raises(HomeAssistantError, match="not allowed to call"):
        await run([BUSY, COUNTRY])
    with pytest.raises(ServiceValidationError, match="nonsense"):
        await call(hass, twilio_entry, to="nonsense")
    with pytest.raises(ServiceValidationError):
        await call(hass, twilio_entry, to=[])
    await settle(hass, simulator)


async def test_a_country_that_is_not_enabled(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A repair says what to do, until a call to that country is answered."""
    key = f"voice_country_not_enabled_{twilio_entry.entry_id}"

    def is_shown() -> bool:
        return (DOMAIN, key) in ir.async_get(hass).issues

    with (
        patch.dict("simulator.twilio.send.REFUSED_CALLS", {RECIPIENT: 21215}),
        pytest.raises(HomeAssistantError, match="Geo permissions"),
    ):
        await call(hass, twilio_entry)
    await settle(hass, simulator)
    assert is_shown()
    for to, is_left in (("+12025550143", True), (RECIPIENT, False)):
        await call(hass, twilio_entry, to=to)
        await settle(hass, simulator)
        await simulator.twilio.phones.use(made(simulator).id, "answer")
        await settle(hass, simulator)
        assert is_shown() is is_left


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"message": "x" * 4000}, "twilio_32018"),
        ({"message": " "}, "call_empty"),
        ({"wait_for": "acknowledged"}, "call_needs_key"),
    ],
)
async def test_what_cannot_be_is_refused_first(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    data: dict[str, str],
    key: str,
) -> None:
    """Nobody is called, and a sentence says why."""
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, twilio_entry, **data)
    assert caught.value.translation_key == key
    assert simulator.twilio.phones.calls == []


@pytest.mark.parametrize(
    "data",
    [
        {"acknowledge": "12"},
        {"acknowledge": "#"},
        {"acknowledge": ""},
        {"repeat": 0},
        {"repeat": 11},
        {"wait_for": "delivered"},
    ],
)
async def test_fields_that_make_no_sense(
    hass: HomeAssistant, twilio_entry: ConfigEntry, data: dict[str, Any]
) -> None:
    """A key is one digit, a text is spoken a few times."""
    with pytest.raises(vol.Invalid):
        await call(hass, twilio_entry, **data)


@pytest.mark.parametrize("mode", ["polling"])
async def test_a_number_that_checks_regularly(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """It calls as well, but no key can be told."""
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, twilio_entry, acknowledge="1")
    assert caught.value.translation_key == "call_key_needs_callbacks"
    heard = listen(hass)
    await call(hass, twilio_entry, to=BUSY)
    await settle(hass, simulator)
    calls = twilio_entry.runtime_data.gateway.calls
    await calls._table.recover()
    await calls.work()
    assert states(heard) == ["queued", "busy"]


async def test_a_provider_without_calls(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """It says so, and has no entity for what never happens."""
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, ovh_entry)
    assert caught.value.translation_key == "calls_unsupported"
    unique_id = f"{ovh_entry.entry_id}_call"
    registry = er.async_get(hass)
    assert registry.async_get_entity_id("event", DOMAIN, unique_id) is None


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (DatabaseClosedError(), "entry_not_loaded"),
        (sqlite3.OperationalError(), "storage_failed"),
    ],
)
async def test_trouble_at_home(
    hass: HomeAssistant, twilio_entry: ConfigEntry, error: Exception, key: str
) -> None:
    """What cannot be written down is said, and nobody is called."""
    gateway = twilio_entry.runtime_data.gateway
    with (
        patch.object(gateway, "call", side_effect=error),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await call(hass, twilio_entry)
    assert caught.value.translation_key == key


async def test_credentials_that_are_revoked(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A call that is refused for them asks for new ones."""
    revoke(simulator)
    with pytest.raises(HomeAssistantError):
        await call(hass, twilio_entry)
    await hass.async_block_till_done()
    assert [
        each["context"]["source"] for each in hass.config_entries.flow.async_progress()
    ] == ["reauth"]


async def test_forged_late_and_repeated_callbacks(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A forgery is 403 and changes nothing; what is late or twice is taken, and no news."""
    heard = listen(hass)
    await call(hass, twilio_entry)
    await settle(hass, simulator)
    phones, sid = simulator.twilio.phones, made(simulator).id
    simulator.twilio.quirks = {Quirk.FORGED}
    await phones.repeat(sid, CallStatus="completed")
    assert simulator.callbacks[-1].status == 403
    simulator.twilio.quirks = {Quirk.DUPLICATED}
    await phones.use(sid, "busy")
    await phones.repeat(sid, CallStatus="in-progress")
    await settle(hass, simulator)
    assert simulator.callbacks[-1].status == 204
    assert states(heard) == ["queued", "ringing", "busy"]


async def test_lost_callbacks_are_caught_up(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """After a restart the provider is asked where the calls stand that were open."""
    heard = listen(hass)
    simulator.twilio.quirks = {Quirk.SUPPRESSED}
    await call(hass, twilio_entry)
    await settle(hass, simulator)
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    await simulator.twilio.phones.use(made(simulator).id, "silent")
    await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert states(heard) == ["queued", "no_answer"]


async def test_a_caller_that_goes_away_leaves_the_call(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The call is made and followed, whoever waits for it."""
    heard = listen(hass)
    task = asyncio.create_task(call(hass, twilio_entry, wait_for="answered"))
    while not simulator.twilio.phones.calls:
        await asyncio.sleep(0.01)
    task.cancel()
    await settle(hass, simulator)
    assert states(heard) == ["queued", "ringing"]


@pytest.mark.parametrize(
    ("privacy", "shown"),
    [("full", RECIPIENT), ("masked", "+33…78"), ("metadata", None)],
)
async def test_privacy(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    privacy: str,
    shown: str | None,
) -> None:
    """Whom the home calls is shown as far as its owner wants."""
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_PRIVACY: privacy}
    )
    heard, logbook = listen(hass), Logbook(hass)
    [answer] = await call(hass, twilio_entry)
    await settle(hass, simulator)
    assert {event.data["correspondent"] for event in heard} == {shown}
    assert state(hass, twilio_entry, "call").attributes["correspondent"] == shown
    assert answer["to"] == RECIPIENT
    assert logbook.sentences()[0] == f"calls {shown or 'someone'} (Queued)"


async def test_a_flapping_sensor_calls_nobody_for_ever(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Beyond a limit the action fails and says so, a repair shows; critical goes on."""
    for _ in range(5):
        await call(hass, twilio_entry, to=BUSY)
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, twilio_entry, to=BUSY)
    assert caught.value.translation_key == "limit_reached"
    [done, limited] = await call(hass, twilio_entry, to=[SILENT, BUSY])
    assert "reason" not in done
    assert limited["reason"] == "limited"
    issues = {key for _, key in ir.async_get(hass).issues}
    assert any("limit_reached" in each for each in issues)
    for _ in range(5):
        await call(hass, twilio_entry, to=BUSY, critical=True)
    with pytest.raises(HomeAssistantError):
        await call(hass, twilio_entry, to=BUSY, critical=True)
    await settle(hass, simulator)
    assert [each.to for each in simulator.twilio.phones.calls].count(BUSY) == 10


async def test_who_wants_no_messages_is_not_called(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who texted STOP is not phoned either."""
    simulator.twilio.receive(RECIPIENT, "STOP")
    await settle(hass, simulator)
    with pytest.raises(HomeAssistantError, match="has sent STOP"):
        await call(hass, twilio_entry, critical=True)
    assert simulator.twilio.phones.calls == []


def test_what_is_left_out_of_a_call() -> None:
    """It is said twice, and waited for during two minutes at most."""
    data = CALL_SCHEMA({"to": RECIPIENT, "message": "Water"})
    assert (data["repeat"], data["timeout"]) == (2, timedelta(minutes=2))
