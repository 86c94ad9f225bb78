"""What every part of the core is given: a line to serve, and a world to live in."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime

from ..adapters.base import SmsAdapter
from ..adapters.models import PhoneNumber
from ..store.clock import monotonic
from .guard import Guard, NoGuard

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

    def provider_time(self, otherwise: datetime) -> datetime:
        """Return what time it is at the provider, as far as it has said."""
        return self.adapter.provider_time or otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What the core takes from its host: time, chance, and tasks that it ends.

    `now` is the home's wall clock, which may be wrong and may jump; `monotonic`
    counts seconds, and never jumps. `guard` judges what comes in.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float] = monotonic
    jitter: Callable[[float, float], float]
    spawn: Spawn
    guard: Guard = field(default_factory=NoGuard)
