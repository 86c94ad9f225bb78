"""Whom ours is compared with: webhooks that do little, and a number without memory.

The twin is our own number, all of it, but what it takes in is written nowhere: it
believes each callback, fires its event, shows and counts it, and forgets it.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.core import HomeAssistant, callback

_CHANGES: Final = "custom_components.virtual_sms.store.changes"


@callback
def async_open_nothing(hass: HomeAssistant) -> None:
    """Open a webhook that does nothing: what Home Assistant takes for a callback."""

    async def answer(_: HomeAssistant, __: str, request: web.Request) -> web.Response:
        # Whoever does not read the body makes the server do it.
        await request.read()
        return web.Response(text="")

    webhook.async_register(hass, "probe", "Nothing", "nothing", answer)


async def open_sdk(hass: HomeAssistant, url: str, token: str) -> None:
    """Open a webhook that has Twilio's SDK check a signature; it must be loaded."""
    validator = import_module("twilio.request_validator").RequestValidator(token)

    async def answer(_: HomeAssistant, __: str, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        signature = request.headers["X-Twilio-Signature"]
        is_signed = validator.validate(url, form, signature)
        return web.Response(status=204 if is_signed else 403)

    webhook.async_register(hass, "probe", "SDK", "sdk", answer)


class _Twin:
    """The three doors of a store behind which nothing is kept."""

    def __init__(self, store: Any) -> None:
        self._store = store
        # Not at the top: the probe must not load what it weighs.
        self._changes = import_module(_CHANGES)

    async def admit(
        self,
        messages: Iterable[Any],
        *,
        late: bool,
        then: Callable[..., None],
        **_: Any,
    ) -> list[Any]:
        make = self._changes.Received
        return self._believe([make(message=each, late=late) for each in messages], then)

    async def receive(self, receipt: Any, then: Callable[..., None]) -> Any:
        change = self._changes.StatusChanged(
            message_id=receipt.message_id,
            provider_id=receipt.provider_id,
            recipient="+33612345678",
            status=receipt.status,
            previous=None,
            at=datetime.now(UTC),
        )
        return self._believe(change, then)

    def note_published(self, *_: object, **__: object) -> asyncio.Future[None]:
        noted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        noted.set_result(None)
        return noted

    def _believe[T](self, news: T, then: Callable[[T], None]) -> T:
        """Count something, as the store does, and say that it is new."""
        tally, loop = self._store.tally, asyncio.get_running_loop()
        self._store.tally = replace(tally, received=tally.received + 1)
        loop.call_soon(self._store._notify)  # noqa: SLF001  # as the store itself does
        loop.call_soon(then, news)
        return news


def _doors(hass: HomeAssistant, entry_id: str) -> tuple[Any, dict[str, Any]]:
    entry: Any = hass.config_entries.async_get_entry(entry_id)
    store = entry.runtime_data.gateway.store
    doors = {"admit": store.inbound, "receive": store.outbound, "note_published": store}
    return store, doors


async def forget(hass: HomeAssistant, entry_id: str) -> None:
    """Have a number remember nothing of what it takes in until `remember`."""
    store, doors = _doors(hass, entry_id)
    for name, place in doors.items():
        vars(place)[name] = getattr(_Twin(store), name)


async def remember(hass: HomeAssistant, entry_id: str) -> None:
    """Take a number's memory up again."""
    for name, place in _doors(hass, entry_id)[1].items():
        del vars(place)[name]


VERBS = (open_sdk, forget, remember)
