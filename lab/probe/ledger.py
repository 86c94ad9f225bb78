"""Verbs about the ledger of a number."""

import asyncio
from datetime import timedelta
from itertools import batched
from pathlib import Path
import time
from typing import Any

from homeassistant.core import HomeAssistant

from .sends import TEXT

_BATCH = 500


async def fill(hass: HomeAssistant, data: dict[str, Any]) -> int:
    """Track `count` messages that the provider has accepted; return the file's bytes."""
    gateway = _gateway(hass, data)
    models: Any = await _async_models(hass)
    records = gateway.ledger.outbound
    messages = [
        gateway.outbox.compose(f"+336{number:08}", TEXT)
        for number in range(data["count"])
    ]
    deadline = messages[0].created_at + timedelta(minutes=30)
    for some in batched(messages, _BATCH, strict=False):
        changes = await records.add(some, deadline)
        for each in some:
            sent = models.SentMessage(provider_id=f"SM{each.message_id}")
            changes += await records.accept(each.message_id, sent)
        await gateway.ledger.told(changes)
    return await size(hass, data)


async def size(hass: HomeAssistant, data: dict[str, Any]) -> int:
    """Return the bytes of the ledger's files."""
    folder = Path(hass.config.path(".storage"))

    def measure() -> int:
        files = folder.glob(f"virtual_sms.{data['entry_id']}.db*")
        return sum(each.stat().st_size for each in files)

    return await hass.async_add_executor_job(measure)


async def catch_up(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Poll once, and return the seconds until `count` more messages were announced."""
    entry: Any = hass.config_entries.async_get_entry(data["entry_id"])
    heard, all_heard = 0, asyncio.Event()

    def hear(_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == data["count"]:
            all_heard.set()

    stop = hass.bus.async_listen("virtual_sms_received", hear)
    start = time.perf_counter()
    await entry.runtime_data.gateway.inbox.catch_up(late=True)
    async with asyncio.timeout(60):
        await all_heard.wait()
    stop()
    return time.perf_counter() - start


def _gateway(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    entry: Any = hass.config_entries.async_get_entry(data["entry_id"])
    return entry.runtime_data.gateway


async def _async_models(hass: HomeAssistant) -> Any:
    del hass
    # Not at the top: the probe must not load what it weighs.
    from custom_components.virtual_sms.adapters import models  # noqa: PLC0415

    return models


VERBS = {"fill": fill, "size": size, "catch_up": catch_up}
