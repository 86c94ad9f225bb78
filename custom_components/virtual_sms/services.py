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
from homeassistant.util.json import JsonObjectType

from .actions.calling import CallRequest, WaitForCall, async_call
from .actions.delivery import (
    DEFAULT_TIMEOUT,
    Terms,
    async_deliver,
    async_has_fallback,
    find_fallback,
)
from .actions.dry_run import async_foresee
from .actions.people_fields import (
    ATTR_CONTACTS,
    ATTR_TO,
    PEOPLE_FIELDS,
    async_find_entry,
    async_find_sender,
    async_load_numbers,
)
from .actions.permission import for_who_may_control
from .actions.send_request import SendRequest
from .actions.sending import async_attach, async_send
from .adapters.call_models import KEYS
from .const import DOMAIN
from .core.waiting import WaitFor
from .media.outgoing import MediaAsLink
from .media.schema import ATTR_MEDIA, ATTR_MEDIA_AS_LINK, MEDIA_SCHEMA
from .replies.alert_action import async_setup_alert
from .replies.ask_action import async_setup_ask

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

SERVICE_CALL = "call"
SERVICE_SEND_MESSAGE = "send_message"
ATTR_ACKNOWLEDGE = "acknowledge"
ATTR_CRITICAL = "critical"
ATTR_DRY_RUN = "dry_run"
ATTR_FALLBACK = "fallback"
ATTR_MAX_SEGMENTS = "max_segments"
ATTR_MESSAGE = "message"
ATTR_REPEAT = "repeat"
ATTR_RETRY_FOR = "retry_for"
ATTR_SIMPLIFY = "simplify"
ATTR_TIMEOUT = "timeout"
ATTR_TITLE = "title"
ATTR_WAIT_FOR = "wait_for"

MOST_REPEATS = 10

SEND_MESSAGE_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        **PEOPLE_FIELDS,
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_TITLE): cv.string,
        vol.Optional(ATTR_MEDIA, default=list): MEDIA_SCHEMA,
        vol.Optional(ATTR_MEDIA_AS_LINK, default=MediaAsLink.AUTO): vol.Coerce(
            MediaAsLink
        ),
        vol.Optional(ATTR_RETRY_FOR): cv.positive_time_period,
        vol.Optional(ATTR_WAIT_FOR): vol.Coerce(WaitFor),
        vol.Optional(ATTR_TIMEOUT): cv.positive_time_period,
        vol.Optional(ATTR_FALLBACK): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_MAX_SEGMENTS): cv.positive_int,
        vol.Optional(ATTR_SIMPLIFY): cv.boolean,
        vol.Optional(ATTR_CRITICAL, default=False): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)

CALL_SCHEMA = vol.Schema(
    {
        vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
        **PEOPLE_FIELDS,
        vol.Required(ATTR_MESSAGE): cv.string,
        vol.Optional(ATTR_REPEAT, default=2): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=MOST_REPEATS)
        ),
        vol.Optional(ATTR_ACKNOWLEDGE): vol.All(cv.string, vol.In(KEYS)),
        vol.Optional(ATTR_WAIT_FOR, default=WaitForCall.ACCEPTED): vol.Coerce(
            WaitForCall
        ),
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
    async_setup_ask(hass)
    async_setup_alert(hass)


@for_who_may_control
async def _async_send_message(call: ServiceCall) -> ServiceResponse:
    """Send a message from one of the home's numbers, or from those of contacts."""
    request = SendRequest(
        recipients=call.data[ATTR_TO],
        contacts=call.data[ATTR_CONTACTS],
        text=call.data[ATTR_MESSAGE],
        title=call.data.get(ATTR_TITLE),
        media=call.data[ATTR_MEDIA],
        media_as_link=call.data[ATTR_MEDIA_AS_LINK],
        retry_for=call.data.get(ATTR_RETRY_FOR),
        max_segments=call.data.get(ATTR_MAX_SEGMENTS),
        simplify=call.data.get(ATTR_SIMPLIFY),
        is_critical=call.data[ATTR_CRITICAL],
    )
    await async_load_numbers(call.hass, call.data)
    terms = _read_terms(call)
    line = async_find_sender(call.hass, call.data, may_rest=True)
    if not find_fallback(call.hass, line, terms or Terms()):
        line = async_find_sender(call.hass, call.data)
    if call.data[ATTR_DRY_RUN]:
        foreseen = await async_foresee(call.hass, line, request)
        return foreseen if call.return_response else None
    request = await async_attach(call.hass, request)
    response = await _async_send(call, line, request, terms)
    if not call.return_response:
        return None
    return request.attachments.complete(response) if request.attachments else response


async def _async_send(
    call: ServiceCall, line: str | None, request: SendRequest, terms: Terms | None
) -> JsonObjectType:
    """Send, wait where the call wants it, and return what came of it."""
    answered = call.return_response
    if terms is None and not async_has_fallback(call.hass, line, request):
        report = await async_send(call.hass, line, request)
        report.raise_for_failures(answered=answered)
        return report.describe()
    delivery = await async_deliver(call.hass, line, request, terms or Terms())
    delivery.raise_for_failures(call.hass, answered=answered)
    return delivery.describe()


@for_who_may_control
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
        is_critical=call.data[ATTR_CRITICAL],
    )
    await async_load_numbers(call.hass, call.data)
    report = await async_call(
        call.hass, async_find_sender(call.hass, call.data), request
    )
    report.raise_for_failures(answered=call.return_response)
    return report.describe() if call.return_response else None


def _read_terms(call: ServiceCall) -> Terms | None:
    """Return what the call waits for; None if it asks for none of that."""
    data = call.data
    if data.keys().isdisjoint({ATTR_WAIT_FOR, ATTR_TIMEOUT, ATTR_FALLBACK}):
        return None
    fallback = data.get(ATTR_FALLBACK)
    return Terms(
        wait_for=data.get(ATTR_WAIT_FOR, WaitFor.ACCEPTED),
        timeout=data.get(ATTR_TIMEOUT, DEFAULT_TIMEOUT),
        fallback=fallback
        and [async_find_entry(call.hass, each, may_rest=True) for each in fallback],
    )
