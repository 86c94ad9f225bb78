"""A webhook that does no more than must be done: the floor under any integration.

It checks Twilio's signature with its SDK, fires an event and shows it in an event
entity. It keeps nothing, so it forgets all when the power goes, and believes a callback
as often as it comes.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN, EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_component import DATA_INSTANCES

EVENT = "probe_floor"
FLOOR = "floor"
"""Its webhook."""

type Handler = Callable[[HomeAssistant, str, web.Request], Awaitable[web.Response]]


class FloorEvent(EventEntity):
    """What last happened."""

    entity_id = "event.floor"
    _attr_should_poll = False
    _attr_event_types = ["happened"]  # noqa: RUF012  # as core writes it
    _unrecorded_attributes = frozenset({"From", "Body"})

    @callback
    def async_happen(self, data: dict[str, Any]) -> None:
        """Show it."""
        self._trigger_event("happened", data)
        self.async_write_ha_state()


def _make(url: str, token: str, entity: FloorEvent) -> Handler:
    from twilio.request_validator import RequestValidator  # noqa: PLC0415  # weighed

    validator = RequestValidator(token)

    async def handle(
        hass: HomeAssistant, webhook_id: str, request: web.Request
    ) -> web.Response:
        del webhook_id
        form = {key: str(value) for key, value in (await request.post()).items()}
        target = f"{url}?{request.query_string}" if request.query_string else url
        signature = request.headers["X-Twilio-Signature"]
        if not validator.validate(target, form, signature):
            return web.Response(status=403)
        hass.bus.async_fire(EVENT, form)
        entity.async_happen(form)
        return web.Response(status=204)

    return handle


async def open_floor(hass: HomeAssistant, data: dict[str, Any]) -> None:
    """Open it, for callbacks that are signed for `url` with `token`."""
    entity = FloorEvent()
    component = hass.data[DATA_INSTANCES][EVENT_DOMAIN]
    await component.async_add_entities([entity])
    handler = await hass.async_add_executor_job(
        _make, data["url"], data["token"], entity
    )
    webhook.async_register(hass, "probe", "Floor", FLOOR, handler)


VERBS = {"open_floor": open_floor}
