"""The actions of this integration."""

from datetime import timedelta
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

from .adapters.call_models import KEYS
from .calling import CallRequest, WaitFor, async_call
from .const import DOMAIN
from .runtime import VirtualSmsConfigEntry
from .sending import ATTR_MEDIA, MEDIA_SCHEMA, SendRequest, async_send

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_CALL = "call"
SERVICE_SEND_MESSAGE = "send_message"
ATTR_ACKNOWLEDGE = "acknowledge"
ATTR_CRITICAL = "critical"
ATTR_MESSAGE = "message"
ATTR_REPEAT = "repeat"
ATTR_RETRY_FOR = "retry_for"
ATTR_TIMEOUT = "timeout"
ATTR_TITLE = "title"
ATTR_TO = "to"
ATTR_WAIT_FOR = "wait_for"

MOST_REPEATS = 10

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

CALL_SCHEMA = vol.Schema(
    {
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_TO): vol.All(cv.ensure_list, [object]),
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_REPEAT, default=2): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=MOST_REPEATS)
        ),
        vol.Optional(ATTR_ACKNOWLEDGE): vol.All(cv.string, vol.In(KEYS)),
        vol.Optional(ATTR_WAIT_FOR, default=WaitFor.ACCEPTED): vol.Coerce(WaitFor),
        vol.Optional(
            ATTR_TIMEOUT, default=timedelta(minutes=2)
        ): cv.positive_time_period,
        vol.Optional(ATTR_CRITICAL, default=False): cv.boolean,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_CALL,
        _async_call,
        schema=CALL_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )
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


async def _async_call(call: ServiceCall) -> ServiceResponse:
    """Call somebody from one of the home's numbers."""
    entry: VirtualSmsConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_CONFIG_ENTRY_ID]
    )
    request = CallRequest(
        recipients=call.data[ATTR_TO],
        text=call.data[ATTR_MESSAGE],
        repeat=call.data[ATTR_REPEAT],
        digit=call.data.get(ATTR_ACKNOWLEDGE),
        wait_for=call.data[ATTR_WAIT_FOR],
        timeout=call.data[ATTR_TIMEOUT],
    )
    report = await async_call(call.hass, entry, request)
    report.raise_for_failures(answered=call.return_response)
    return report.describe() if call.return_response else None
