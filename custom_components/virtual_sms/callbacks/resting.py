"""Answer callbacks to a number that is not at work.

Home Assistant answers 200 to a webhook that nobody has registered, and a provider
then believes that its message arrived.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..account_entries import async_other_entries
from ..adapters import ADAPTERS
from ..adapters.models import Capability
from ..const import DOMAIN
from ..entry_data import EntryData
from ..runtime import VirtualSmsConfigEntry
from .hang_up import async_hang_up

METHODS = ("GET", "POST")

type Answer = Callable[[HomeAssistant, str, web.Request], Awaitable[web.Response]]

AT_WORK: HassKey[dict[str, Answer]] = HassKey(f"{DOMAIN}_callbacks_at_work")


@callback
def async_answer_at_work(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, answer: Answer
) -> None:
    """Have a number's callbacks answered so from now on."""
    hass.data.setdefault(AT_WORK, {})[entry.entry_id] = answer
    _async_register(hass, entry, answer)


@callback
def async_answer_at_rest(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Have a number's callbacks refused until it is at work again, or removed.

    Where numbers share a callback URL, another one of them that is at work takes
    them in.
    """

    async def answer(
        hass: HomeAssistant, webhook_id: str, request: web.Request
    ) -> web.Response:
        if delegate := _async_find_delegate(hass, entry):
            return await delegate(hass, webhook_id, request)
        away = entry.disabled_by is None
        response = web.Response(
            status=HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.BAD_REQUEST
        )
        await async_hang_up(request, response)
        return response

    hass.data.setdefault(AT_WORK, {}).pop(entry.entry_id, None)
    _async_register(hass, entry, answer)


@callback
def async_stop_answering(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Close the webhook of a number that is removed."""
    webhook.async_unregister(hass, EntryData.of(entry).webhook_id)


@callback
def _async_register(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, answer: Answer
) -> None:
    webhook_id = EntryData.of(entry).webhook_id
    webhook.async_unregister(hass, webhook_id)
    webhook.async_register(
        hass, DOMAIN, entry.title, webhook_id, answer, allowed_methods=METHODS
    )


@callback
def _async_find_delegate(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> Answer | None:
    """Return who answers for another number of a URL that several share."""
    provider = ADAPTERS[EntryData.of(entry).provider]
    if Capability.SHARED_CALLBACK_URLS not in provider.capabilities:
        return None
    at_work = hass.data[AT_WORK]
    others = (each.entry_id for each in async_other_entries(hass, entry))
    return next((at_work[each] for each in others if each in at_work), None)
