"""What it takes to send: an alarm alone, many at once, and one call to many."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from itertools import count
import statistics
import time
from typing import Final

from .receiving import OK, open_callbacks
from .rows import Figure, Figures
from .stage import DISKS, CheckError, Stage

MANY: Final = [f"+336{number:08}" for number in range(50)]
CALLS: Final[Mapping[str, tuple[Sequence[Sequence[str]], float | None]]] = {
    "alone": ([[each] for each in MANY[:7]], 0.05),
    "at once": ([[each] for each in MANY], None),
    "to all": ([MANY], None),
}
"""The recipients of each call, and the seconds of rest before each, if any."""
_DELAY: Final = 0.05
"""Seconds that the provider takes for a text of an alert."""
_PEOPLE: Final = 10
_WAIT, _GLANCE = 20.0, 0.002


async def send(stage: Stage, entry_id: str, calls: str, way: str) -> Figures:
    """Send, check that all arrived, and say how long it took, in seconds.

    `leaves` is until the request is at the provider, `call` until the action
    returns, both of the message in the middle, and `all` until the last returns.
    """
    recipients, pause = CALLS[calls]
    arrived = stage.provider.arrived
    arrived.clear()
    sent = await stage.send(way, entry_id, recipients, pause)
    if len(arrived) != sum(map(len, recipients)):
        raise CheckError(f"{way}: {len(arrived)} were sent by {recipients}")
    await stage.probe("rest")
    began, ended = sent["began"], sent["ended"]
    return {
        "leaves": _middle(began, arrived),
        "call": _middle(began, ended),
        "all": max(ended) - min(began),
    }


def _middle(began: Sequence[float], ended: Sequence[float]) -> float:
    pairs = zip(began, ended, strict=False)
    return statistics.median(end - begin for begin, end in pairs)


async def _open_twilio(stage: Stage) -> str:
    """Set up a number of Twilio's beside core's own integration."""
    await stage.probe("aim_core", url=stage.provider.url)
    return (await stage.add_number("twilio"))["entry_id"]


async def alarm(stage: Stage) -> AsyncIterator[Figure]:
    """Time a message alone, through a provider that takes 100 ms."""
    run = partial(send, stage, await _open_twilio(stage), "alone")
    stage.provider.delay = 0.1
    for delay in DISKS:
        stage.disk.slow_down(delay)
        result = await stage.duel(run, 3, "ours", "core")
        yield result["leaves"]
        yield result["call"]


async def ovh(stage: Stage) -> AsyncIterator[Figure]:
    """Time a message alone through OVHcloud, which takes 50 ms, beside its SDK."""
    side = stage.provider.ovh
    keys = ("application_key", "application_secret", "consumer_key")
    await stage.probe(
        "open_ovh",
        url=stage.provider.url,
        path=f"/sms/{side.SERVICE}/virtualNumbers/{side.NUMBER}/jobs",
        credentials=[side.credentials[key] for key in keys],
    )
    entry_id = (await stage.add_number("ovh"))["entry_id"]
    stage.provider.delay = 0.05
    for delay in DISKS:
        stage.disk.slow_down(delay)
        run = partial(send, stage, entry_id, "alone")
        yield (await stage.duel(run, 3, "ours", "sdk"))["call"]


async def many(stage: Stage) -> AsyncIterator[Figure]:
    """Time fifty calls at once, and one call to fifty."""
    run = partial(send, stage, await _open_twilio(stage))
    yield (await stage.duel(partial(run, "at once"), 7, "ours", "core"))["all"]
    stage.provider.delay = 0.05
    for delay in DISKS:
        stage.disk.slow_down(delay)
        yield (await stage.duel(partial(run, "to all"), 2, "ours", "core"))["all"]


async def alert(stage: Stage) -> AsyncIterator[Figure]:
    """Time alarms to ten people, one of whom takes each.

    How long it is until the first text is taken, and from "ok" until all know of it.
    """
    callbacks, numbers = await open_callbacks(stage), count()
    stage.provider.delay = _DELAY

    async def raise_alarm(entry_id: str) -> Figures:
        # Nobody has alarmed them before.
        number = next(numbers)
        people = [f"+336{number:02}0000{each:02}" for each in range(_PEOPLE)]
        stage.provider.taken.clear()
        sent = await stage.send("alert", entry_id, [people])
        first = (await _taken(stage, _PEOPLE))[0] - sent["began"][0]
        began = time.monotonic()
        answer = callbacks.message(callbacks.ours, people[-1], "ok")
        await callbacks.ask([answer], OK)
        known = (await _taken(stage, 2 * _PEOPLE))[-1] - began
        await stage.probe("rest")
        return {"first": first / _DELAY, "known": known / _DELAY}

    result = await stage.duel(raise_alarm, 5, callbacks.entry_id)
    yield result["first"]
    yield result["known"]


async def _taken(stage: Stage, amount: int) -> Sequence[float]:
    """Return when each text was taken, once that many were; CheckError for others."""
    taken = stage.provider.taken
    async with asyncio.timeout(_WAIT):
        while len(taken) < amount:  # noqa: ASYNC110  # a list is watched
            await asyncio.sleep(_GLANCE)
    if len(taken) > amount:
        raise CheckError(f"{len(taken)} texts instead of {amount}")
    return taken
