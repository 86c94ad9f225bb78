"""The actions of this integration."""

from typing import TYPE_CHECKING

from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry

from .const import DOMAIN
from .runtime import VirtualSmsConfigEntry
from .sending import ATTR_MEDIA, MEDIA_SCHEMA, SendRequest, async_send

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_SEND_MESSAGE = "send_message"
ATTR_MESSAGE = "message"
ATTR_RETRY_FOR = "retry_for"
ATTR_TITLE = "title"
ATTR_TO = "to"

# A recipient may be anything: one that cannot be read must not keep the others
# from their message.
SEND_MESSAGE_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_TO): vol.All(cv.ensure_list, [object]),
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Optional(ATTR_MEDIA, default=list): MEDIA_SCHEMA,
        vol.Optional(ATTR_RETRY_FOR): cv.positive_time_period,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_MESSAGE,
        _async_send_message,
        schema=SEND_MESSAGE_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_send_message(call: ServiceCall) -> ServiceResponse:
    """Send a message from one of the home's numbers."""
    entry: VirtualSmsConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    request = SendRequest(
        recipients=call.data[ATTR_TO],
        text=call.data[ATTR_MESSAGE],
        title=call.data.get(ATTR_TITLE),
        media=call.data[ATTR_MEDIA],
        retry_for=call.data.get(ATTR_RETRY_FOR),
    )
    report = await async_send(call.hass, entry, request)
    report.raise_for_failures(answered=call.return_response)
    return report.describe() if call.return_response else None
