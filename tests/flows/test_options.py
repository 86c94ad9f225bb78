"""The options of a number, and what a change of its mode does at the provider."""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from aiohttp.test_utils import make_mocked_request
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.http import current_request
import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.errors import UnsupportedFeatureError
from custom_components.virtual_sms.adapters.models import Capability
from custom_components.virtual_sms.const import (
    CONF_CALLBACK_URL,
    CONF_MODE,
    CONF_PREVIOUS_CALLBACKS,
)
from simulator import FaultKind
from tests.home import SENDER, listen, settle, state
from tests.set_up import set_up

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator
    from tests.cloud import Cloud

FOREIGN = "https://elsewhere.example/sms"


def standing(sim: Simulator, provider: str) -> set[str]:
    """Return the URLs that stand at a provider."""
    service = sim.ovh.service
    urls = {
        "twilio": (sim.twilio.numbers[sim.twilio.NUMBER].sms_url,),
        "ovh": (service.cgi_url, service.call_back),
    }[provider]
    return {url for url in urls if url}


def put(sim: Simulator, provider: str, url: str) -> None:
    """Put a URL at a provider by hand."""
    service = sim.ovh.service
    if provider == "twilio":
        sim.twilio.numbers[sim.twilio.NUMBER].sms_url = url
    else:
        service.response_type, service.cgi_url, service.call_back = "cgi", url, url


