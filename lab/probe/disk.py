"""Verbs about the disk."""

import asyncio
import os
from pathlib import Path
import statistics
import time
from typing import Any

from homeassistant.core import HomeAssistant

_SIZE = 4 * 4096
"""Four pages of sqlite's: what a message takes in its log."""
_PAUSE = 0.001


async def flush(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Have the executor write and flush as little as a message takes, `times` over.

    Return the median, in seconds, from the event loop and back to it.
    """
    path = Path(hass.config.path("flush"))
    file = await hass.async_add_executor_job(os.open, path, os.O_CREAT | os.O_WRONLY)
    waits: list[float] = []
    for _ in range(data["times"]):
        # As callbacks leave one: a disk that never rests is quicker.
        await asyncio.sleep(_PAUSE)
        start = time.perf_counter()
        await hass.async_add_executor_job(_write, file)
        waits.append(time.perf_counter() - start)
    await hass.async_add_executor_job(os.close, file)
    return statistics.median(waits)


def _write(file: int) -> None:
    os.write(file, bytes(_SIZE))
    os.fdatasync(file)


VERBS = {"flush": flush}
