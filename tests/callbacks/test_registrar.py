"""Our callback URL at the provider, over the life of an entry."""

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.account_entries import (
    async_other_entries,
    async_own_marks,
)
from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_MODE,
    CONF_PREVIOUS_CALLBACKS,
    DOMAIN,
)
from custom_components.virtual_sms.core.callback_urls import CallbackRegistration
from tests.home import SENDER, listen, settle
from tests.set_up import set_up

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator
    from tests.cloud import Cloud

FOREIGN = "https://elsewhere.example/sms"


def standing(sim: Simulator, provider: str) -> set[str]:
    """Return the URLs that stand at a provider."""
    service = sim.ovh.service
    number = sim.twilio.numbers[sim.twilio.NUMBER]
    urls = {
        "twilio": (number.sms_url,),
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


async def test_registered(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
) -> None:
    """The provider calls this home's own URL."""
    url = f"{home_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    assert standing(simulator, provider) == {url}
    assert entry.data[CONF_CALLBACK_URL] == url


@pytest.mark.parametrize("mode", ["polling", "manual"])
async def test_left_alone(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """In the other modes the provider's settings are the person's own affair."""
    assert not standing(simulator, provider)
    put(simulator, provider, FOREIGN)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}


@pytest.mark.parametrize("lost", ["", "moved"])
async def test_restored_at_start(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
    lost: str,
) -> None:
    """A URL that was lost, or leads to where this home was, is put right."""
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    old = f"https://old.example/api/webhook/{webhook_id}" if lost else ""
    put(simulator, provider, old)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert standing(simulator, provider) == {f"{home_url}/api/webhook/{webhook_id}"}


async def test_new_external_url(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    home_url: str,
) -> None:
    """When the home moves, callbacks are checked against its new URL."""
    public = "https://new.example"
    hass.config.external_url = public
    simulator.reroute[public] = home_url
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert simulator.callbacks[-1].url.startswith(public)


async def test_foreign_url(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another application's URL is not replaced unasked, nor removed."""
    put(simulator, provider, FOREIGN)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}
    assert "foreign_callback" in caplog.text
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}


