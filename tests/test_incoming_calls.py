"""Who calls the home: what they get, what the home learns, and whose URL is asked."""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.virtual_sms.callbacks.voice import async_release_voice
from custom_components.virtual_sms.const import (
    CONF_PREVIOUS_VOICE_URL,
    CONF_VOICE_URL,
    DOMAIN,
    OPTION_GREETING,
    OPTION_INCOMING_CALLS,
)
from custom_components.virtual_sms.core.callback_urls import CallbackRegistration
from custom_components.virtual_sms.issues import Problem, issue_id
from simulator import Quirk

from .flows.test_options import answer, begin, choose, put as put_callbacks, standing
from .home import SENDER, listen, refresh, settle, state

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowManager
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import Event, HomeAssistant

    from simulator import Simulator

FOREIGN = "https://elsewhere.example/voice"


def voice_url(simulator: Simulator) -> str:
    """Return the URL for calls that stands at the provider."""
    twilio = simulator.twilio
    return twilio.numbers[twilio.NUMBER].voice_url


def put(simulator: Simulator, url: str) -> None:
    """Put a URL for calls at the provider by hand."""
    twilio = simulator.twilio
    twilio.numbers[twilio.NUMBER].voice_url = url


async def take_calls(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, **options: Any
) -> None:
    """Choose what becomes of calls."""
    result = await choose(hass, entry, **options)
    assert result["type"] == "create_entry", result
    await settle(hass, simulator)


async def ring(hass: HomeAssistant, simulator: Simulator) -> list[Event]:
    """Call the home, and return what was heard of it."""
    heard = async_capture_events(hass, "virtual_sms_call")
    simulator.twilio.phones.ring(SENDER)
    await settle(hass, simulator)
    return heard


def issues(hass: HomeAssistant) -> set[str]:
    """Name the problems that are shown."""
    return {
        str(issue.translation_key)
        for issue in ir.async_get(hass).issues.values()
        if issue.active
    }


