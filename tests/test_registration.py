"""Our callback URL at the provider, over the life of an entry."""

from typing import TYPE_CHECKING

from homeassistant.const import CONF_WEBHOOK_ID
import pytest

from custom_components.virtual_sms.const import (
    CONF_CALLBACK_URL,
    CONF_PREVIOUS_CALLBACKS,
)

from .flows import set_up
from .home import SENDER, listen, settle

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

    from .cloud import Cloud

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


async def test_heir(
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


async def test_heir_without_a_url(
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
