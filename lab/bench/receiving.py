"""What it takes to be called back: a message, a status, a forgery."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
import statistics
import time
from typing import Final

from .blast import blast
from .callbacks import NOTHING, SDK, Callbacks, open_callbacks
from .duel import Figures, duel
from .stage import CheckError, Stage

CONNECTIONS: Final = 32
OK, NO_CONTENT, FORBIDDEN = 200, 204, 403
_ROUNDS: Final = 4
_SIZE: Final = 320
"""Callbacks in a round."""
_FEW: Final = 10
_PAUSE: Final = 0.1
"""Seconds before each message that comes alone: the home is at rest again."""
_FLOOD_SECONDS: Final = 1.0


async def fire(
    stage: Stage,
    requests: Sequence[bytes],
    status: int = OK,
    *,
    connections: int = CONNECTIONS,
) -> Figures:
    """Send callbacks, each of which makes an event, and has to be answered so.

    Return the seconds until the last event was fired, and the flushes before it.
    """
    wanted, flushes = await stage.count_events() + len(requests), stage.disk.flushes
    began = time.monotonic()
    await _ask(stage, requests, status, connections)
    last = await stage.wait_for_events(wanted)
    # What one leaves to be done must not slow the next one down.
    await stage.probe("rest")
    return {"time": last["at"] - began, "flushes": last["flushes"] - flushes}


async def _ask(
    stage: Stage, requests: Sequence[bytes], status: int, connections: int = CONNECTIONS
) -> None:
    answered = set(await blast(stage.url, requests, connections))
    if answered != {status}:
        raise CheckError(f"answered {answered}, not {status}")


async def bench_door(stage: Stage) -> list[float]:
    """Time a message that comes alone: how soon it opens a door."""
    callbacks = await open_callbacks(stage)
    core, ours = callbacks.core, callbacks.ours
    alone = {
        each: partial(_time_alone, stage, callbacks, each) for each in (core, ours)
    }
    result = await duel(alone, _ROUNDS)
    return [result.ratio(ours, core, "time"), result.median(ours, "flushes")]


async def _time_alone(stage: Stage, callbacks: Callbacks, path: str) -> Figures:
    found = []
    for _ in range(_FEW):
        await asyncio.sleep(_PAUSE)
        found.append(await fire(stage, callbacks.inbound(path, 1), connections=1))
    return {
        name: statistics.median(each[name] for each in found)
        for name in ("time", "flushes")
    }


async def bench_flood(stage: Stage) -> list[float]:
    """Time many callbacks at a time, beside the same without a memory."""
    callbacks = await open_callbacks(stage)
    # Each message gives two callbacks; two take part, and one round warms up.
    await callbacks.track(_SIZE * (_ROUNDS + 1))
    flood = partial(_compare_with_twin, stage, callbacks)
    return [
        await flood(callbacks.inbound, OK),
        await flood(callbacks.statuses, NO_CONTENT),
    ]


async def _compare_with_twin(
    stage: Stage,
    callbacks: Callbacks,
    make: Callable[[str, int], Sequence[bytes]],
    status: int,
) -> float:
    async def ours() -> Figures:
        return await fire(stage, make(callbacks.ours, _SIZE), status)

    async def twin() -> Figures:
        await stage.probe("forget", entry_id=callbacks.entry_id)
        try:
            return await ours()
        finally:
            await stage.probe("remember", entry_id=callbacks.entry_id)

    return (await duel({"ours": ours, "twin": twin}, _ROUNDS)).ratio(
        "twin", "ours", "time"
    )


async def bench_forged(stage: Stage) -> list[float]:
    """Time a flood of forgeries, and a switch that is turned meanwhile."""
    callbacks = await open_callbacks(stage)
    ours = callbacks.ours

    async def refuse(path: str) -> Figures:
        began = time.monotonic()
        await _ask(stage, callbacks.forged(path, _SIZE), FORBIDDEN)
        return {"time": time.monotonic() - began}

    async def switch(path: str) -> Figures:
        return {"wait": await _switch_under_fire(stage, callbacks.forged(path, 20_000))}

    refusals = await duel({path: partial(refuse, path) for path in (ours, SDK)}, 7)
    waits = await duel({path: partial(switch, path) for path in (ours, NOTHING)}, 4)
    return [refusals.ratio(SDK, ours, "time"), waits.ratio(ours, NOTHING, "wait")]


async def _switch_under_fire(stage: Stage, requests: Sequence[bytes]) -> float:
    """Return the median wait of a switch during a flood, in seconds."""
    flooding = asyncio.create_task(blast(stage.url, requests, CONNECTIONS))
    try:
        wait = await stage.probe("switch", seconds=_FLOOD_SECONDS)
        if flooding.done():
            raise CheckError("the flood was over before the light was switched")
        return float(wait)
    finally:
        flooding.cancel()
        with suppress(asyncio.CancelledError):
            await flooding
