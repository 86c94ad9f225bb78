"""The wall clock of this process: the true one, and an offset that can be changed.

The monotonic clock stays as it is, as it does on a real machine.
"""

from datetime import datetime, timedelta, tzinfo
import importlib
import os
import sys
import time
from typing import Final, override

OFFSET: Final = "SHAKEN_CLOCK"
"""The environment variable with the offset in seconds that a process begins with."""
_PRODUCT: Final = "custom_components.virtual_sms"
_TRUE_TIME: Final = time.time

_offset = float(os.environ.get(OFFSET, "0"))


class _AnyDatetime(type):
    @override
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class Shifted(datetime, metaclass=_AnyDatetime):
    """The class `datetime`, but for the present time."""

    @classmethod
    @override
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # plain
        return datetime.now(tz) + timedelta(seconds=_offset)


def replace() -> None:
    """Replace Python's and Home Assistant's present time."""
    # Assigned by name: a type checker rightly refuses to change a module.
    vars(time)["time"] = lambda: _TRUE_TIME() + _offset
    tools = importlib.import_module("homeassistant.util.dt")
    vars(tools)["utcnow"] = lambda: Shifted.now(tools.UTC)
    vars(tools)["now"] = lambda zone=None: Shifted.now(
        zone or tools.get_default_time_zone()
    )


def step(offset: float) -> None:
    """Set the clock so many seconds off the true time."""
    global _offset  # noqa: PLW0603  # a process has one clock
    _offset = offset
    follow()


def follow() -> None:
    """Have the product's own `datetime.now` follow, in the modules loaded so far."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_PRODUCT) and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = Shifted
