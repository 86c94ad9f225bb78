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
from .addressing import async_find_line
from .calling import CallRequest, WaitFor, async_call
from .const import DOMAIN
from .dry_run import async_foresee
from .sending import ATTR_MEDIA, MEDIA_SCHEMA, SendRequest, async_send

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_CALL = "call"
SERVICE_SEND_MESSAGE = "send_message"
ATTR_ACKNOWLEDGE = "acknowledge"
ATTR_CONTACTS = "contacts"
ATTR_CRITICAL = "critical"
ATTR_DRY_RUN = "dry_run"
ATTR_MAX_SEGMENTS = "max_segments"
ATTR_MESSAGE = "message"
ATTR_REPEAT = "repeat"
ATTR_RETRY_FOR = "retry_for"
ATTR_SIMPLIFY = "simplify"
ATTR_TIMEOUT = "timeout"
ATTR_TITLE = "title"
ATTR_TO = "to"
ATTR_WAIT_FOR = "wait_for"

MOST_REPEATS = 10

# A recipient may be anything: one that cannot be read must not keep the others
# from their message.
SEND_MESSAGE_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_CONTACTS, default=list): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_TO, default=list): vol.All(cv.ensure_list, [object]),
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Optional(ATTR_MEDIA, default=list): MEDIA_SCHEMA,
        vol.Optional(ATTR_RETRY_FOR): cv.positive_time_period,
        vol.Optional(ATTR_MAX_SEGMENTS): cv.positive_int,
        vol.Optional(ATTR_SIMPLIFY): cv.boolean,
        vol.Optional(ATTR_CRITICAL, default=False): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)

CALL_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Optional(ATTR_CONTACTS, default=list): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_TO, default=list): vol.All(cv.ensure_list, [object]),
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
    """Send a message from one of the home's numbers, or from those of contacts."""
    request = SendRequest(
        recipients=call.data[ATTR_TO],
        contacts=call.data[ATTR_CONTACTS],
        text=call.data[ATTR_MESSAGE],
        title=call.data.get(ATTR_TITLE),
        media=call.data[ATTR_MEDIA],
        retry_for=call.data.get(ATTR_RETRY_FOR),
        max_segments=call.data.get(ATTR_MAX_SEGMENTS),
        simplify=call.data.get(ATTR_SIMPLIFY),
        is_critical=call.data[ATTR_CRITICAL],
    )
    line = _find_line(call)
    if call.data[ATTR_DRY_RUN]:
        foreseen = await async_foresee(call.hass, line, request)
        return foreseen if call.return_response else None
    report = await async_send(call.hass, line, request)
    report.raise_for_failures(answered=call.return_response)
    return report.describe() if call.return_response else None


async def _async_call(call: ServiceCall) -> ServiceResponse:
    """Call somebody from one of the home's numbers, or from those of contacts."""
    request = CallRequest(
        recipients=call.data[ATTR_TO],
        contacts=call.data[ATTR_CONTACTS],
        text=call.data[ATTR_MESSAGE],
        repeat=call.data[ATTR_REPEAT],
        digit=call.data.get(ATTR_ACKNOWLEDGE),
        wait_for=call.data[ATTR_WAIT_FOR],
        timeout=call.data[ATTR_TIMEOUT],
    )
    report = await async_call(call.hass, _find_line(call), request)
    report.raise_for_failures(answered=call.return_response)
    return report.describe() if call.return_response else None


def _find_line(call: ServiceCall) -> str | None:
    """Return which number sends; contacts alone need none, they have their own."""
    if not call.data[ATTR_TO]:
        return None
    line = async_find_line(call.hass, call.data.get(ATTR_CONFIG_ENTRY_ID))
    async_get_config_entry(call.hass, DOMAIN, line)
    return line
