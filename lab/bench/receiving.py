"""What it costs to be called back: a status, a message, a forgery."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import time
from typing import Final

from .blast import Blast, Request, blast
from .callbacks import FLOOR, NOTHING, Callbacks
from .duel import Contestant, duel
from .report import Row
from .stage import CheckError, Stage, open_stage

CONNECTIONS: Final = 32
ROUNDS: Final = 7
SIZE: Final = 640
"""Callbacks in a round."""
FEW: Final = 150
"""Callbacks in a round of one connection."""
_FLOOD_SECONDS: Final = 1.0


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
async def _callbacks(name: str) -> AsyncIterator[tuple[Stage, Callbacks]]:
    async with open_stage(name) as stage:
        callbacks = Callbacks(stage)
        await callbacks.open()
        yield stage, callbacks


async def bench_status() -> list[Row]:
    """Time status callbacks, at 32 connections."""
    async with _callbacks("status") as (stage, callbacks):
        # Each gives two callbacks, and one round more warms up.
        await callbacks.track(SIZE * (ROUNDS + 1) // 2)

        def contestant(path: str, expected: Expected) -> Contestant:
            async def run() -> float:
                requests = callbacks.statuses(path, SIZE)
                return (await _fire(stage, requests, CONNECTIONS, expected)).rate

            return run

        result = await duel(
            {
                "no-op": contestant(NOTHING, Expected(status=200, events=0)),
                "core": contestant(callbacks.core, Expected(status=200)),
                "floor": contestant(FLOOR, Expected(status=204)),
                "ours": contestant(callbacks.ours, Expected(status=204)),
            },
            ROUNDS,
        )
    what = "Status callback, 32 connections"
    return [
        Row.at_least(what, "no-op webhook", result.ratio("ours", "no-op"), 0.45),
        Row.at_least(what, "core's twilio", result.ratio("ours", "core"), 0.65),
        Row.ratio(what, "the floor", result.ratio("ours", "floor")),
        Row.ratio("The floor", "no-op webhook", result.ratio("floor", "no-op")),
        Row.ratio("The floor", "core's twilio", result.ratio("floor", "core")),
    ]


async def bench_inbound() -> list[Row]:
    """Time incoming messages, at 32 connections and at one."""
    async with _callbacks("inbound") as (stage, callbacks):

        def contestant(path: str, size: int, connections: int) -> Contestant:
            events = 0 if path == NOTHING else 1

            async def run() -> float:
                requests = callbacks.inbound(path, size)
                status = 204 if path == FLOOR else 200
                expected = Expected(status=status, events=events)
                result = await _fire(stage, requests, connections, expected)
                return result.rate if connections > 1 else result.median

            return run

        paths = {
            "no-op": NOTHING,
            "core": callbacks.core,
            "floor": FLOOR,
            "ours": callbacks.ours,
        }
        many = await duel(
            {name: contestant(path, SIZE, CONNECTIONS) for name, path in paths.items()},
            ROUNDS,
        )
        one = await duel(
            {name: contestant(path, FEW, 1) for name, path in paths.items()}, ROUNDS
        )
    what = "Inbound SMS, 32 connections"
    alone = "Inbound SMS, one connection, median"
    return [
        Row.at_least(what, "no-op webhook", many.ratio("ours", "no-op"), 0.35),
        Row.ratio(what, "core's twilio", many.ratio("ours", "core")),
        Row.ratio(what, "the floor", many.ratio("ours", "floor")),
        Row.at_most(alone, "no-op webhook", one.ratio("ours", "no-op"), 3.5),
        Row.ratio(alone, "core's twilio", one.ratio("ours", "core")),
        Row.ratio(alone, "the floor", one.ratio("ours", "floor")),
    ]


async def bench_forged() -> list[Row]:
    """Time a flood of forgeries, and a light that is switched meanwhile."""
    async with _callbacks("forged") as (stage, callbacks):

        def contestant(path: str, status: int) -> Contestant:
            async def run() -> float:
                requests = callbacks.forged(path, SIZE)
                expected = Expected(status=status, events=0)
                return (await _fire(stage, requests, CONNECTIONS, expected)).rate

            return run

        def light(path: str) -> Contestant:
            async def run() -> float:
                return await _switch_under_fire(
                    stage, callbacks.forged(path, 10 * SIZE)
                )

            return run

        paths = {"no-op": NOTHING, "ours": callbacks.ours}
        rates = await duel(
            {
                "no-op": contestant(NOTHING, 200),
                "ours": contestant(callbacks.ours, 403),
            },
            ROUNDS,
        )
        waits = await duel({name: light(path) for name, path in paths.items()}, 5)
    return [
        Row.at_least(
            "Forged callback refused",
            "no-op webhook",
            rates.ratio("ours", "no-op"),
            0.70,
        ),
        Row.at_most(
            "A light's wait during the flood",
            "a flood of the no-op webhook",
            waits.ratio("ours", "no-op"),
            2.0,
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