async def test_home_without_a_url(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A home that cannot be reached any more says so, and goes on polling."""
    hass.config.external_url = None
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert "no external URL any more" in caplog.text


async def test_provider_down(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A URL that cannot be checked is checked at the next start."""
    simulator.faults.add("server_error", provider=provider)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert "could not be checked" in caplog.text
    assert CONF_CALLBACK_URL in entry.data


async def test_previous_url_returns(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What stood there before us stands there after us."""
    previous = {"inbound": FOREIGN, "status": FOREIGN, "overruled_by": None}
    data = {**entry.data, CONF_PREVIOUS_CALLBACKS: previous}
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert standing(simulator, provider) == {FOREIGN}


async def test_successor(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A shared URL passes to another number, with what stood there before it."""
    previous = {"inbound": FOREIGN, "status": None, "overruled_by": None}
    data = {**ovh_entry.data, CONF_PREVIOUS_CALLBACKS: previous}
    hass.config_entries.async_update_entry(ovh_entry, data=data)
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    assert standing(simulator, "ovh") == {ovh_entry.data[CONF_CALLBACK_URL]}

    assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    assert standing(simulator, "ovh") == {second.data[CONF_CALLBACK_URL]}
    assert await hass.config_entries.async_remove(second.entry_id)
    assert standing(simulator, "ovh") == {FOREIGN}


async def test_a_successor_whose_keys_are_renewed_meanwhile(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """It keeps the new ones: what is written down is read anew after the provider."""
    previous = {"inbound": FOREIGN, "status": None}
    data = {**ovh_entry.data, CONF_PREVIOUS_CALLBACKS: previous}
    hass.config_entries.async_update_entry(ovh_entry, data=data)
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    renewed = {**second.data["credentials"], "application_secret": "new"}

    async def release(*_: object, **__: object) -> None:
        data = {**second.data, "credentials": renewed}
        hass.config_entries.async_update_entry(second, data=data)

    with patch.object(CallbackRegistration, "release", release):
        assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    assert second.data["credentials"] == renewed
    assert second.data[CONF_PREVIOUS_CALLBACKS]["inbound"] == FOREIGN


async def test_a_url_of_its_own_is_not_inherited(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What stood at one number returns there, and never appears at another one."""
    previous = {"inbound": FOREIGN, "status": None, "overruled_by": None}
    data = {**twilio_entry.data, CONF_PREVIOUS_CALLBACKS: previous}
    hass.config_entries.async_update_entry(twilio_entry, data=data)
    number = simulator.twilio.SMS_ONLY_NUMBER
    second = await set_up(hass, simulator, "twilio", number=number, name="Second line")

    assert await hass.config_entries.async_remove(twilio_entry.entry_id)
    assert standing(simulator, "twilio") == {FOREIGN}
    assert simulator.twilio.numbers[number].sms_url == second.data[CONF_CALLBACK_URL]
    assert CONF_PREVIOUS_CALLBACKS not in second.data
    assert await hass.config_entries.async_remove(second.entry_id)
    assert not simulator.twilio.numbers[number].sms_url


async def test_an_successor_keeps_what_it_replaced_itself(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A foreign URL that the other number replaced is newer, and is what returns."""
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    for entry, url in ((ovh_entry, f"{FOREIGN}/old"), (second, FOREIGN)):
        previous = {"inbound": url, "status": None, "overruled_by": None}
        data = {**entry.data, CONF_PREVIOUS_CALLBACKS: previous}
        hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    assert await hass.config_entries.async_remove(second.entry_id)
    assert standing(simulator, "ovh") == {FOREIGN}


async def test_a_disabled_number_inherits_nothing(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Nobody would answer there, so what stood there before returns."""
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    await hass.config_entries.async_set_disabled_by(
        second.entry_id, ConfigEntryDisabler.USER
    )
    assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    assert not standing(simulator, "ovh")


async def test_accounts_of_two_providers_are_two(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    twilio_entry: ConfigEntry,
) -> None:
    """Two providers may name an account alike: their numbers are no siblings."""
    data = {**twilio_entry.data, CONF_ACCOUNT: ovh_entry.data[CONF_ACCOUNT]}
    hass.config_entries.async_update_entry(twilio_entry, data=data)
    assert not async_other_entries(hass, ovh_entry)
    marks = async_own_marks(hass, ("ovh", ovh_entry.data[CONF_ACCOUNT]))
    assert twilio_entry.data[CONF_WEBHOOK_ID] not in marks


async def test_successor_without_a_url(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A number that could never register inherits nothing."""
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    data = {key: each for key, each in second.data.items() if key != CONF_CALLBACK_URL}
    hass.config_entries.async_update_entry(second, data=data)
    assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    assert not standing(simulator, "ovh")


async def test_cloud(
    hass: HomeAssistant, simulator: Simulator, home_url: str, cloud: Cloud
) -> None:
    """With a subscription the provider calls the cloud, until the number is removed."""
    entry = await set_up(hass, simulator, "twilio", name="My line")
    assert standing(simulator, "twilio") == {cloud.URL}
    assert cloud.hooks == {entry.data[CONF_WEBHOOK_ID]: cloud.URL}
    simulator.reroute[cloud.URL] = (
        f"{home_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    )
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not cloud.hooks
    assert not standing(simulator, "twilio")


def issues(hass: HomeAssistant) -> set[str]:
    """Return what is shown to be wrong."""
    return {
        str(each.translation_key)
        for each in ir.async_get(hass).issues.values()
        if each.domain == DOMAIN and each.active
    }


def change_cloud(cloud: Cloud, what: Any = None) -> None:
    """Let everyone who listens know that the cloud has changed."""
    for listener in tuple(cloud.listeners):
        listener(what)


async def change_address(hass: HomeAssistant, external_url: str | None) -> None:
    """Enter another external URL, as the network settings do."""
    await hass.config.async_update(external_url=external_url)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_address_changes(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
) -> None:
    """A new external URL is registered at once, and messages come that way."""
    public = "https://new.example"
    simulator.reroute[public] = home_url
    await change_address(hass, public)
    url = f"{public}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    assert standing(simulator, provider) == {url}
    assert entry.data[CONF_CALLBACK_URL] == url
    heard = listen(hass)
    simulator.providers[provider].receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]
    assert not issues(hass)


async def test_other_settings_change(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A home that is renamed asks the provider nothing."""
    put(simulator, provider, FOREIGN)
    await hass.config.async_update(location_name="Castle")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not issues(hass)


async def test_address_goes_and_comes(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, home_url: str
) -> None:
    """A home without an address says so, until it has one again."""
    await change_address(hass, None)
    assert issues(hass) == {"no_public_url"}
    await change_address(hass, home_url)
    assert not issues(hass)


@pytest.mark.parametrize("mode", ["manual"])
async def test_pasted_address_changes(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    home_url: str,
) -> None:
    """Who pasted the URL by hand sees when there is another one to paste."""
    await change_address(hass, "https://new.example")
    assert issues(hass) == {"address_changed"}
    assert not standing(simulator, provider)
    assert entry.data[CONF_CALLBACK_URL].startswith(home_url)
    await change_address(hass, home_url)
    assert not issues(hass)
    await change_address(hass, None)
    assert issues(hass) == {"no_public_url"}


@pytest.mark.parametrize("mode", ["polling"])
async def test_polling_needs_no_address(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Who asks regularly does not mind."""
    await change_address(hass, None)
    await change_address(hass, "https://new.example")
    assert not issues(hass)
    assert CONF_CALLBACK_URL not in entry.data


async def test_addresses_in_quick_succession(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The last one counts, whatever takes longer."""
    for number in range(4):
        await hass.config.async_update(external_url=f"https://home{number}.example")
    await hass.async_block_till_done(wait_background_tasks=True)
    [url] = standing(simulator, provider)
    assert url.startswith("https://home3.example/")
    assert entry.data[CONF_CALLBACK_URL] == url


async def test_foreign_url_is_shown(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A foreign URL at the start is left alone, and shown."""
    put(simulator, provider, FOREIGN)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert issues(hass) == {"callback_foreign"}
    [issue] = ir.async_get(hass).issues.values()
    assert (issue.translation_placeholders or {})["foreign_url"] == FOREIGN
    put(simulator, provider, "")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not issues(hass)
    assert standing(simulator, provider) == {entry.data[CONF_CALLBACK_URL]}


async def test_overruled(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A URL that would be ignored is not set, but explained."""
    number = simulator.twilio.numbers[simulator.twilio.NUMBER]
    number.sms_application_sid, number.sms_url = "AP" + "0" * 32, ""
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert issues(hass) == {"callback_overruled"}
    assert not number.sms_url
    number.sms_application_sid = ""
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert not issues(hass)


async def test_tried_again(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A provider that is down when the home moves learns of it later."""
    fault = simulator.faults.add("server_error", provider=provider)
    await change_address(hass, "https://new.example")
    assert not standing(simulator, provider) - {entry.data[CONF_CALLBACK_URL]}
    await change_address(hass, "https://newer.example")
    simulator.faults.active.remove(fault)
    freezer.tick(601)
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    [url] = standing(simulator, provider)
    assert url.startswith("https://newer.example/")


async def test_not_kept(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A URL that the provider took and did not keep is not believed, but set again."""
    before = entry.data[CONF_CALLBACK_URL]
    with patch.object(ADAPTERS[provider], "set_callbacks"):
        await change_address(hass, "https://new.example")
    assert entry.data[CONF_CALLBACK_URL] == before
    freezer.tick(601)
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    [url] = standing(simulator, provider)
    assert url.startswith("https://new.example/")
    assert entry.data[CONF_CALLBACK_URL] == url


async def test_not_tried_again_after_the_end(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A number at rest registers nothing."""
    simulator.faults.add("server_error", provider=provider)
    await change_address(hass, "https://new.example")
    simulator.faults.clear()
    assert await hass.config_entries.async_unload(entry.entry_id)
    before = standing(simulator, provider)
    freezer.tick(601)
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert standing(simulator, provider) == before


async def test_subscription_begins_and_ends(
    hass: HomeAssistant, simulator: Simulator, home_url: str, cloud: Cloud
) -> None:
    """The provider calls the cloud as long as there is a subscription."""
    cloud.subscribed = False
    entry = await set_up(hass, simulator, "twilio", name="My line")
    own = f"{home_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    assert standing(simulator, "twilio") == {own}
    for subscribed, url in ((True, cloud.URL), (False, own), (True, cloud.URL)):
        cloud.subscribed = subscribed
        change_cloud(cloud)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert standing(simulator, "twilio") == {url}
        assert entry.data[CONF_CALLBACK_URL] == url
    assert not issues(hass)


async def test_cloud_address_changes(
    hass: HomeAssistant, simulator: Simulator, home_url: str, cloud: Cloud
) -> None:
    """A webhook that is given another URL in the cloud is registered anew."""
    entry = await set_up(hass, simulator, "twilio", name="My line")
    cloud.hooks.clear()
    cloud.url = "https://hooks.example/new"
    change_cloud(cloud, {"cloudhook_url": cloud.url})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert standing(simulator, "twilio") == {cloud.url}
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not cloud.hooks
    assert not cloud.listeners
    assert not standing(simulator, "twilio")


async def test_cloud_is_away(
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    cloud: Cloud,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A cloud that cannot be reached now is no reason to give its URL up."""
    entry = await set_up(hass, simulator, "twilio", name="My line")
    cloud.failure = cloud.CloudNotAvailable()
    change_cloud(cloud)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not issues(hass)
    assert standing(simulator, "twilio") == {cloud.URL}
    cloud.failure = None
    cloud.hooks.clear()
    cloud.url = "https://hooks.example/new"
    freezer.tick(601)
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert standing(simulator, "twilio") == {cloud.url}


@pytest.mark.parametrize("mode", ["polling", "manual"])
async def test_another_mode_forgets(
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    provider: str,
    mode: str,
) -> None:
    """What is wrong with callbacks does not matter to who does without them."""
    entry = await set_up(hass, simulator, provider)
    put(simulator, provider, FOREIGN)
    await entry.runtime_data.registrar.async_inspect()
    assert issues(hass) == {"callback_foreign"}
    data = {**entry.data, CONF_MODE: mode}
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not issues(hass)


async def test_disabled(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A number that is switched off complains of nothing."""
    put(simulator, provider, FOREIGN)
    await entry.runtime_data.registrar.async_inspect()
    assert issues(hass)
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not issues(hass)
