"""A number as the config flow leaves it, in half of the time that its forms take.

Most tests are not about how a number was set up. `flows/test_furnished.py` holds what is
made here to what the flow makes.
"""

from secrets import token_hex
from typing import TYPE_CHECKING

from homeassistant.config_entries import SOURCE_USER
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.adapters.models import PhoneNumber
from custom_components.virtual_sms.callbacks.public_url import async_callback_url
from custom_components.virtual_sms.const import DOMAIN, MODE_AUTOMATIC, MODE_POLLING
from custom_components.virtual_sms.entry_data import EntryData

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def furnish(
    hass: HomeAssistant, sim: Simulator, provider: str, *, mode: str, name: str
) -> ConfigEntry:
    """Return a provider's number at work, whose URLs were set before."""
    player = sim.providers[provider]
    account = {"twilio": sim.twilio.ACCOUNT_SID, "ovh": sim.ovh.SERVICE}[provider]
    webhook_id = token_hex(32)
    url = await async_callback_url(hass, webhook_id)
    if mode == MODE_AUTOMATIC:
        claim(sim, provider, url)
    data = EntryData(
        provider=provider,
        number=PhoneNumber(account=account, number=player.number),
        credentials={**player.credentials, "api_url": sim.url},
        webhook_id=webhook_id,
        mode=mode,
        callback_url=None if mode == MODE_POLLING else url,
    )
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=name,
        unique_id=f"{provider}:{account}:{player.number}",
        data=data.as_dict(),
        source=SOURCE_USER,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def claim(sim: Simulator, provider: str, url: str) -> None:
    """Have the provider call the home, as after the flow."""
    if provider == "twilio":
        sim.twilio.numbers[sim.twilio.number].sms_url = url
        return
    service = sim.ovh.services[sim.ovh.SERVICE]
    service.call_back = service.cgi_url = url
    service.response_type, service.response_options = "cgi", []
