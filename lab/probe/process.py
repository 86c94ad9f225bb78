"""Verbs about the process."""

import gc
from pathlib import Path
import resource
import sys
from typing import Any

from homeassistant.core import HomeAssistant


async def weigh(hass: HomeAssistant, _: Any) -> dict[str, Any]:
    """Return the resident memory in bytes, and the names of all modules."""
    await hass.async_block_till_done()
    gc.collect()
    statm = await hass.async_add_executor_job(Path("/proc/self/statm").read_text)
    pages = int(statm.split()[1])
    return {"memory": pages * resource.getpagesize(), "modules": sorted(sys.modules)}


VERBS = {"weigh": weigh}
