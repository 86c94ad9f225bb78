"""What every part of the core is given: a line to serve, and a world to live in."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime

from ..adapters.base import SmsAdapter
from ..adapters.models import PhoneNumber
from ..store.clock import monotonic

type Spawn = Callable[[Coroutine[object, object, object], str], asyncio.Task[object]]
"""Runs something in the background, under a name, as long as its owner lives."""


@dataclass(slots=True, kw_only=True)
class Line:
    """A number, the adapter that serves it, and where its callbacks go.

    `callback_url` is the URL that was registered with the provider, None while
    it cannot call us.
    """

    number: PhoneNumber
    adapter: SmsAdapter
    callback_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What the core takes from its host: time, chance, and tasks that it ends.

    `now` is the home's wall clock, which may be wrong and may jump; `monotonic`
    counts seconds, and never jumps.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float] = monotonic
    jitter: Callable[[float, float], float]
    spawn: Spawn
