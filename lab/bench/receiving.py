"""What it costs to be called back: a status, a message, a forgery."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
import time
from typing import Final

from .blast import Blast, Request, blast
from .callbacks import FLOOR, NOTHING, Callbacks
from .duel import Contestant, Duel, duel
from .report import Row, without_recorder
from .stage import CheckError, Stage, open_stage

CONNECTIONS: Final = 32
ROUNDS: Final = 7
_FEW_ROUNDS: Final = 5
SIZE: Final = 640
"""Callbacks in a round."""
FEW: Final = 150
"""Callbacks in a round of one connection."""
_FLOOD_SECONDS: Final = 1.0
_FLOOD_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What has to come of each callback."""

    status: int
    events: int = 1


async def _fire(
    stage: Stage, requests: Sequence[Request], connections: int, expected: Expected
) -> Blast:
    """Send callbacks, and time them until the last event was fired."""
    wanted = await stage.events() + expected.events * len(requests)
    start = time.perf_counter()
    result = await blast(stage.home.url, requests, connections)
    if set(result.statuses) != {expected.status}:
        raise CheckError(f"answered {dict(result.statuses)}, not {expected.status}")
    await stage.wait_for_events(wanted)
    result.seconds = time.perf_counter() - start
    # What one leaves to be done must not slow the next one down.
    await stage.home.probe("rest")
    return result


@asynccontextmanager
async def _callbacks(
    name: str, *, recorder: bool = True
) -> AsyncIterator[tuple[Stage, Callbacks]]:
    async with open_stage(name, recorder=recorder) as stage:
        callbacks = Callbacks(stage)
        await callbacks.open()
        yield stage, callbacks


def _contestant(
    stage: Stage,
    make: Callable[[int], Sequence[Request]],
    expected: Expected,
    connections: int = CONNECTIONS,
) -> Contestant:
    """Time callbacks: many at once by their rate, one at a time by their latency."""

    async def run() -> float:
        if connections == 1:
            return (await _fire(stage, make(FEW), connections, expected)).median
        return (await _fire(stage, make(SIZE), connections, expected)).rate

    return run


async def _take_turns(
    stage: Stage, callbacks: Callbacks, kind: str, connections: int, rounds: int
) -> Duel:
    """Have callbacks of a kind taken by all who can take them."""
    makers = {"status": callbacks.statuses, "inbound": callbacks.inbound}
    takers = {
        "no-op": (NOTHING, Expected(status=200, events=0)),
        "core": (callbacks.core, Expected(status=200)),
        "floor": (FLOOR, Expected(status=204)),
        "ours": (callbacks.ours, Expected(status={"status": 204}.get(kind, 200))),
    }
    contestants: dict[str, Contestant] = {
        name: _contestant(stage, partial(makers[kind], path), expected, connections)
        for name, (path, expected) in takers.items()
    }
    if connections == 1:
        contestants["flush"] = partial(stage.home.probe, "flush", times=FEW)
    return await duel(contestants, rounds)


async def _time_statuses(rounds: int, *, recorder: bool) -> Duel:
    async with _callbacks("status", recorder=recorder) as (stage, callbacks):
        # Each message gives two callbacks, and one round more warms up.
        await callbacks.track(SIZE * (rounds + 1) // 2)
        return await _take_turns(stage, callbacks, "status", CONNECTIONS, rounds)


async def _time_inbound(rounds: int, *, recorder: bool) -> tuple[Duel, Duel]:
    async with _callbacks("inbound", recorder=recorder) as world:
        many = await _take_turns(*world, "inbound", CONNECTIONS, rounds)
        return many, await _take_turns(*world, "inbound", 1, rounds)


async def bench_status() -> list[Row]:
    """Time status callbacks, at 32 connections."""
    what, floor = "Status callback, 32 connections", "The floor"
    result = await _time_statuses(ROUNDS, recorder=True)
    alone = await _time_statuses(_FEW_ROUNDS, recorder=False)
    return [
        Row.at_least(what, "no-op webhook", result.ratio("ours", "no-op"), 0.45),
        Row.at_least(what, "core's twilio", result.ratio("ours", "core"), 0.65),
        Row.ratio(what, "the floor", result.ratio("ours", "floor")),
        Row.ratio(floor, "no-op webhook", result.ratio("floor", "no-op")),
        Row.ratio(floor, "core's twilio", result.ratio("floor", "core")),
        *without_recorder(what, _beside(alone, "ours")),
        *without_recorder(floor, _beside(alone, "floor")),
    ]


async def bench_inbound() -> list[Row]:
    """Time incoming messages, at 32 connections and at one."""
    what = "Inbound SMS, 32 connections"
    single = "Inbound SMS, one connection, median"
    flush = "A flush of the disk in a thread, median"
    many, one = await _time_inbound(ROUNDS, recorder=True)
    many_alone, one_alone = await _time_inbound(_FEW_ROUNDS, recorder=False)
    return [
        Row.at_least(what, "no-op webhook", many.ratio("ours", "no-op"), 0.35),
        Row.ratio(what, "core's twilio", many.ratio("ours", "core")),
        Row.ratio(what, "the floor", many.ratio("ours", "floor")),
        *without_recorder(what, _beside(many_alone, "ours")),
        Row.at_most(single, "no-op webhook", one.ratio("ours", "no-op"), 3.5),
        Row.ratio(single, "core's twilio", one.ratio("ours", "core")),
        Row.ratio(single, "the floor", one.ratio("ours", "floor")),
        *without_recorder(single, _beside(one_alone, "ours")),
        Row.ratio(flush, "no-op webhook", one.ratio("flush", "no-op")),
        *without_recorder(flush, {"no-op webhook": one_alone.ratio("flush", "no-op")}),
    ]


def _beside(alone: Duel, taker: str) -> dict[str, float]:
    return {
        "no-op webhook": alone.ratio(taker, "no-op"),
        "core's twilio": alone.ratio(taker, "core"),
    }


async def bench_forged() -> list[Row]:
    """Time a flood of forgeries, and a light that is switched meanwhile."""
    async with _callbacks("forged") as (stage, callbacks):
        takers = {
            "no-op": (NOTHING, Expected(status=200, events=0)),
            "ours": (callbacks.ours, Expected(status=403, events=0)),
        }
        rates = await duel(
            {
                name: _contestant(stage, partial(callbacks.forged, path), expected)
                for name, (path, expected) in takers.items()
            },
            ROUNDS,
        )
        waits = await duel(
            {
                name: partial(
                    _switch_under_fire, stage, callbacks.forged(path, 10 * SIZE)
                )
                for name, (path, _) in takers.items()
            },
            _FLOOD_ROUNDS,
        )
    flood = "a flood of the no-op webhook"
    return [
        Row.at_least(
            "Forged callback refused",
            "no-op webhook",
            rates.ratio("ours", "no-op"),
            0.70,
        ),
        Row.at_most(
            "A light's wait during the flood", flood, waits.ratio("ours", "no-op"), 2.0
        ),
    ]


async def _switch_under_fire(stage: Stage, requests: Sequence[Request]) -> float:
    """Return the median wait of a light's action during a flood, in seconds."""
    flood = asyncio.create_task(_flood(stage, requests))
    try:
        return float(await stage.home.probe("switch", seconds=_FLOOD_SECONDS))
    finally:
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)


async def _flood(stage: Stage, requests: Sequence[Request]) -> None:
    while True:
        await blast(stage.home.url, requests, CONNECTIONS)