async def test_calls_are_ignored_unless_wanted(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """A URL for calls that stands at the provider is neither read nor touched."""
    from .set_up import set_up

    put(simulator, FOREIGN)
    entry = await set_up(hass, simulator, "twilio")
    result = await choose(hass, entry, privacy="masked")
    assert result["type"] == "create_entry"
    await entry.runtime_data.registrar.async_inspect()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert voice_url(simulator) == FOREIGN


async def test_a_call_is_rejected(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """It is an event, is never answered, and so costs nothing."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    heard = await ring(hass, simulator)
    [call] = simulator.twilio.phones.calls
    assert (call.status, call.heard) == ("busy", [])
    assert [each.data["state"] for each in heard] == ["ringing", "rejected"]
    assert {each.data["direction"] for each in heard} == {"inbound"}
    assert {each.data["correspondent"] for each in heard} == {SENDER}
    assert {each.data["message_id"] for each in heard} == {call.id}
    shown = state(hass, twilio_entry, "call")
    assert shown.attributes["event_type"] == "rejected"
    assert simulator.callbacks[-1].content_type.startswith("text/xml")


DEFAULT_GREETING = "This number belongs to a home. Please send a text message instead."


@pytest.mark.parametrize(
    ("greeting", "heard"),
    [
        ("Nobody <here> & now", "Nobody <here> & now"),
        ("Pasted\x0bfrom elsewhere", "Pasted\ufffdfrom elsewhere"),
        (" ", DEFAULT_GREETING),
        (None, DEFAULT_GREETING),
    ],
)
async def test_a_caller_is_greeted(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    greeting: str | None,
    heard: str,
) -> None:
    """They hear the greeting, and the end of their call is an event as well."""
    options = {OPTION_GREETING: greeting} if greeting else {}
    await take_calls(hass, simulator, twilio_entry, incoming_calls="speak", **options)
    events = await ring(hass, simulator)
    [call] = simulator.twilio.phones.calls
    assert (call.status, call.heard) == ("completed", [heard])
    calls = twilio_entry.runtime_data.gateway.calls
    await calls._table.recover()
    await calls.work()
    assert [each.data["state"] for each in events] == ["ringing", "completed"]
    assert events[-1].data["duration"] == 1


async def test_a_missed_call_is_caught_up(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who called while the home was away is an event when it is back."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    heard = async_capture_events(hass, "virtual_sms_call")
    await hass.config_entries.async_unload(twilio_entry.entry_id)
    put(simulator, "")
    simulator.twilio.phones.ring(SENDER)
    await simulator.settled()
    put(simulator, twilio_entry.data["callback_url"])
    await hass.config_entries.async_setup(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert [each.data["state"] for each in heard] == ["no_answer"]
    await refresh(hass, simulator, twilio_entry)
    assert len(heard) == 1


async def test_a_forged_call_is_refused(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nothing is published of a call that the provider did not sign."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    simulator.twilio.quirks = {Quirk.FORGED}
    assert await ring(hass, simulator) == []
    assert simulator.callbacks[-1].status == 403


async def test_a_pasted_url_while_calls_are_ignored(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A call that comes here all the same is rejected, and no event."""
    twilio = simulator.twilio
    put(simulator, twilio.numbers[twilio.NUMBER].sms_url)
    assert await ring(hass, simulator) == []
    assert twilio.phones.calls[0].status == "busy"


@pytest.mark.parametrize("mode", ["polling"])
async def test_what_was_replaced_is_known_whatever_becomes_of_the_form(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The URL for messages is ours by then; its owner has it back in the end."""
    put(simulator, FOREIGN)
    put_callbacks(simulator, "twilio", FOREIGN)
    result = await choose(hass, twilio_entry, mode="automatic", incoming_calls="reject")
    result = await answer(hass, result, confirm=True)
    assert result["step_id"] == "takeover"
    assert voice_url(simulator) == FOREIGN
    hass.config_entries.options.async_abort(result["flow_id"])
    await settle(hass, simulator)

    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert standing(simulator, "twilio") == {FOREIGN}


async def test_what_changes_while_a_person_is_asked_stays(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Keys that are renewed in another window are not written back by the form."""
    put(simulator, FOREIGN)
    renewed = twilio_entry.data["credentials"]
    data = {**twilio_entry.data, "credentials": {**renewed, "previous": "old"}}
    hass.config_entries.async_update_entry(twilio_entry, data=data)
    result = await choose(hass, twilio_entry, incoming_calls="reject")
    data = {**twilio_entry.data, "credentials": renewed}
    hass.config_entries.async_update_entry(twilio_entry, data=data)
    result = await answer(hass, result, confirm=True)
    assert result["type"] == "create_entry"
    assert twilio_entry.data["credentials"] == renewed
    assert twilio_entry.data[CONF_PREVIOUS_VOICE_URL] == FOREIGN
    await settle(hass, simulator)


async def test_the_url_is_claimed_and_put_back(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Another application is asked about first, and has its URL back in the end."""
    put(simulator, FOREIGN)
    result = await choose(hass, twilio_entry, incoming_calls="reject")
    assert (result["type"], result["step_id"]) == ("form", "takeover")
    assert result["description_placeholders"] == {"foreign_url": FOREIGN}
    refused = await answer(hass, result, confirm=False)
    assert refused["step_id"] == "init"
    assert voice_url(simulator) == FOREIGN
    result = await answer(hass, refused, incoming_calls="reject")
    result = await answer(hass, result, confirm=True)
    assert result["type"] == "create_entry"
    await settle(hass, simulator)
    ours = twilio_entry.data["callback_url"]
    assert voice_url(simulator) == ours
    assert twilio_entry.data[CONF_VOICE_URL] == ours
    assert twilio_entry.data[CONF_PREVIOUS_VOICE_URL] == FOREIGN
    await take_calls(hass, simulator, twilio_entry, incoming_calls="ignore")
    assert voice_url(simulator) == FOREIGN
    assert CONF_VOICE_URL not in twilio_entry.data


@pytest.mark.parametrize("way", ["remove", "polling", "manual"])
async def test_the_url_is_given_back(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, way: str
) -> None:
    """A number that is removed, or receives otherwise, leaves nothing behind."""
    put(simulator, FOREIGN)
    result = await choose(hass, twilio_entry, incoming_calls="reject")
    await answer(hass, result, confirm=True)
    await settle(hass, simulator)
    if way == "remove":
        await hass.config_entries.async_remove(twilio_entry.entry_id)
    else:
        result = await choose(hass, twilio_entry, mode=way, incoming_calls="reject")
        if way == "manual":
            await answer(hass, result)
    await settle(hass, simulator)
    assert voice_url(simulator) == FOREIGN
    assert CONF_VOICE_URL not in twilio_entry.data or way == "remove"


async def test_keys_that_are_renewed_while_it_is_given_back_stay(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is written down is read anew after the provider was asked."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    kept = twilio_entry.data["credentials"]

    async def release(*_: object, **__: object) -> None:
        data = {**twilio_entry.data, "credentials": {**kept, "auth_token": "new"}}
        hass.config_entries.async_update_entry(twilio_entry, data=data)

    with patch.object(CallbackRegistration, "release", release):
        await async_release_voice(hass, twilio_entry)
    assert twilio_entry.data["credentials"]["auth_token"] == "new"
    assert CONF_VOICE_URL not in twilio_entry.data


async def test_whoever_changed_it_meanwhile_keeps_it(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Only a URL of ours is taken back."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    put(simulator, FOREIGN)
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert voice_url(simulator) == FOREIGN


@pytest.mark.parametrize(
    ("url", "problem"), [(FOREIGN, "voice_foreign"), ("", "voice_missing")]
)
async def test_the_url_is_watched(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    url: str,
    problem: str,
) -> None:
    """A change at the provider is shown, and fixed once a person agrees."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    put(simulator, url)
    registrar = twilio_entry.runtime_data.registrar
    await registrar.async_inspect()
    assert issues(hass) == {problem}
    assert voice_url(simulator) == url
    issue = issue_id(twilio_entry, Problem(problem))
    context: Any = {"issue_id": issue}
    form = await manager.async_init(DOMAIN, context=context, data={"issue_id": issue})
    assert form["step_id"] == "confirm"
    result = await manager.async_configure(form["flow_id"], {})
    assert result["type"] == "create_entry"
    assert issues(hass) == set()
    assert voice_url(simulator) == twilio_entry.data["callback_url"]


async def test_an_application_that_takes_the_calls(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Where the provider would not follow our URL, that is said."""
    twilio = simulator.twilio
    twilio.numbers[twilio.NUMBER].voice_application_sid = "AP1"
    result = await choose(hass, twilio_entry, incoming_calls="reject")
    assert result["errors"] == {"base": "callbacks_overruled"}
    twilio.numbers[twilio.NUMBER].voice_application_sid = ""
    result = await answer(hass, result, incoming_calls="reject")
    assert result["type"] == "create_entry"
    await settle(hass, simulator)
    twilio.numbers[twilio.NUMBER].voice_application_sid = "AP1"
    await twilio_entry.runtime_data.registrar.async_inspect()
    assert issues(hass) == {"voice_overruled"}
    put(simulator, "")
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert issues(hass) == {"voice_overruled"}


async def test_another_application_at_the_start(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A URL that was replaced while the home was down is shown, not replaced."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    put(simulator, FOREIGN)
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert issues(hass) == {"voice_foreign"}
    assert voice_url(simulator) == FOREIGN


async def test_trouble_while_taking_over(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What keeps the URL from being replaced is said in the form."""
    put(simulator, FOREIGN)
    result = await choose(hass, twilio_entry, incoming_calls="speak")
    simulator.faults.add("server_error", provider="twilio", times=1)
    result = await answer(hass, result, confirm=True)
    assert result["errors"] == {"base": "cannot_connect"}
    result = await answer(hass, result, confirm=True)
    assert result["type"] == "create_entry"
    await settle(hass, simulator)


async def test_a_provider_that_is_down_when_it_is_given_back(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That keeps nothing from being removed, and says what is left to do."""
    await take_calls(hass, simulator, twilio_entry, incoming_calls="reject")
    simulator.faults.add("server_error", provider="twilio")
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert "clear it in the console" in caplog.text
    simulator.faults.clear()


@pytest.mark.parametrize("mode", ["polling", "manual"])
async def test_nothing_is_claimed_in_other_modes(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number whose URLs no machine sets keeps that for calls."""
    result = await begin(hass, twilio_entry)
    result = await answer(hass, result, **{OPTION_INCOMING_CALLS: "reject"})
    assert result["type"] == "create_entry"
    await settle(hass, simulator)
    assert voice_url(simulator) == ""


async def test_a_provider_without_calls_has_no_option(
    hass: HomeAssistant, ovh_entry: ConfigEntry
) -> None:
    """What could not be is not offered."""
    result = await begin(hass, ovh_entry)
    fields = {str(key) for key in result["data_schema"].schema}
    assert not fields & {OPTION_INCOMING_CALLS, OPTION_GREETING}
    assert ovh_entry.domain == DOMAIN
