"""How long an alarm takes: until the first text is out, and until everybody knows."""

import asyncio
from collections.abc import Sequence
import statistics
import time
from typing import Final

from .blast import blast
from .callbacks import Callbacks, open_callbacks
from .stage import CheckError, Stage

_DELAY: Final = 0.05
"""Seconds that the provider takes for a text."""
_PEOPLE: Final = 10
_ROUNDS: Final = 11
_WAIT: Final = 20.0


async def bench_alert(stage: Stage) -> list[float]:
    """Time alarms to ten people, one of whom takes each."""
    callbacks = await open_callbacks(stage)
    stage.provider.delay = _DELAY
    # The first one opens the home's own file.
    times = [await _alarm(stage, callbacks, number) for number in range(_ROUNDS + 1)]
    return [statistics.median(each) / _DELAY for each in zip(*times[1:], strict=True)]


async def _alarm(
    stage: Stage, callbacks: Callbacks, number: int
) -> tuple[float, float]:
    """Alarm people whom nobody has alarmed before, and have the last of them take it.

    Return the seconds from the action until the provider has taken the first text,
    and from "ok" until it has taken a second one to each of them.
    """
    stage.provider.taken.clear()
    people = [f"+336{number:02}0000{each:02}" for each in range(_PEOPLE)]
    sent = await stage.probe(
        "send", way="alert", entry_id=callbacks.entry_id, calls=[people]
    )
    first = (await _taken(stage, _PEOPLE))[0] - sent["began"][0]
    began = time.monotonic()
    answer = callbacks.message(callbacks.ours, people[-1], "ok")
    await blast(stage.url, [answer], 1)
    known = (await _taken(stage, 2 * _PEOPLE))[-1] - began
    await stage.probe("rest")
    return first, known


async def _taken(stage: Stage, count: int) -> Sequence[float]:
    """Return when each text was taken, once that many were; CheckError for others."""
    taken, another = stage.provider.taken, stage.provider.another
    async with asyncio.timeout(_WAIT):
        while len(taken) < count:
            another.clear()
            await another.wait()
    if len(taken) > count:
        raise CheckError(f"{len(taken)} texts instead of {count}")
    return taken
