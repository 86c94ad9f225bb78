"""Verbs that read a provider's history: the requests alone, and our catch-up."""

import asyncio
import time
from typing import Any, Final

from aiohttp import ClientSession, encode_basic_auth
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .stopwatch import Stopwatch

_TIMEOUT: Final = 60


async def list_pages(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Ask Twilio for all pages of `size` messages to `number`, and do no more.

    `found` is how many messages there were.
    """
    session: ClientSession = async_get_clientsession(hass)
    headers = {"Authorization": encode_basic_auth(*data["credentials"])}
    account, query = data["credentials"][0], f"To={data['number'].replace('+', '%2B')}"
    path = (
        f"/2010-04-01/Accounts/{account}/Messages.json?{query}&PageSize={data['size']}"
    )
    found, watch, start = 0, Stopwatch(hass), time.perf_counter()
    watch.start()
    while path:
        async with session.get(data["url"] + path, headers=headers) as answer:
            answer.raise_for_status()
            page = await answer.json()
        found += len(page["messages"])
        path = page["next_page_uri"]
    took = time.perf_counter() - start
    # What runs now is timed when it ends.
    await asyncio.sleep(0)
    return {"found": found, "seconds": took, **watch.stop()}


async def catch_up(hass: HomeAssistant, data: dict[str, Any]) -> dict[str, Any]:
    """Poll once, and wait until `count` messages were published.

    `found` is how many different ones they were.
    """
    entry: Any = hass.config_entries.async_get_entry(data["entry_id"])
    heard: list[str] = []
    all_heard = asyncio.Event()

    @callback
    def hear(event: Event) -> None:
        heard.append(event.data["message_id"])
        if len(heard) >= data["count"]:
            all_heard.set()

    stop = hass.bus.async_listen("virtual_sms_received", hear)
    watch, start = Stopwatch(hass), time.perf_counter()
    watch.start()
    await entry.runtime_data.gateway.inbox.catch_up(late=True)
    async with asyncio.timeout(_TIMEOUT):
        await all_heard.wait()
    took = time.perf_counter() - start
    await asyncio.sleep(0)
    seen = watch.stop()
    # What comes twice comes soon after.
    await hass.async_block_till_done()
    stop()
    if len(heard) != data["count"]:
        raise ValueError(f"{len(heard)} were published")
    return {"found": len(set(heard)), "seconds": took, **seen}


VERBS = {"list_pages": list_pages, "catch_up": catch_up}