async def begin(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    """Open the options."""
    return await hass.config_entries.options.async_init(entry.entry_id)


async def answer(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Fill in the form that is shown, and let its consequences happen."""
    flow = hass.config_entries.options
    result = await flow.async_configure(result["flow_id"], user_input)
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def choose(
    hass: HomeAssistant, entry: ConfigEntry, **user_input: Any
) -> ConfigFlowResult:
    """Open the options and fill them in."""
    return await answer(hass, await begin(hass, entry), **user_input)


def shown(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form suggests."""
    return {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description
    }


def expect_form(
    result: ConfigFlowResult, step: str, errors: dict[str, str] | None = None
) -> None:
    """Check which form is shown, and with which errors."""
    assert result["type"] is FlowResultType.FORM, result
    assert (result["step_id"], result["errors"] or {}) == (step, errors or {})


def expect_end(result: ConfigFlowResult, entry: ConfigEntry, mode: str) -> None:
    """Check that the options are saved and the number runs in a mode."""
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    assert entry.data[CONF_MODE] == mode
    assert (CONF_CALLBACK_URL in entry.data) is (mode != "polling")
    assert CONF_MODE not in entry.options
    assert entry.state is ConfigEntryState.LOADED


async def expect_message(
    hass: HomeAssistant, sim: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Check that an inbound message arrives by callback."""
    heard = listen(hass)
    sim.providers[provider].receive(SENDER, "Hello")
    await settle(hass, sim)
    assert heard.texts == ["Hello"]
    assert not heard.received[0]["late"]


@pytest.mark.parametrize("mode", ["polling"])
async def test_begins_with_what_applies(
    hass: HomeAssistant, entry: ConfigEntry, provider: str
) -> None:
    """The options show what applies without them, and store what was typed."""
    result = await begin(hass, entry)
    expect_form(result, "init")
    can_call = Capability.CALLS in ADAPTERS[provider].capabilities
    calls = {"incoming_calls": "ignore"} if can_call else {}
    assert shown(result) == calls | {
        "mode": "polling",
        "poll_interval": ADAPTERS[provider].poll_interval,
        "retry_for": 30,
        "privacy": "full",
        "keep_conversations": 30,
        "simplify": True,
        "command_max_age": 300,
    }
    typed = {
        "poll_interval": 90.0,
        "retry_for": 0.0,
        "balance_threshold": 2.5,
        "privacy": "masked",
        "keep_conversations": 7.0,
        "simplify": False,
        "command_max_age": 60.0,
    }
    result = await answer(hass, result, **typed)
    expect_end(result, entry, "polling")
    assert entry.options == typed
    assert type(entry.options["poll_interval"]) is int
    assert type(entry.options["retry_for"]) is int

    result = await begin(hass, entry)
    assert shown(result) == calls | typed | {"mode": "polling"}
    with pytest.raises(InvalidData):
        await answer(hass, result, poll_interval=1)
    with pytest.raises(InvalidData):
        await answer(hass, result, privacy="everything")
    with pytest.raises(InvalidData):
        await answer(hass, result, mode="telepathy")


@pytest.mark.parametrize("mode", ["automatic", "manual", "polling"])
async def test_set_up_leaves_no_flow_behind(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """The set-up ends with the entry, and whoever opens the options gets them."""
    assert not hass.config_entries.options.async_progress()
    assert not hass.config_entries.flow.async_progress()
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0"}
    request = make_mocked_request("POST", "/", headers=agent)
    token = current_request.set(request)
    try:
        result = await begin(hass, entry)
    finally:
        current_request.reset(token)
    expect_form(result, "init")


async def test_unchanged_options_disturb_nothing(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Nothing is loaded anew, nor asked of the provider."""
    before = entry.runtime_data
    data = dict(entry.data)
    result = await choose(hass, entry, mode="automatic")
    expect_end(result, entry, "automatic")
    assert entry.runtime_data is before
    assert entry.data == data


async def test_options_apply_at_once(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What is chosen counts from then on."""
    result = await choose(hass, entry, privacy="metadata")
    expect_end(result, entry, "automatic")
    heard = listen(hass)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == [None]
    assert state(hass, entry, "received").state == "1"


async def test_stop_being_called(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Who chooses to check regularly is no longer called."""
    assert standing(simulator, provider)
    result = await choose(hass, entry, mode="polling", poll_interval=20)
    expect_end(result, entry, "polling")
    assert not standing(simulator, provider)
    assert entry.runtime_data.gateway.line.callback_url is None
    coordinator = entry.runtime_data.coordinator
    assert coordinator.update_interval.total_seconds() == 20


async def test_stop_being_called_by_hand(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """A URL that a person pasted is theirs to clear."""
    entry = await set_up(hass, simulator, provider, mode="manual")
    put(simulator, provider, entry.data[CONF_CALLBACK_URL])
    result = await choose(hass, entry, mode="polling")
    expect_end(result, entry, "polling")
    assert standing(simulator, provider)


@pytest.mark.parametrize("was_there", [None, FOREIGN])
@pytest.mark.parametrize("mode", ["polling"])
async def test_take_over_by_hand_what_was_automatic(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    was_there: str | None,
) -> None:
    """What we have put at the provider is taken back, and what was there returns."""
    if was_there:
        put(simulator, provider, was_there)
    result = await choose(hass, entry, mode="automatic")
    if was_there:
        result = await answer(hass, result, confirm=True)
    expect_end(result, entry, "automatic")
    result = await answer(hass, await choose(hass, entry, mode="manual"))
    expect_end(result, entry, "manual")
    assert standing(simulator, provider) == {entry.data[CONF_CALLBACK_URL]}
    result = await choose(hass, entry, mode="polling")
    expect_end(result, entry, "polling")
    assert standing(simulator, provider) == ({was_there} if was_there else set())
    assert CONF_PREVIOUS_CALLBACKS not in entry.data


@pytest.mark.parametrize("mode", ["polling"])
async def test_begin_to_be_called(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
) -> None:
    """The URL is set at the provider, and what was chosen besides is kept."""
    result = await choose(hass, entry, mode="automatic", retry_for=5)
    expect_end(result, entry, "automatic")
    assert entry.options == {"retry_for": 5}
    url = f"{home_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    assert standing(simulator, provider) == {url}
    assert CONF_PREVIOUS_CALLBACKS not in entry.data
    await expect_message(hass, simulator, entry, provider)


@pytest.mark.parametrize("mode", ["polling"])
async def test_foreign_url(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Another application's URL is replaced only with consent, and put back."""
    put(simulator, provider, FOREIGN)
    result = await choose(hass, entry, mode="automatic")
    expect_form(result, "takeover")
    assert result["description_placeholders"] == {"foreign_url": FOREIGN}

    result = await answer(hass, result, confirm=False)
    expect_form(result, "init")
    assert standing(simulator, provider) == {FOREIGN}
    assert entry.data[CONF_MODE] == "polling"

    result = await answer(hass, result, mode="automatic")
    result = await answer(hass, result, confirm=True)
    expect_end(result, entry, "automatic")
    assert standing(simulator, provider) == {entry.data[CONF_CALLBACK_URL]}
    await expect_message(hass, simulator, entry, provider)

    result = await choose(hass, entry, mode="polling")
    expect_end(result, entry, "polling")
    assert standing(simulator, provider) == {FOREIGN}
    assert CONF_PREVIOUS_CALLBACKS not in entry.data


@pytest.mark.parametrize("mode", ["polling"])
async def test_automatic_answer(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """An answer that OVHcloud gives by itself ends only with consent, and returns."""
    service = simulator.ovh.service
    service.response_type, service.response_text = "text", "On holiday"
    result = await choose(hass, ovh_entry, mode="automatic")
    expect_form(result, "takeover")
    assert result["description_placeholders"] == {"foreign_url": "text:On holiday"}
    assert service.response_type == "text"
    result = await answer(hass, result, confirm=True)
    expect_end(result, ovh_entry, "automatic")
    assert service.response_type == "cgi"
    expect_end(await choose(hass, ovh_entry, mode="polling"), ovh_entry, "polling")
    assert (service.response_type, service.response_text) == ("text", "On holiday")


@pytest.mark.parametrize("mode", ["polling"])
async def test_by_hand(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The URL is shown, as often as a person wants to see it."""
    for _ in range(2):
        result = await choose(hass, entry, mode="manual")
        expect_form(result, "manual")
        url = result["description_placeholders"]["callback_url"]
        assert entry.data[CONF_WEBHOOK_ID] in url
        result = await answer(hass, result)
        expect_end(result, entry, "manual")
        assert entry.data[CONF_CALLBACK_URL] == url
    assert not standing(simulator, provider)
    put(simulator, provider, url)
    await expect_message(hass, simulator, entry, provider)


@pytest.mark.parametrize("mode", ["polling"])
async def test_what_changes_while_a_form_waits_stays(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """A secret that is dropped meanwhile is not written back by the form."""
    kept = entry.data["credentials"]
    stored = {**kept, "previous_auth_token": "old"}
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "credentials": stored}
    )
    result = await choose(hass, entry, mode="manual")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "credentials": kept}
    )
    expect_end(await answer(hass, result), entry, "manual")
    assert entry.data["credentials"] == kept


@pytest.mark.parametrize("mode", ["polling"])
async def test_provider_without_callback_settings(
    hass: HomeAssistant, entry: ConfigEntry, provider: str
) -> None:
    """What a machine cannot set a person is asked to."""
    with patch.object(
        ADAPTERS[provider], "get_callbacks", side_effect=UnsupportedFeatureError
    ):
        result = await choose(hass, entry, mode="automatic")
    expect_form(result, "manual")
    expect_end(await answer(hass, result), entry, "manual")


@pytest.mark.parametrize("mode", ["polling"])
async def test_trouble_changes_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A provider that is down can be asked again, in the same form."""
    before = dict(entry.data)
    simulator.faults.add(FaultKind.SERVER_ERROR)
    result = await choose(hass, entry, mode="automatic", retry_for=5)
    expect_form(result, "init", {"base": "cannot_connect"})
    assert shown(result) == {"mode": "automatic", "retry_for": 5}
    assert entry.data == before
    assert not entry.options

    simulator.faults.clear()
    expect_end(await answer(hass, result, mode="automatic"), entry, "automatic")


@pytest.mark.parametrize("mode", ["polling"])
async def test_without_an_address(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """A home that cannot be reached says so."""
    hass.config.external_url = None
    for mode in ("automatic", "manual"):
        result = await choose(hass, entry, mode=mode)
        expect_form(result, "init", {"base": "no_public_url"})


@pytest.mark.parametrize("mode", ["polling"])
async def test_cloud(
    hass: HomeAssistant, simulator: Simulator, cloud: Cloud, entry: ConfigEntry
) -> None:
    """A place in the cloud comes and goes with the mode."""
    result = await choose(hass, entry, mode="manual")
    assert list(cloud.hooks) == [entry.data[CONF_WEBHOOK_ID]]
    hass.config_entries.options.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert not cloud.hooks

    await choose(hass, entry, mode="automatic")
    assert entry.data[CONF_CALLBACK_URL] == cloud.URL
    result = await choose(hass, entry, mode="manual")
    hass.config_entries.options.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert cloud.hooks

    await choose(hass, entry, mode="polling")
    assert not cloud.hooks


async def test_shared_url_stays_for_the_other_number(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """One of two numbers of an account gives up being called, not both."""
    other = await set_up(
        hass, simulator, "ovh", number=simulator.ovh.SECOND_NUMBER, name="Other"
    )
    expect_end(await choose(hass, ovh_entry, mode="polling"), ovh_entry, "polling")
    assert standing(simulator, "ovh") == {other.data[CONF_CALLBACK_URL]}
    result = await choose(hass, ovh_entry, mode="automatic")
    expect_end(result, ovh_entry, "automatic")
    assert standing(simulator, "ovh") == {other.data[CONF_CALLBACK_URL]}


@pytest.mark.parametrize("mode", ["polling"])
async def test_number_that_does_not_run(
    hass: HomeAssistant, entry: ConfigEntry, provider: str, simulator: Simulator
) -> None:
    """Options can be changed while a number is unloaded, and count when it runs."""
    await hass.config_entries.async_unload(entry.entry_id)
    await choose(hass, entry, mode="automatic")
    assert entry.data[CONF_MODE] == "automatic"
    assert standing(simulator, provider)


async def test_other_numbers_to_fall_back_on(
    hass: HomeAssistant, twilio_entry: ConfigEntry, ovh_entry: ConfigEntry
) -> None:
    """A number's others are offered by title, in any order, and one that is gone stays."""
    options = await begin(hass, twilio_entry)
    field = options["data_schema"].schema["fallback"]
    assert field.config["multiple"] is True
    assert [each["label"] for each in field.config["options"]] == ["OVH line"]
    await answer(hass, options, fallback=[ovh_entry.entry_id])
    assert twilio_entry.options["fallback"] == [ovh_entry.entry_id]
    await hass.config_entries.async_remove(ovh_entry.entry_id)
    options = await begin(hass, twilio_entry)
    assert shown(options)["fallback"] == [ovh_entry.entry_id]
    field = options["data_schema"].schema["fallback"]
    assert [each["value"] for each in field.config["options"]] == [ovh_entry.entry_id]


@pytest.mark.parametrize("step", ["init", "takeover", "manual"])
async def test_removed_in_another_window(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    step: str,
) -> None:
    """A form that is open meanwhile says so, whichever it is, and puts nothing back."""
    result = await begin(hass, twilio_entry)
    if step != "init":
        put(simulator, "twilio", FOREIGN)
        mode = {"takeover": "automatic", "manual": "manual"}[step]
        hass.config_entries.async_update_entry(
            twilio_entry, data={**twilio_entry.data, CONF_MODE: "polling"}
        )
        result = await answer(hass, result, mode=mode)
        assert result["step_id"] == step
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    stood = standing(simulator, "twilio")
    typed = {"takeover": {"confirm": True}, "manual": {}}.get(step, {"mode": "polling"})
    result = await answer(hass, result, **typed)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "removed")
    assert standing(simulator, "twilio") == stood


async def test_removed_while_a_form_that_owes_a_reload_is_open(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """When that is closed, there is nothing left to load anew."""
    put(simulator, "twilio", "")
    hass.config_entries.async_update_entry(
        twilio_entry, data={**twilio_entry.data, CONF_MODE: "polling"}
    )
    simulator.twilio.numbers[simulator.twilio.NUMBER].voice_url = FOREIGN
    result = await choose(hass, twilio_entry, mode="automatic", incoming_calls="reject")
    assert result["step_id"] == "takeover"
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    hass.config_entries.options.async_abort(result["flow_id"])
    assert not hass.config_entries.options.async_progress()
