"""What the home pays: its event loop, its memory, and what grows with the years."""

import asyncio
from collections.abc import Mapping
from functools import partial
from itertools import chain
import time
from typing import Final

from .blast import blast
from .callbacks import Callbacks, open_callbacks
from .duel import Contestant, Figures, duel
from .filling import TOTAL, add_copies, fill, find_file
from .receiving import CONNECTIONS, NO_CONTENT, OK
from .sending import MANY, send
from .stage import CORE, CheckError, Stage, open_stage

_STALL_ROUNDS: Final = 11
_MISSED: Final = 1_000
_LATER: Final = 3600.0
"""Seconds after which no reading goes back to what is known."""
# Twilio publishes no rate, only that calls at once are limited; and each page is
# known from the one before it. So its paging is as fast as it answers.
_DELAY: Final = 0.2


async def bench_stall(stage: Stage) -> list[float]:
    """Time how long the event loop stands still, with a store long in use."""
    callbacks = await open_callbacks(stage)
    await stage.probe("aim_core", url=stage.provider.url)
    await fill(stage, callbacks)
    # A quarter of what a round does are statuses, and each message has two.
    await callbacks.track(len(MANY) // 2 * (_STALL_ROUNDS + 1) // 2)
    load = partial(_stall, stage, callbacks)
    sides = {
        "core": partial(load, "core", callbacks.core, 0),
        "ours": partial(load, "ours", callbacks.ours, len(MANY)),
    }
    result = await duel(sides, _STALL_ROUNDS)
    return [result.ratio("ours", "core", "ms"), result.median("ours", "ms")]


async def _stall(
    stage: Stage, callbacks: Callbacks, way: str, path: str, queued: int
) -> Figures:
    """Send fifty and have fifty callbacks, half of them statuses, all at once."""
    half = len(MANY) // 2
    kinds = (callbacks.statuses(path, half), callbacks.inbound(path, half))
    requests = list(chain.from_iterable(zip(*kinds, strict=True)))
    wanted = await stage.count_events() + len(requests) + queued
    await stage.probe("watch")
    answered, _ = await asyncio.gather(
        blast(stage.url, requests, CONNECTIONS),
        send(stage, callbacks.entry_id, "at once", way),
    )
    await stage.wait_for_events(wanted)
    if not set(answered) <= {OK, NO_CONTENT}:
        raise CheckError(f"answered {set(answered)}")
    return {"ms": await stage.probe("watched") * 1000}


async def bench_memory(stage: Stage) -> list[float]:
    """Weigh a home with our number, beside one where core has sent a message."""
    await stage.add_number("twilio")
    async with open_stage("memory of core", {}) as core:
        weights = {"ours": partial(_weigh, stage), "core": partial(_weigh_core, core)}
        result = await duel(weights, 2, warm_up=False)
    return [result.median("ours", "MiB") - result.median("core", "MiB")]


async def _weigh(stage: Stage) -> Figures:
    await stage.stop()
    await stage.start()
    return {"MiB": await stage.probe("weigh") / 2**20}


async def _weigh_core(stage: Stage) -> Figures:
    """Weigh with the rest of the SDK, which core loads only when it sends."""
    before = (await _weigh(stage))["MiB"]
    await stage.probe("set_up_core", settings=CORE, url=stage.provider.url)
    after = await stage.probe("weigh") / 2**20
    if after < before + 1 or not stage.provider.arrived:
        raise CheckError("core was loaded before it was set up, or has not sent")
    return {"MiB": after}


def _timed(
    stage: Stage, entries: Mapping[str, str], verb: str
) -> dict[str, Contestant]:
    """Have the probe time the same for some entries."""

    async def run(entry_id: str) -> Figures:
        return {"seconds": await stage.probe(verb, entry_id=entry_id)}

    return {name: partial(run, entry_id) for name, entry_id in entries.items()}


async def _open_two(stage: Stage) -> tuple[Callbacks, Mapping[str, str]]:
    callbacks = await open_callbacks(stage)
    second = await stage.add_number("twilio", stage.provider.twilio.SMS_ONLY_NUMBER)
    return callbacks, {"full": callbacks.entry_id, "empty": second["entry_id"]}


async def bench_store(stage: Stage) -> list[float]:
    """Weigh a store that has been in use for long, and time its set-up."""
    callbacks, entries = await _open_two(stage)
    await fill(stage, callbacks)
    files = (find_file(stage, each) for each in entries.values())
    full, empty = (file.stat().st_size for file in files)
    found = [(full - empty) / TOTAL]
    for stage.provider.delay in (0.05, 0.0):
        result = await duel(_timed(stage, entries, "set_up"), 7)
        found.append(result.ratio("full", "empty", "seconds"))
    return found


async def bench_history(stage: Stage) -> list[float]:
    """Time a catch-up beside its requests, and a poll when all is known already."""
    callbacks, entries = await _open_two(stage)
    stage.provider.delay = _DELAY
    missed = {"ours": partial(_catch_up, stage, callbacks.entry_id)}
    result = await duel(missed, 3, warm_up=False)
    stage.provider.delay = 0.0
    known = stage.provider.receive_unseen(TOTAL)
    await add_copies(stage, callbacks, {"inbound": known})
    poll = await _time_polls(stage, _timed(stage, entries, "poll"))
    return [result.median("ours", "times"), result.median("ours", "ms"), poll]


async def _catch_up(stage: Stage, entry_id: str) -> Figures:
    """Have a number catch up; it is over when the last message is published."""
    wanted = await stage.count_events() + _MISSED
    stage.provider.receive_unseen(_MISSED)
    stage.provider.pages_read = 0
    await stage.probe("watch")
    began = time.monotonic()
    await stage.probe("poll", entry_id=entry_id)
    took = (await stage.wait_for_events(wanted))["at"] - began
    held = await stage.probe("watched")
    await stage.probe("rest")
    return {"times": took / stage.provider.pages_read / _DELAY, "ms": held * 1000}


async def _time_polls(stage: Stage, polls: Mapping[str, Contestant]) -> float:
    """Return how much longer a poll takes whose number knows all that came."""
    stage.provider.clock_offset = _LATER
    # What is known is read once more, and from then on it is long ago.
    await duel(polls, 1)
    stage.provider.pages_read = 0
    await duel(polls, 1, warm_up=False)
    if stage.provider.pages_read != len(polls):
        raise CheckError(f"{stage.provider.pages_read} pages read to find nothing")
    # From here on the provider need not look through all of them either.
    stage.provider.receive_unseen(0)
    return (await duel(polls, 15)).ratio("full", "empty", "seconds")
